"""Containers: in, an instance, a host and the images; out, a booted systemd-nspawn at native speed and low weight."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from lab import processes
from lab.commands import run
from lab.errors import LabError
from lab.image.build import Images
from lab.landscape import CONTAINERS, Host, Instance
from lab.machine import pid_file
from lab.processes import Process, wait

_WEIGHTS: Final = {"cpu.shares": 256, "cpu.weight": 25}
"""A quarter of what each emulated machine gets, so that load does not starve heartbeats."""
_NICE: Final = 10  # where there are no control groups
_END_S: Final = 15
_HIERARCHIES: Final = [Path("/sys/fs/cgroup", name) for name in ("", "unified", "systemd", "cpu")]


def start(lab: Instance, host: Host, images: Images) -> Process:
    """Boot a host that is not running."""
    _mount(lab, host, images)
    namespace = f"--network-namespace-path=/run/netns/{lab.namespace_of(host)}"
    words = ["systemd-nspawn", "--quiet", f"--directory={lab.root(host)}", "--boot", "--register=no", "--keep-unit"]
    words += [f"--machine={lab.namespace_of(host)}", f"--hostname={host.name}", namespace, "--console=pipe"]
    return processes.start([*_apart(lab, host), *words], pid_file(lab, host), lab.log(host))


def find(lab: Instance, host: Host) -> Process | None:
    """The nspawn of a host while it runs."""
    return processes.find(pid_file(lab, host))


def stop(lab: Instance, host: Host) -> None:
    """End a host like a power cut; its files stay. Raises LabError."""
    process = find(lab, host)
    if process:
        # its init: nothing in its process namespace outlives that, but all of it would outlive nspawn
        for child in _children(process):
            os.kill(child, signal.SIGKILL)
        if not wait(lambda: not process.alive, _END_S) and not process.kill(signal.SIGKILL, _END_S):
            raise LabError(f"{host.name}: process {process.pid} cannot be killed: look with `ps {process.pid}`")
    _unmount(lab, host)


def _children(process: Process) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def forget(lab: Instance) -> None:
    """Remove the control groups, once the last process has left them. Raises LabError where one stays."""
    for group in (group for host in CONTAINERS for group in _groups(lab, host) if group.exists()):
        if not wait(lambda group=group: _removed(group), _END_S):  # type: ignore[misc] # binds this turn's group
            raise LabError(f"processes of lab {lab.name} do not end: look at {group}/cgroup.procs, then `down` again")


def _removed(group: Path) -> bool:
    try:
        for folder in sorted(group.rglob("*/"), reverse=True):
            folder.rmdir()
        group.rmdir()
    except OSError:  # busy
        return False
    return True


def _mount(lab: Instance, host: Host, images: Images) -> None:
    upper, work = lab.state / host.name / "upper", lab.state / host.name / "work"
    for folder in (upper / "etc", work, lab.root(host)):
        folder.mkdir(parents=True, exist_ok=True)
    (upper / "etc/hostname").write_text(f"{host.name}\n")
    _unmount(lab, host)  # what stayed of a nspawn that was killed may show files that were deleted since
    options = f"lowerdir={images.root},upperdir={upper},workdir={work}"
    run("mount", "-t", "overlay", lab.namespace_of(host), "-o", options, lab.root(host))


def _unmount(lab: Instance, host: Host) -> None:
    if lab.root(host).is_mount():
        run("umount", lab.root(host))


def _groups(lab: Instance, host: Host) -> list[Path]:
    """A host's group in each hierarchy: its systemd must not meet another's processes in one called the same."""
    return [root / lab.namespace_of(host) for root in _HIERARCHIES if (root / "cgroup.procs").exists()]


def _apart(lab: Instance, host: Host) -> list[str]:
    """Words before a command that put it and its children into the host's groups, of less weight than a machine."""
    entered = []
    for group in _groups(lab, host):
        with suppress(OSError):  # control groups that are not ours to make: niceness must do
            group.mkdir(exist_ok=True)
            entered.append(f"{group}/cgroup.procs")
            for name, weight in _WEIGHTS.items():
                if (group / name).exists():
                    (group / name).write_text(str(weight))
    enter = f"echo $$ | tee {' '.join(entered)} >/dev/null; " if entered else ""
    return ["sh", "-c", f'{enter}exec nice -n {_NICE} "$@"', "sh"]
