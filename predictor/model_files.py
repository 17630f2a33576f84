"""A folder of trained models: in, arrays and what is to be known of them; out, files that are whole or refused by name.

A file is an npz without pickle: the arrays, `meta` (JSON) and the SHA-256 of all of them.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from predictor.times import text_of
from telemetry import files

FORMAT: Final = 1
_SUFFIX: Final = ".npz"
_MODE: Final = 0o644
"""Who trains by hand is not always who forecasts."""


class ModelFileError(Exception):
    """No model can be had from the file; the text names it and the remedy."""


@dataclass(frozen=True)
class Contents:
    """What a file holds: arrays by name, and figures and words about them that JSON can carry."""

    arrays: Mapping[str, NDArray[Any]]
    meta: Mapping[str, Any]


def save(folder: Path, name: str, made_ns: int, contents: Contents) -> Path:
    """Write a model file, named so that later ones sort last; a reader sees all of it or nothing.

    Raises ModelFileError where it would not be the newest, OSError where it cannot be written.
    """
    path = folder / f"{name}-{text_of(made_ns, 'milliseconds').replace(':', '')}{_SUFFIX}"
    before = newest(folder, name)
    if before is not None and before >= path:
        raise ModelFileError(f"{before}: made later than now; set this machine's clock right, or remove the file")
    meta = json.dumps({"format": FORMAT, **contents.meta}, allow_nan=False, sort_keys=True)
    members = {**contents.arrays, "meta": np.frombuffer(meta.encode(), dtype=np.uint8)}
    members["sha256"] = np.frombuffer(_digest(members), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **members)
    folder.mkdir(parents=True, exist_ok=True)
    # durable: the model before it may be removed next
    files.replace_bytes(path, buffer.getvalue(), durable=True, mode=_MODE)
    return path


def load(path: Path) -> Contents:
    """Read a model file whole; raises ModelFileError."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            members = {name: file[name] for name in file.files}
        digest = members.pop("sha256").tobytes()
        if digest != _digest(members):
            raise ModelFileError(_broken(path, "its contents do not match their SHA-256"))
        meta = json.loads(members.pop("meta").tobytes())
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise ModelFileError(_broken(path, str(error))) from error
    if meta.pop("format", None) != FORMAT:
        raise ModelFileError(f"{path}: of another format than {FORMAT}; train a model with this version")
    return Contents(members, meta)


def listed(folder: Path, name: str) -> list[Path]:
    """The model files of this name, oldest first."""
    return sorted(folder.glob(f"{name}-*{_SUFFIX}"))


def newest(folder: Path, name: str) -> Path | None:
    """The newest model file of this name; None where there is none."""
    files = listed(folder, name)
    return files[-1] if files else None


def rotate(folder: Path, name: str, keep: int) -> list[Path]:
    """Remove all but the newest `keep` files, and what a killed `save` left; what was removed. Raises OSError."""
    surplus = [*listed(folder, name)[:-keep], *files.unfinished(folder, f"{name}-*{_SUFFIX}")]
    for path in surplus:
        path.unlink()
    return surplus


def _digest(members: Mapping[str, NDArray[Any]]) -> bytes:
    digest = hashlib.sha256()
    for name in sorted(members):
        member = members[name]
        digest.update(repr((name, member.dtype.str, member.shape)).encode())
        digest.update(member.tobytes())
    return digest.digest()


def _broken(path: Path, why: str) -> str:
    return f"{path}: not a whole model file ({why}); remove it to fall back on the one before, or train again"
