"""Snapshots: in, an instance and a name; out, all machines frozen at one moment, or started again from it."""

import json
import re
import signal
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
            for monitor in monitors:
                monitor.execute("cont")
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
        for monitor in reversed(monitors):
            monitor.execute("stop")
        yield
    finally:
        for monitor in monitors:
            monitor.execute("cont")
