"""Containers: in, an instance, a host and the images; out, a booted systemd-nspawn at native speed and low weight."""

import signal
from pathlib import Path
from typing import Final

from lab import processes
from lab.commands import run
from lab.image.build import Images
from lab.landscape import Host, Instance
from lab.machine import pid_file
from lab.processes import Process

_SHARES: Final = 256  # a quarter of what each emulated machine gets, so that load does not starve heartbeats
_NICE: Final = 10  # where there are no control groups
_END_S: Final = 15
_CONTROLLERS: Final = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))


def start(lab: Instance, host: Host, images: Images) -> Process:
    """Boot a host that is not running."""
    _mount(lab, host, images)
    namespace = f"--network-namespace-path=/run/netns/{lab.namespace_of(host)}"
    words = ["systemd-nspawn", "--quiet", f"--directory={lab.root(host)}", "--boot", "--register=no", "--keep-unit"]
    words += [
        f"--machine={lab.namespace_of(host)}",
        f"--hostname={host.name}",
        namespace,
        "--kill-signal=SIGRTMIN+3",
        "--console=pipe",
    ]
    return processes.start([*_lighten(_group(lab)), *words], pid_file(lab, host), lab.log(host))


def find(lab: Instance, host: Host) -> Process | None:
    """The nspawn of a host while it runs."""
    return processes.find(pid_file(lab, host))


def stop(lab: Instance, host: Host, *, at_once: bool = False) -> None:
    """End a host, by itself or like a power cut; its files stay."""
    process = find(lab, host)
    if process and not (not at_once and process.kill(signal.SIGTERM, _END_S)):
        process.kill(signal.SIGKILL, _END_S)  # nspawn's end is its container's
    if lab.root(host).is_mount():
        run("umount", lab.root(host))


def forget(lab: Instance) -> None:
    """Remove the control group, once nothing is in it."""
    group = _group(lab)
    if group:
        for folder in sorted(group.rglob("*/"), reverse=True):
            folder.rmdir()
        group.rmdir()


def _mount(lab: Instance, host: Host, images: Images) -> None:
    upper, work = lab.state / host.name / "upper", lab.state / host.name / "work"
    for folder in (upper / "etc", work, lab.root(host)):
        folder.mkdir(parents=True, exist_ok=True)
    (upper / "etc/hostname").write_text(f"{host.name}\n")
    if not lab.root(host).is_mount():
        options = f"lowerdir={images.root},upperdir={upper},workdir={work}"
        run("mount", "-t", "overlay", f"hefery-{lab.name}-{host.name}", "-o", options, lab.root(host))


def _group(lab: Instance) -> Path | None:
    for controller in _CONTROLLERS:
        for weight, value in (("cpu.shares", _SHARES), ("cpu.weight", _SHARES * 100 // 1024)):
            group = controller / lab.namespace
            try:
                group.mkdir(exist_ok=True)
                (group / weight).write_text(str(value))
            except OSError:
                continue
            return group
    return None


def _lighten(group: Path | None) -> list[str]:
    """Words before a command that give it and its children less weight than a machine has."""
    enter = f"echo $$ >{group}/cgroup.procs && " if group else ""
    return ["sh", "-c", f'{enter}exec nice -n {_NICE} "$@"', "sh"]
