"""Services that die: in, a unit on a host; out, its processes killed and not restarted, until the block is left."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab.landscape import Host
from lab.trials.site import Site


@contextmanager
def killed(site: Site, host: Host, unit: str) -> Iterator[int]:
    """Kill a service as a fault would, and yield the wall-clock time (ns) by which that was done.

    systemd would start it again within seconds: that is forbidden meanwhile.
    """
    folder = f"/run/systemd/system/{unit}.service.d"
    once = f"mkdir -p {folder} && printf '[Service]\\nRestart=no\\n' >{folder}/once.conf && systemctl daemon-reload"
    site.run(host, f"{once} && systemctl kill --signal=KILL {unit}")
    try:
        yield time.time_ns()
    finally:
        site.run(host, f"rm {folder}/once.conf; systemctl daemon-reload; systemctl start {unit}", timeout_s=180)


@contextmanager
def stopped(site: Site, host: Host, unit: str) -> Iterator[None]:
    """Stop a service as an operator does; started again when the block is left."""
    site.run(host, f"systemctl stop {unit}", timeout_s=180)
    try:
        yield
    finally:
        site.run(host, f"systemctl start {unit}", timeout_s=180)
