"""Who owns a guest's disk, by which epoch: in, a folder; out, a record that outlives a crash of the server."""

import json
import os
from pathlib import Path
from typing import Final, NamedTuple

from fence.errors import Failed

_REMEDY: Final = "nobody may write until an operator who knows that the guest runs nowhere has removed this file"


class Record(NamedTuple):
    """`host` is the one that called under `epoch`, the highest so far."""

    host: str
    epoch: int


def read(state: Path, guest: str) -> Record | None:
    """None where nothing is written down; raises Failed where it cannot be read."""
    path = state / f"{guest}.json"
    try:
        return _parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, RecursionError, ValueError) as error:
        raise Failed(f"{path}: {error}; {_REMEDY}") from error


def write(state: Path, guest: str, record: Record) -> None:
    """On disk, whole, when this returns."""
    replace(state / f"{guest}.json", json.dumps(record._asdict()) + "\n")


def remove(state: Path, guest: str) -> None:
    """Gone from the disk when this returns."""
    (state / f"{guest}.json").unlink(missing_ok=True)
    _sync_folder(state)


def replace(path: Path, text: str) -> None:
    """The file as it was or as it is to be, whatever happens meanwhile; on disk when this returns."""
    new = path.with_name(f".{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _sync_folder(path.parent)


def _parse(text: str) -> Record:
    match json.loads(text):
        case {"host": str(host), "epoch": int(epoch)} if epoch > 0:
            return Record(host, epoch)
    raise ValueError("it names no host, or no epoch")


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
