"""A host's session, one Python for all its calls: in, `NUMBER WORDS`, a line each; out, `NUMBER ANSWER`, as they come.

To start Python for a call takes an emulated server a second or two, for which a takeover waits.
"""

import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

Obey = Callable[[list[str]], dict[str, Any]]


class Lines(Protocol):
    """Where answers go."""

    def write(self, text: str, /) -> object:
        """A line of it."""
        ...

    def flush(self) -> object:
        """Have it on its way."""
        ...


def serve(calls: Iterable[str], answers: Lines, obey: Obey) -> None:
    """Until the calls end, or another version is installed; those that are under way are answered first."""
    one_at_a_time, program = threading.Lock(), _program()

    def do(number: str, words: list[str]) -> None:
        try:
            answer = obey(words)
        except Exception as error:  # noqa: BLE001 - one call's trouble must not be silence, which ends the session of all
            answer = {"answer": "failed", "reason": repr(error)}
        line = f"{number} {json.dumps(answer)}\n"
        with one_at_a_time, suppress(OSError, ValueError):  # nobody may hear it any more
            answers.write(line)
            answers.flush()

    for call in calls:
        if not call.endswith("\n"):
            return  # it was cut off, and its epoch may be
        number, *words = call.rstrip("\n").split(" ")
        threading.Thread(target=do, args=(number, words)).start()  # one guest's disk is not another's
        if _program() != program:
            return


def _program() -> int:
    """Another where a module was replaced."""
    return max(path.stat().st_mtime_ns for path in Path(__file__).parent.glob("*.py"))
