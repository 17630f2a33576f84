"""Programs for Node: in, their sources with a lock file; out, a folder under build/ with what they need, to run in."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

_LOCK: Final = "package-lock.json"
_MADE_FROM: Final = "made-from"


def prepared(source: Path, folder: Path) -> Path:
    """Copy the sources there, and get the locked packages unless they are there; raises CalledProcessError."""
    packages = folder / "node_modules"
    lock = digest([source / _LOCK])
    for path in sources(source):
        copy = folder / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    if stamp(packages) != lock:
        print(f"dashboards: getting {source.name}'s packages", file=sys.stderr)
        subprocess.run(["npm", "ci"], cwd=folder, check=True)
        set_stamp(packages, lock)
    return folder


def sources(source: Path) -> list[Path]:
    """What is not Python's."""
    return sorted(path for path in source.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"})


def digest(paths: list[Path]) -> str:
    """One for all of their contents."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def stamp(folder: Path) -> str:
    """What the folder was made from; nothing where it was not finished."""
    path = folder / _MADE_FROM
    return path.read_text(encoding="ascii") if path.exists() else ""


def set_stamp(folder: Path, made_from: str) -> None:
    """Say that the folder is finished."""
    (folder / _MADE_FROM).write_text(made_from, encoding="ascii")
