"""Files that are replaced whole: in, a path and a content; out, the file, never half of it."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_MOST_BYTES: Final = 1 << 15
"""Of a small file: from 128 KiB on the buffer would be mapped anew for every read."""
_UNFINISHED: Final = ".new"


def replace(path: Path, text: str, *, durable: bool) -> None:
    """Write a small file (ASCII, 0600) by rename, so that a reader sees the old text or the new one.

    `durable` also waits for the disk, for what must survive a power cut. Raises OSError.
    """
    replace_bytes(path, text.encode("ascii"), durable=durable, mode=0o600)


def replace_bytes(path: Path, content: bytes, *, durable: bool, mode: int) -> None:
    """The same for a content of any size, and who else may read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}{_UNFINISHED}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        if durable:
            os.fsync(descriptor)
    new.replace(path)
    if durable:
        _sync_directory(path.parent)


def unfinished(folder: Path, pattern: str) -> Iterable[Path]:
    """What killed writers left of the files of `folder` whose names match `pattern`."""
    return folder.glob(f".{pattern}{_UNFINISHED}")


def read(path: Path) -> str | None:
    """The text of a small file; None when there is none. Raises OSError or UnicodeError for what cannot be read."""
    content = read_bytes(path)
    return None if content is None else content.decode("ascii")


def read_bytes(path: Path | str) -> bytes | None:
    """The same undecoded."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
