"""Which domains have their primary on this host: in, its processes or the configuration; out, the domains' names."""

import getopt
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

from agent.order import is_domain_name
from agent.xenstore import Xenstore, XenstoreFailed
from telemetry import files

_XL_OPTIONS = "vfNtT"
"""Of xl itself, before the command (xl(1))."""

_REMUS_OPTIONS = "Fbundi:s:N:ecp"
"""Of `xl remus`, in all versions from 4.2 on (xl(1)); a colon marks an option with a value."""

_STATE, _STARTED = 0, 19
"""Fields of /proc/PID/stat after the name, which may hold anything (proc(5))."""
_ENDED = (b"Z", b"X")


@dataclass(frozen=True)
class _Process:
    """When it `started`, in clock ticks since boot, tells a process from a later one of the same number."""

    pid: int
    started: bytes


class Primary(Protocol):
    """Tells whose primary this host is."""

    def domains(self) -> frozenset[str]:
        """The names of the domains that are replicated from here now."""
        ...


class AssumedPrimary:
    """The configured domains, for machines without Xen."""

    def __init__(self, domains: Sequence[str]) -> None:
        self._domains = frozenset(domains)

    def domains(self) -> frozenset[str]:
        """The configured domains, whatever runs."""
        return self._domains


class RemusPrimary:
    """Domains whose `xl remus` is alive here, of those in `only` where that names any.

    Known processes are looked at in every call; new ones are looked for every `scan_s`, as that is a walk through all
    of /proc: until it is found, a new replication is left to its pacer's own caution.
    """

    def __init__(
        self, only: Sequence[str] = (), scan_s: float = 5.0, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._only = frozenset(only)
        self._scan_s = scan_s
        self._monotonic_s = monotonic_s
        self._scanned_s = -float("inf")
        self._found: Mapping[_Process, str] = {}

    def domains(self) -> frozenset[str]:
        """The domains that are replicated from here now."""
        if self._monotonic_s() >= self._scanned_s + self._scan_s:
            self._found = _scan(self._found)
            self._scanned_s = self._monotonic_s()
        alive = frozenset(domain for process, domain in self._found.items() if _living(process.pid) == process)
        return alive & self._only if self._only else alive


def remus_domain(command: Sequence[str]) -> str | None:
    """DOMAIN, name or number, of a command line `xl [options] remus [options] DOMAIN HOST`; None for another."""
    try:
        _, rest = getopt.getopt(list(command[1:]), _XL_OPTIONS)
        if not rest or rest[0] != "remus" or PurePath(command[0]).name != "xl":
            return None
        _, operands = getopt.gnu_getopt(rest[1:], _REMUS_OPTIONS)
    except getopt.GetoptError:
        return None
    return operands[0] if len(operands) == 2 and is_domain_name(operands[0]) else None


def _scan(known: Mapping[_Process, str]) -> dict[_Process, str]:
    """Every replication, and its domain; what is `known` is not asked again."""
    pids = (int(entry.name) for entry in os.scandir("/proc") if entry.name.isdecimal())
    living = (process for pid in pids if (process := _living(pid)) is not None)
    found = ((process, known.get(process) or _domain_of(process.pid)) for process in living)
    return {process: domain for process, domain in found if domain is not None}


def _domain_of(pid: int) -> str | None:
    domain = remus_domain([os.fsdecode(word) for word in _read(pid, "cmdline").split(b"\0")[:-1]])
    # xl takes all digits for a number, even where a domain is named so (libxl_domain_qualifier_to_domid)
    return _name_of(domain) if domain is not None and domain.isdecimal() else domain


def _name_of(domid: str) -> str | None:
    """The name of the domain with this number; None where xenstore does not tell it."""
    try:
        with closing(Xenstore()) as xenstore:
            name = xenstore.read(f"/local/domain/{domid}/name")
    except XenstoreFailed:
        return None
    return name if name is not None and is_domain_name(name) else None


def _living(pid: int) -> _Process | None:
    """The xl of this number, unless it has ended: a zombie only waits for somebody to fetch its exit code.

    A child that xl has forked is called so, too, until it becomes the transport: then it no longer is.
    """
    name, _, rest = _read(pid, "stat").rpartition(b")")
    fields = rest.split()
    is_living = name.endswith(b" (xl") and fields[_STATE] not in _ENDED
    return _Process(pid, fields[_STARTED]) if is_living else None


def _read(pid: int, name: str) -> bytes:
    """A file of a process in /proc, empty where there is none."""
    try:
        return files.read_bytes(f"/proc/{pid}/{name}") or b""
    except OSError:
        return b""
