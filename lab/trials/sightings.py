"""What was seen of the guest from outside: in, logs of the wire and of a client; out, frames and answers.

All logs are text, one line a sighting, times in nanoseconds of this machine's wall clock:

    a 1764000000123456789 517 0a1b2c3d       (wire)   host, time, counter and boot of a tick; `- -` for another frame
    1764000000120000000 1764000000123456789 517 0a1b2c3d    (answers)  asked, answered, counter, boot
    a 1764000000123456789                 (writes)  host, time of the server's yes to a WRITE
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Frame:
    """A frame with the guest's source address that came in from `host`; `counter` and `boot` where it was a tick."""

    host: str
    time_ns: int
    counter: int | None = None
    boot: str | None = None

    def line(self) -> str:
        """As it stands in the log."""
        return f"{self.host} {self.time_ns} {'-' if self.counter is None else self.counter} {self.boot or '-'}\n"


@dataclass(frozen=True)
class Answer:
    """An answer of the guest's HTTP server: when its connection was begun, when it was read, what it said."""

    asked_ns: int
    answered_ns: int
    counter: int
    boot: str

    def line(self) -> str:
        """As it stands in the log."""
        return f"{self.asked_ns} {self.answered_ns} {self.counter} {self.boot}\n"


@dataclass(frozen=True)
class Write:
    """A write to the guest's disk that the server has accepted from `host`."""

    host: str
    time_ns: int

    def line(self) -> str:
        """As it stands in the log."""
        return f"{self.host} {self.time_ns}\n"


def read_writes(path: Path) -> list[Write]:
    """All writes of a log. Raises ValueError with the line that is none."""
    return [_write(line) for line in _lines(path)]


def read_frames(path: Path) -> list[Frame]:
    """All frames of a log. Raises ValueError with the line that is none."""
    return [_frame(line) for line in _lines(path)]


def read_answers(path: Path) -> list[Answer]:
    """All answers of a log. Raises ValueError with the line that is none."""
    return [_answer(line) for line in _lines(path)]


def ticks(frames: Sequence[Frame], host: str | None = None) -> list[tuple[int, int]]:
    """Time and counter of the ticks (from `host` alone, where one is named), in the order seen."""
    return [(f.time_ns, f.counter) for f in frames if f.counter is not None and host in {None, f.host}]


def _lines(path: Path) -> list[str]:
    """The whole lines: the last one may still be on its way."""
    return path.read_text(encoding="ascii").rpartition("\n")[0].splitlines()


def _frame(line: str) -> Frame:
    try:
        host, time_ns, counter, boot = line.split()
        return Frame(host, int(time_ns)) if counter == "-" else Frame(host, int(time_ns), int(counter), boot)
    except ValueError as error:
        raise ValueError(f"not a frame: {line!r}") from error


def _answer(line: str) -> Answer:
    try:
        asked_ns, answered_ns, counter, boot = line.split()
        return Answer(int(asked_ns), int(answered_ns), int(counter), boot)
    except ValueError as error:
        raise ValueError(f"not an answer: {line!r}") from error


def _write(line: str) -> Write:
    try:
        host, time_ns = line.split()
        return Write(host, int(time_ns))
    except ValueError as error:
        raise ValueError(f"not a write: {line!r}") from error
