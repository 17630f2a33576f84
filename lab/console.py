"""The console: in, an instance and a machine; out, this terminal on its serial line, network or not."""

import os
import select
import socket
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from lab.errors import LabError
from lab.landscape import Host, Instance
from lab.progress import say

_LEAVE: Final = b"\x1d"  # Ctrl-]
_MOST_BYTES: Final = 4096


def attach(lab: Instance, host: Host) -> None:
    """Hand on what is typed and what is said, until Ctrl-] or the machine's end. Raises LabError."""
    if host.kind == "container":
        raise LabError(f"{host.name} is a container: use `python -m lab ssh {host.name}`; it has said {lab.log(host)}")
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(lab.console(host)))
        except OSError as error:
            raise LabError(f"{host.name} has no console ({error}): `python -m lab status` shows what runs") from None
        say(f"console of {host.name}, logged in {lab.log(host)}: Ctrl-] leaves, Enter shows a prompt")
        with _raw_terminal():
            _hand_on(line)


def _hand_on(line: socket.socket) -> None:
    typed = sys.stdin.fileno()
    while True:
        ready, _, _ = select.select([line, typed], [], [])
        if line in ready:
            said = line.recv(_MOST_BYTES)
            if not said:
                return
            os.write(sys.stdout.fileno(), said)
        if typed in ready:
            keys = os.read(typed, _MOST_BYTES)
            if not keys or _LEAVE in keys:
                return
            line.sendall(keys)


@contextmanager
def _raw_terminal() -> Iterator[None]:
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
