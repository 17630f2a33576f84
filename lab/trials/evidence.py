"""What a failed trial leaves behind: in, a site; out, what its hosts say, in files beside the trial's other logs."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from lab import remote
from lab.landscape import HOSTS, Host, Instance

_LIMIT_S: Final = 30
_HYPERVISORS: Final = "xl list; xl dmesg | tail -50; tail -c 20000 /var/log/xen/console/guest-*.log; "
_JOURNAL: Final = "journalctl --no-pager --output short-precise --since -10min | tail -500"
_COMMANDS: Final = {"a": _HYPERVISORS + _JOURNAL, "b": _HYPERVISORS + _JOURNAL, "m": _JOURNAL}


def collect(lab: Instance, folder: Path) -> None:
    """Ask all that can be asked; a host that is silent leaves no file."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: _ask(lab, HOSTS[name], folder), _COMMANDS))


def _ask(lab: Instance, host: Host, folder: Path) -> None:
    words = remote.ssh(lab, host, _COMMANDS[host.name])
    try:
        said = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return
    if said.stdout:
        (folder / f"{host.name}.txt").write_bytes(said.stdout)
