"""A file that others write: in, its path; out, what is appended, and what is in a file that takes its place."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

_CHUNK_BYTES: Final = 2**20
_HEAD_BYTES: Final = 512


@dataclass(frozen=True)
class Chunk:
    """Some bytes of a file; `first` where they are those at its beginning."""

    data: bytes
    first: bool


class Tail:
    """Follows one path through renames, deletions and truncations, each file from its beginning.

    The file that is read stays open, so what is written to it after another took its place is read, too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._head = b""

    def chunks(self) -> Iterator[Chunk]:
        """All that has come since the last call; nothing while there is no file. Raises OSError."""
        if self._emptied():
            self.close()
        moved = self._moved()
        yield from self._rest()
        if moved:
            self.close()
        if self._file is None and self._opened():
            yield from self._rest()

    def close(self) -> None:
        """Begin anew with the next call."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _opened(self) -> bool:
        try:
            self._file = self._path.open("rb", buffering=0)
        except FileNotFoundError:
            return False
        self._head = b""
        return True

    def _emptied(self) -> bool:
        """Whether what was read is no longer there, as the file was written anew."""
        if self._file is None:
            return False
        file = self._file.fileno()
        return os.fstat(file).st_size < self._file.tell() or os.pread(file, len(self._head), 0) != self._head

    def _moved(self) -> bool:
        """Whether the path leads to another file now."""
        if self._file is None:
            return False
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False

    def _rest(self) -> Iterator[Chunk]:
        while self._file is not None:
            first = self._file.tell() == 0
            data = self._file.read(_CHUNK_BYTES)
            if not data:
                return
            if len(self._head) < _HEAD_BYTES:
                self._head = os.pread(self._file.fileno(), _HEAD_BYTES, 0)
            yield Chunk(data, first)
