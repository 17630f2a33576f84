"""What a failed trial leaves behind: in, a site; out, what its hosts say, in files beside the trial's other logs."""

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from lab import remote
from lab.landscape import HOSTS, Host, Instance

_LIMIT_S: Final = 30
_HYPERVISORS: Final = "xl list; xl dmesg | tail -50; tail -c 20000 /var/log/xen/console/guest-*.log; "
_JOURNAL: Final = "journalctl --no-pager --output short-precise --since -10min | tail -500"
_OURS: Final = re.compile(r" (hefery|remus|xl)[^ ]*\[\d+\]: (?!xc: (info|progress))")
_LINES: Final = 8
_COMMANDS: Final = {"a": _HYPERVISORS + _JOURNAL, "b": _HYPERVISORS + _JOURNAL, "m": _JOURNAL}


def collect(lab: Instance, folder: Path) -> None:
    """Ask all that can be asked; a host that is silent leaves no file."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: _ask(lab, HOSTS[name], folder), _COMMANDS))


def excerpt(folder: Path) -> Iterator[str]:
    """Of each host the last that our own services said, for where the files themselves cannot be had."""
    for name in _COMMANDS:
        path = folder / f"{name}.txt"
        said = path.read_text(errors="replace").splitlines() if path.exists() else []
        yield from [line for line in said if _OURS.search(line)][-_LINES:]


def _ask(lab: Instance, host: Host, folder: Path) -> None:
    words = remote.ssh(lab, host, _COMMANDS[host.name])
    try:
        said = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return
    if said.stdout:
        (folder / f"{host.name}.txt").write_bytes(said.stdout)
