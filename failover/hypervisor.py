"""Xen itself, without a process to start: in, a domain's number; out, its state, paused or going on, by libxenctrl.

Xen counts pauses: one that goes on was unpaused as often as it was paused. A checkpoint's suspension is counted apart.
"""

import ctypes
import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from errno import EACCES
from pathlib import Path
from typing import Final

from failover.errors import FailoverError

_HEAD: Final = struct.Struct("=HxxI")
"""How xc_domaininfo_t begins in every version (xen_domctl_getdomaininfo of domctl.h): domain, flags."""
_ROOM: Final = 4096
"""Its size differs between versions; it is some hundred bytes."""
_RUNNING: Final = Path("/sys/hypervisor/version")
_SHUT_DOWN: Final = 1 << 2
_PAUSED: Final = 1 << 3
_REASON_SHIFT, _REASON_MASK = 16, 255
_HALTED: Final = frozenset({0, 1})
"""SHUTDOWN_poweroff and SHUTDOWN_reboot of sched.h."""


class HypervisorError(FailoverError):
    """Xen is not there, or says no."""


@dataclass(frozen=True)
class DomainState:
    """Of a domain that is there."""

    is_paused: bool
    """By whomever."""
    has_halted: bool = False
    """It has powered off or asked to be booted anew; it did not crash, and is not suspended."""


class Hypervisor:
    """Keeps the handle open, so that a pause is one system call. Only one thread may use it."""

    def __init__(self) -> None:
        """Raises HypervisorError where this is no Xen host, or the library is of another version than Xen."""
        self._library = _library()
        self._library.xc_interface_open.restype = ctypes.c_void_p
        self._handle = ctypes.c_void_p(self._library.xc_interface_open(None, None, 0))
        if not self._handle:
            raise HypervisorError(f"xc_interface_open: {_problem()}: is this dom0 of a Xen host?")
        self._info = ctypes.create_string_buffer(_ROOM)
        if self._first(0) is None:
            raise HypervisorError("libxenctrl lists no domain, not even domain 0")

    def pause(self, number: int) -> None:
        """Count one pause more; when it returns, none of its virtual CPUs runs. Raises HypervisorError."""
        self._does("xc_domain_pause", number)

    def unpause(self, number: int) -> None:
        """Count one pause less; raises HypervisorError."""
        self._does("xc_domain_unpause", number)

    def state(self, number: int) -> DomainState | None:
        """None where it is not there; raises HypervisorError where nobody can tell."""
        found = self._first(number)
        if found is None or found[0] != number:
            return None
        flags = found[1]
        reason = flags >> _REASON_SHIFT & _REASON_MASK
        return DomainState(bool(flags & _PAUSED), bool(flags & _SHUT_DOWN) and reason in _HALTED)

    def numbers(self) -> frozenset[int]:
        """Of all domains but domain 0; raises HypervisorError."""
        numbers: list[int] = [0]
        while found := self._first(numbers[-1] + 1):
            numbers.append(found[0])
        return frozenset(numbers[1:])

    def _first(self, number: int) -> tuple[int, int] | None:
        """Number and flags of the first domain from `number` on; None where there is none."""
        count = self._library.xc_domain_getinfolist(self._handle, ctypes.c_uint32(number), 1, self._info)
        if count < 0:
            wrong_version = ": it is of another version than the running Xen" if ctypes.get_errno() == EACCES else ""
            raise HypervisorError(f"xc_domain_getinfolist: {_problem()}{wrong_version}")
        return _HEAD.unpack_from(self._info) if count else None

    def _does(self, function: str, number: int) -> None:
        if self._library[function](self._handle, ctypes.c_uint32(number)):
            raise HypervisorError(f"{function}({number}): {_problem()}")


def _library(running: Path = _RUNNING) -> ctypes.CDLL:
    """The one of the running Xen, which is in its name; else of any. To find that takes a slow host a second."""
    with suppress(OSError):
        major, minor = ((running / part).read_text(encoding="ascii").strip() for part in ("major", "minor"))
        return ctypes.CDLL(f"libxenctrl.so.{major}.{minor}", use_errno=True)
    from ctypes import util  # noqa: PLC0415 - imports much, and starts ldconfig

    if (name := util.find_library("xenctrl")) is None:
        raise HypervisorError("libxenctrl is not installed: is this a Xen host?")
    return ctypes.CDLL(name, use_errno=True)


def _problem() -> str:
    return os.strerror(ctypes.get_errno())
