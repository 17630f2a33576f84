"""Programs that the demo starts: in, a command; out, a process of its own group that ends with the demo."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_GRACE_S: Final = 8.0
_KEPT_WORDS: Final = 1_000
_ENDED_WITH_PARENT: Final = ("setpriv", "--pdeathsig", "TERM")


class ChildFailed(Exception):
    """A program could not be started, or ended when it should not have; the text says which, in its own words."""


def require(program: str) -> None:
    """Raise ChildFailed unless the program is there."""
    if shutil.which(program) is None:
        raise ChildFailed(f"{program} is not installed; start the demo by make demo, which sees to that")


@dataclass(frozen=True)
class Child:
    """A program under way that writes to the file `log`.

    It leads a session of its own: Ctrl-C in the terminal reaches the demo alone, which then ends every child in order.
    Should the demo be killed, the kernel ends the child.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, command: Sequence[str], log: Path) -> Self:
        """Start the command; raises ChildFailed."""
        for program in (_ENDED_WITH_PARENT[0], command[0]):
            require(program)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*_ENDED_WITH_PARENT, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(Path(command[0]).name, process, log)

    def check(self) -> None:
        """Raise ChildFailed if it has ended."""
        if self.process.poll() is not None:
            raise ChildFailed(f"{self.name} ended with status {self.process.returncode}: {self._last_words()}")

    def _last_words(self) -> str:
        words = self.log.read_text(encoding="utf-8", errors="backslashreplace")[-_KEPT_WORDS:].strip()
        return f"{words} (in {self.log})" if words else f"without a word (in {self.log})"

    def signal(self) -> None:
        """Ask it to end."""
        if self.process.poll() is None:
            self.process.terminate()

    def end(self) -> None:
        """Ask it to end, and where it does not listen, force it and its children."""
        self.signal()
        try:
            self.process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)  # not yet waited for: the group is still its own
            self.process.wait()


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[Child]:
    """A child that has ended when the block has."""
    child = Child.start(command, log)
    try:
        yield child
    finally:
        child.end()
