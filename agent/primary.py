"""Which domains have their primary on this host: in, its processes or the configuration; out, the domains' names."""

import getopt
import time
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Protocol

import psutil

from agent import files
from agent.order import is_domain_name

_XL_OPTIONS = "vfNtT"
"""Of xl itself, before the command (xl(1))."""

_REMUS_OPTIONS = "Fbundi:s:N:ecp"
"""Of `xl remus`, in all versions from 4.2 on (xl(1)); a colon marks an option with a value."""


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
        self._found: list[tuple[psutil.Process, str]] = []

    def domains(self) -> frozenset[str]:
        """The domains that are replicated from here now."""
        if self._monotonic_s() >= self._scanned_s + self._scan_s:
            self._found = _scan()
            self._scanned_s = self._monotonic_s()
        alive = frozenset(domain for process, domain in self._found if _is_alive(process))
        return alive & self._only if self._only else alive


def remus_domain(command: Sequence[str]) -> str | None:
    """The DOMAIN of a command line `xl [options] remus [options] DOMAIN HOST`; None when it is another command."""
    try:
        _, rest = getopt.getopt(list(command[1:]), _XL_OPTIONS)
        if not rest or rest[0] != "remus" or PurePath(command[0]).name != "xl":
            return None
        _, operands = getopt.gnu_getopt(rest[1:], _REMUS_OPTIONS)
    except getopt.GetoptError:
        return None
    return operands[0] if len(operands) == 2 and is_domain_name(operands[0]) else None


def _scan() -> list[tuple[psutil.Process, str]]:
    """Every replication; only of processes called xl more than the name is asked, as there are very many others."""
    found = (_replication_of(pid) for pid in psutil.pids() if _name_of(pid) == "xl\n")
    return [replication for replication in found if replication is not None]


def _name_of(pid: int) -> str | None:
    try:
        return files.read(f"/proc/{pid}/comm")
    except (OSError, UnicodeError):
        return None


def _replication_of(pid: int) -> tuple[psutil.Process, str] | None:
    try:
        process = psutil.Process(pid)
        domain = remus_domain(process.cmdline())
    except psutil.Error:
        return None
    return None if domain is None else (process, domain)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
