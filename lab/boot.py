"""Booting: in, an instance and hosts that were started; out, the moment when each has booted, or why one has not."""

import subprocess
import time
from pathlib import Path
from typing import Final

from lab import machine, remote
from lab.errors import LabError
from lab.landscape import HOSTS, Host, Instance
from lab.progress import say

_BOOT_S: Final = 400
_POLL_S: Final = 0.2
_LOG_LINES: Final = 15


def wait(lab: Instance, names: set[str]) -> None:
    """Until each host has booted: xen.service may still be at work when its sshd greets. Raises LabError."""
    began, asking = time.monotonic(), dict[str, subprocess.Popen[bytes]]()
    try:
        while names:
            for name in sorted(names):
                _refuse_fault(lab, HOSTS[name], time.monotonic() - began)
                child = asking.get(name)
                if child is None or child.poll():
                    asking[name] = _ask(lab, HOSTS[name])
                elif child.returncode == 0:
                    say(f"{name} is up after {time.monotonic() - began:.0f} s")
                    names = names - {name}
            time.sleep(_POLL_S)
    finally:
        for child in asking.values():
            child.kill()
            child.wait()


def _refuse_fault(lab: Instance, host: Host, waited_s: float) -> None:
    fault = "" if machine.find(lab, host) else "ended while it booted"
    if waited_s > _BOOT_S:
        fault = f"has not booted in {_BOOT_S} s"
    if fault:
        raise LabError(f"{host.name} {fault}, see {lab.log(host)}:\n{_tail(lab.log(host))}")


def _ask(lab: Instance, host: Host) -> subprocess.Popen[bytes]:
    words = remote.ssh(lab, host, "systemctl is-system-running --wait; true")
    nothing = subprocess.DEVNULL
    return subprocess.Popen(words, stdin=nothing, stdout=nothing, stderr=nothing)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
