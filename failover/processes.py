"""Processes of this host: in, what is looked for; out, their numbers, and an end to them that cannot miss."""

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import Final

_STARTED: Final = 19
"""Field of /proc/PID/stat after the name (proc(5))."""
_PARENT: Final = 1
_END_LIMIT_S: Final = 10.0
_WITH_A_VALUE: Final = frozenset({"-i", "-s", "-N"})
"""Options of `xl remus` that have a word of their own (xl(1))."""


@dataclass(frozen=True)
class Process:
    """When it `started`, in clock ticks since boot, tells a process from a later one of the same number."""

    pid: int
    started: int


def this_process() -> Process:
    """The caller's own."""
    return living(os.getpid()) or Process(os.getpid(), 0)


def living(pid: int) -> Process | None:
    """The process of this number, unless it has ended."""
    fields = _stat(pid)
    return Process(pid, int(fields[_STARTED])) if fields and fields[0] not in {b"Z", b"X"} else None


def children(pid: int) -> list[Process]:
    """Living children of a process."""
    return _where(lambda other: _parent(other) == pid)


def marked(name: str, value: str) -> list[Process]:
    """Processes with this variable in the environment that they were started with."""
    return _where(lambda pid: _environment(pid, name) == value)


def remus_of(domain: str) -> list[Process]:
    """Every `xl ... remus [OPTIONS] DOMAIN HOST`."""
    return _where(lambda pid: _is_remus(_command(pid), domain))


def sender_of(domain: str) -> list[Process]:
    """Every `hefery-remus send --domain DOMAIN`."""
    return _where(lambda pid: _is_sender(_command(pid), domain))


def helpers_of(domain: str) -> list[Process]:
    """Every libxl-save-helper of the domain's replication: children of its xl, and what a dead one has left.

    The latter are known by what remus@.service gives to all that it starts.
    """
    parents = {xl.pid for xl in remus_of(domain)}
    return _where(lambda pid: _is_helper(_command(pid)) and (_parent(pid) in parents or _unit_of(pid) == domain))


def receiving(without: str) -> list[Process]:
    """Every `xl migrate-receive` that was started without this variable in its environment."""
    return _where(lambda pid: _is_xl(_command(pid), "migrate-receive") and not _environment(pid, without))


def kill(processes: Sequence[Process]) -> list[Process]:
    """End them by SIGKILL and see that they have; those that did not end within 10 s."""
    told = [(process, descriptor) for process in processes if (descriptor := _open(process)) is not None]
    left = []
    try:
        for _, descriptor in told:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        deadline_s = time.monotonic() + _END_LIMIT_S
        left = [process for process, descriptor in told if not _ended(descriptor, deadline_s)]
    finally:
        for _, descriptor in told:
            os.close(descriptor)
    return left


def wait_until(condition: Callable[[], bool], limit_s: float, period_s: float = 0.1) -> bool:
    """Whether it came true within the limit."""
    deadline_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(period_s)
    return True


def _open(process: Process) -> int | None:
    """A descriptor of exactly this process; None where it has ended."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    if living(process.pid) == process:  # looked at after it was opened: so it is this one
        return descriptor
    os.close(descriptor)
    return None


def _ended(descriptor: int, deadline_s: float) -> bool:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(max(deadline_s - time.monotonic(), 0) * 1000))


def _is_remus(command: list[str], domain: str) -> bool:
    return _is_xl(command, "remus") and _operands(command[command.index("remus") + 1 :])[:1] == [domain]


def _operands(words: list[str]) -> list[str]:
    """Without options: a domain may be called as a value of theirs."""
    operands, is_value = [], False
    for word in words:
        if is_value:
            is_value = False
        elif word.startswith("-"):
            is_value = word in _WITH_A_VALUE
        else:
            operands.append(word)
    return operands


def _is_xl(command: list[str], verb: str) -> bool:
    return bool(command) and PurePath(command[0]).name == "xl" and verb in command


def _is_sender(command: list[str], domain: str) -> bool:
    words = [PurePath(word).name for word in command[:3]]
    return "hefery-remus" in words and "send" in command and ("--domain", domain) in pairwise(command)


def _is_helper(command: list[str]) -> bool:
    return bool(command) and PurePath(command[0]).name == "libxl-save-helper"


def _unit_of(pid: int) -> str:
    """The domain whose remus@.service has started it."""
    return PurePath(_environment(pid, "HEFERY_PACER_DIRECTORY")).name


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[_PARENT]) if fields else None


def _environment(pid: int, name: str) -> str:
    """A variable that the process was started with; empty where it has none."""
    start = f"{name}=".encode()
    words = _read(pid, "environ").split(b"\0")
    return next((os.fsdecode(word.removeprefix(start)) for word in words if word.startswith(start)), "")


def _where(matches: Callable[[int], bool]) -> list[Process]:
    """Living processes whose number `matches`; that is asked first, as most do not, and every file costs time."""
    pids = (int(entry.name) for entry in os.scandir("/proc") if entry.name.isdecimal())
    return [process for pid in pids if matches(pid) and (process := living(pid)) is not None]


def _command(pid: int) -> list[str]:
    return [os.fsdecode(word) for word in _read(pid, "cmdline").split(b"\0")[:-1]]


def _stat(pid: int) -> list[bytes]:
    """Fields after the name, which may hold anything; none where the process is gone."""
    return _read(pid, "stat").rpartition(b")")[2].split()


def _read(pid: int, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:  # noqa: PTH123 - a Path for each costs as much again
            return file.read()
    except OSError:
        return b""
