"""Whether the labs' folder may go: in, that folder; out, nothing, or one sentence naming what is up and how to end it.

usage: python3 -m lab.idle. Only the standard library is needed: .venv may have gone before.
"""

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lab import network
from lab.errors import LabError
from lab.landscape import DEFAULT, STATES, Instance, instance


def check(states: Path = STATES) -> None:
    """Raises LabError where an instance that has its state there is up, all of it or a part."""
    up = [_sentence(lab.name, states) for lab in _instances(states) if network.exists(lab)]
    if up:
        raise LabError("; ".join(up))


def _sentence(name: str, states: Path) -> str:
    which = "" if name == DEFAULT else f"HEFERY_LAB={name} "
    return f"{name} is up, with its files in {states / name}: end it with `{which}make lab-down` first"


def _instances(states: Path) -> Iterator[Instance]:
    for path in sorted(states.glob("*/")):
        with suppress(LabError):  # a folder of logs, with a name that no instance can have
            yield instance({"HEFERY_LAB": path.name})


if __name__ == "__main__":
    try:
        check()
    except LabError as error:
        sys.exit(f"lab: {error}")
