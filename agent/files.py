"""Small files that are replaced whole: in, a path and a text; out, the file, never half of it."""

import os
from pathlib import Path

_MOST_BYTES = 1 << 15  # small: from 128 KiB on the buffer would be mapped anew for every read


def replace(path: Path, text: str, *, durable: bool) -> None:
    """Write `text` to `path` (0600) by rename, so that a reader sees the old text or the new one.

    `durable` also waits for the disk, for what must survive a power cut. Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        if durable:
            os.fsync(descriptor)
    new.replace(path)
    if durable:
        _sync_directory(path.parent)


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
