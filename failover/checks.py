"""Checks of settings: in, a key and its value; out, a ValueError that names both where it cannot be used."""

from collections.abc import Sequence
from typing import Final

_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")
_LONGEST_NAME: Final = 64


def name(key: str, value: str) -> None:
    """Names become file names and words of command lines."""
    if not 0 < len(value) <= _LONGEST_NAME or not _WORD.issuperset(value) or value[0] in "-.+":
        raise ValueError(f"{key}: {value!r} is not a name of letters, digits and _ . + -, {_LONGEST_NAME} at most")


def within(key: str, value: float, least: float, most: float) -> None:
    """NaN is not."""
    if not least <= value <= most:
        raise ValueError(f"{key}: {value!r} is not within {least:g} and {most:g}")


def once(kind: str, names: Sequence[str]) -> None:
    """No name is there twice."""
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{kind} {name} is there twice")
