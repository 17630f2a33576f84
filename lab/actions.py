"""What can be done to an instance: up, down, kill, snapshot and restore; each may be said again."""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lab import acceleration, boot, container, machine, network, processes, remote, requirements, snapshots
from lab.commands import run
from lab.errors import LabError
from lab.image.build import Images, images
from lab.landscape import CONTAINERS, HOSTS, MACHINES, ROOT, Host, Instance
from lab.progress import say, step

_END_S: Final = 10
_KEPT_S: Final = 30 * 86_400


def build(lab: Instance) -> Path:
    """The folder of the images for today's inputs, built where the cache has none. Raises LabError."""
    requirements.check(lab.cache)
    return images(lab).folder


def up(lab: Instance) -> None:
    """Start what is not running, and wait until every host has booted. Raises LabError."""
    requirements.check(lab.cache)
    with _alone(lab):
        down = {name for name, host in HOSTS.items() if not machine.find(lab, host)}
        if len(down) < len(HOSTS) and not _note(lab).exists():
            raise LabError(f"{lab.state} was deleted while hosts run: `python -m lab down`, then `up` makes new ones")
        if not down and network.exists(lab):
            say("all is up")
            return
        requirements.check_memory(down)
        built = _images(lab)
        lab.state.mkdir(parents=True, exist_ok=True)
        network.create(lab)
        remote.write_config(lab, built)
        if lab.plain and not processes.find(_proxy(lab)):
            serve = [sys.executable, "-m", "lab.proxy", lab.namespace, f"{lab.cache / 'packages'}"]
            processes.start(["env", f"--chdir={ROOT}", *serve], _proxy(lab), lab.state / "proxy.log")
        for host in HOSTS.values():
            if host.name in down:
                _start(lab, host, built)
        with step(f"booting {', '.join(sorted(down))}"):
            boot.wait(lab, down)
        remote.set_clocks(lab)
    say(f"ssh -F {remote.config(lab)} a")


def down(lab: Instance) -> None:
    """End all hosts and take the network away; disks and logs stay in the instance's state."""
    with _alone(lab):
        for host in MACHINES:
            kill(lab, host)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda host: container.stop(lab, host), CONTAINERS))
        container.forget(lab)
        proxy = processes.find(_proxy(lab))
        if proxy:
            proxy.kill(signal.SIGKILL, _END_S)
        network.remove(lab)
        run("rm", "-rf", "--one-file-system", lab.run)


def forget(lab: Instance) -> None:
    """Down, and throw the disks away: the next `up` starts from fresh images."""
    down(lab)
    run("rm", "-rf", lab.state)


def kill(lab: Instance, host: Host) -> None:
    """A power cut: no host is told, no connection is ended. `up` boots it again from its disk."""
    process = machine.find(lab, host)
    if host.kind == "container":
        container.stop(lab, host)
    elif process and not process.kill(signal.SIGKILL, _END_S):
        raise LabError(f"{host.name}: process {process.pid} cannot be killed: look with `ps {process.pid}`")


def snapshot(lab: Instance, name: str) -> None:
    """Save all machines as they are at one moment, under `name`."""
    with _alone(lab), step(f"snapshot {name}"):
        down = [host.name for host in MACHINES if not machine.find(lab, host)]
        if down:
            raise LabError(f"{', '.join(down)} must run to be in a snapshot: `python -m lab up` first")
        snapshots.save(lab, name)


def restore(lab: Instance, name: str) -> None:
    """Start all machines again as they were saved under `name`, whatever has become of them; containers stay."""
    with _alone(lab), step(f"restore {name}"):
        snapshots.require(lab, name)
        built = _images(lab)
        network.create(lab)
        for host in CONTAINERS:
            if not machine.find(lab, host):
                _start(lab, host, built)
        snapshots.restore(lab, name, built, acceleration.accelerator(lab, built))


def _images(lab: Instance) -> Images:
    """The build that the disks of this instance began with, else today's."""
    note = _note(lab)
    if note.exists() and Path(note.read_text()).exists():
        Path(note.read_text()).touch()  # in use: see unused()
        return Images(Path(note.read_text()))
    built = images(lab)
    for old in unused(lab.cache, time.time()):
        say(f"removing {old}, not used for long")
        run("rm", "-rf", old)
    run("rm", "-rf", lab.state)
    lab.state.mkdir(parents=True)
    note.write_text(str(built.folder))
    if os.environ.get("LAB_BASE") == "plain":
        (lab.state / "plain").touch()
    return built


def unused(cache: Path, now: float) -> list[Path]:
    """Builds in the cache that no instance has been started from for a month."""
    return [path for path in cache.iterdir() if (path / "boot").exists() and now - path.stat().st_mtime > _KEPT_S]


def _note(lab: Instance) -> Path:
    return lab.state / "images"


def _proxy(lab: Instance) -> Path:
    return lab.run / "proxy.pid"


def _start(lab: Instance, host: Host, built: Images) -> None:
    if host.kind == "container":
        container.start(lab, host, built)
    else:
        machine.create_disk(lab, host, built)
        machine.start(lab, host, built, acceleration.accelerator(lab, built))


@contextmanager
def _alone(lab: Instance) -> Iterator[None]:
    """One command at a time changes an instance."""
    lab.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    with lab.run.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(f"another command is changing lab {lab.name}: wait for it to end") from None
        yield
