"""Status: in, an instance; out, a line a host, the cuts between them and the snapshots there are."""

from concurrent.futures import ThreadPoolExecutor

from lab import machine, network, remote, snapshots
from lab.landscape import HOSTS, Host, Instance


def report(lab: Instance) -> str:
    """What runs, as a table."""
    with ThreadPoolExecutor() as pool:
        lines = list(pool.map(lambda host: _line(lab, host), HOSTS.values()))
    if network.exists(lab):
        lines += [f"cut: {rule}" for rule in network.cuts(lab)]
    lines.append(f"snapshots: {', '.join(sorted(snapshots.common(lab))) or 'none'}")
    return "\n".join([f"lab {lab.name}, files in {lab.state}", *lines])


def _line(lab: Instance, host: Host) -> str:
    process = machine.find(lab, host)
    if not process:
        state = "down"
    elif remote.answers(lab, host):
        state = f"up    process {process.pid}"
    else:
        state = f"mute  process {process.pid}, ssh does not answer: see {lab.log(host)}"
    return f"{host.name}  {host.address:<12} {host.kind:<10} {state}"
