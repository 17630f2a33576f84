"""Snapshots: in, an instance and a name; out, all machines frozen at one moment, or started again from it."""

import json
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Final

from lab import machine, network, remote
from lab.commands import run
from lab.errors import LabError
from lab.image.build import Images
from lab.landscape import HOSTS, MACHINES, Host, Instance
from lab.monitor import Monitor

_SAVE_S: Final = 120
_END_S: Final = 10
_STOPS: Final = 500
_BETWEEN_STOPS_S: Final = 0.01
_XEN_ADDRESSES: Final = range(0xFFFF_8000_0000_0000, 0xFFFF_8800_0000_0000)
_HEAD_START_S: Final = 0.5
"""Of the primary, as all its emulated code is to be translated anew: a busy machine takes longer for it than the second
of silence after which the backup would take over. The backup's own clock stands still meanwhile."""
_LAST_FIRST: Final = tuple(reversed(MACHINES))  # the server first, the primary last: nobody waits for who is frozen


def save(lab: Instance, name: str) -> None:
    """Freeze all machines (memory and disk), save them under `name`, and let them go on. Raises LabError."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise LabError(f"a snapshot cannot be called {name}: use letters (a-z), digits and hyphens, a letter first")
    with _monitors(lab) as monitors, _frozen(monitors), ThreadPoolExecutor() as pool:
        list(pool.map(lambda monitor: monitor.human(f"savevm {name}"), monitors))


def restore(lab: Instance, name: str, built: Images, accelerator: str) -> None:
    """Start all machines from `name` at the same moment, in fresh QEMUs, and set their clocks. Raises LabError.

    Loading into a running QEMU would leave the clocks of a and b minutes apart. The monitoring host is let in only
    when the machines' wall clocks are right, so that no point is written with an old time.
    """
    require(lab, name)
    network.heal(lab)
    _end(lab)
    network.set_port(lab, HOSTS["m"], up=False)
    try:
        _start(lab, name, built, accelerator)
        remote.set_clocks(lab)
    finally:
        network.set_port(lab, HOSTS["m"], up=True)


def _start(lab: Instance, name: str, built: Images, accelerator: str) -> None:
    try:
        for host in MACHINES:
            machine.start(lab, host, built, accelerator, restore=name)
        with _monitors(lab) as monitors:
            server, backup, primary = monitors
            server.execute("cont")
            primary.execute("cont")
            time.sleep(_HEAD_START_S)
            backup.execute("cont")
    except BaseException:
        _end(lab)  # never some of them, never frozen
        raise


def _end(lab: Instance) -> None:
    for host in MACHINES:
        process = machine.find(lab, host)
        if process:
            process.kill(signal.SIGKILL, _END_S)


def names(lab: Instance, host: Host) -> set[str]:
    """The snapshots in a machine's disk."""
    if not lab.disk(host).exists():
        return set()
    found = json.loads(run("qemu-img", "info", "--force-share", "--output=json", lab.disk(host)))
    return {str(snapshot["name"]) for snapshot in found.get("snapshots", [])}


def common(lab: Instance) -> set[str]:
    """The snapshots that all machines have."""
    return set.intersection(*(names(lab, host) for host in MACHINES))


def require(lab: Instance, name: str) -> None:
    """Raises LabError naming the snapshots there are, where `name` is none."""
    there = common(lab)
    if name not in there:
        raise LabError(f"there is no snapshot {name}: there are {', '.join(sorted(there)) or 'none'}; take it first")


@contextmanager
def _monitors(lab: Instance) -> Iterator[list[Monitor]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Monitor(lab.monitor(host), _SAVE_S)) for host in _LAST_FIRST]


@contextmanager
def _frozen(monitors: list[Monitor]) -> Iterator[None]:
    try:
        for host, monitor in zip(MACHINES, reversed(monitors), strict=True):
            _stop(host, monitor)
        yield
    finally:
        for monitor in monitors:
            monitor.execute("cont")


def _stop(host: Host, monitor: Monitor) -> None:
    """Stop a machine between two stretches of its guest: QEMU does not load an emulated CPU saved within one."""
    for _ in range(_STOPS):
        monitor.execute("stop")
        registers = str(monitor.execute("human-monitor-command", **{"command-line": "info registers -a"}))
        if host.kind != "xen" or not in_guest(registers):
            return
        monitor.execute("cont")
        time.sleep(_BETWEEN_STOPS_S)
    raise LabError(f"{host.name} is always within its guest: take the snapshot while the guest has less to do")


def in_guest(registers: str) -> bool:
    """Whether one of a Xen host's CPUs runs a guest of its own mode (SVM): then its interrupt table is not Xen's.

    `registers` is what QEMU prints for `info registers -a`; Xen keeps its tables in the range of addresses that is
    its own under every guest (xen/arch/x86/include/asm/config.h).
    """
    tables = [int(base, 16) for base in re.findall(r"^IDT= +([0-9a-f]{16}) ", registers, re.MULTILINE)]
    return not all(base in _XEN_ADDRESSES for base in tables)
