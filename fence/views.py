"""The views, each host's own mount of a guest's folder: in, which may be written; out, the kernel does so, or says no.

A mount becomes read-only only when no file is open for writing through it and no write is under way (mnt_writers of
Linux's fs/namespace.c); from then on every write through it fails, also one that nfsd had checked before. This is how
the fence knows that a loser is through, whatever nfsd, mountd and their caches believe.
"""

import subprocess
from pathlib import Path
from typing import Final

from fence.errors import Failed

_MOUNT_POINT, _OPTIONS = 4, 5
_MOUNTS: Final = Path("/proc/self/mountinfo")


def make(folder: Path, view: Path, lock: int) -> None:
    """Mount `folder` there, read-only, unless it is mounted already. Only while nobody is served there."""
    folder.mkdir(parents=True, exist_ok=True)
    view.mkdir(parents=True, exist_ok=True)
    if is_writable(view) is None:
        _mount(lock, "--bind", str(folder), str(view))
        _mount(lock, "-o", "remount,bind,ro", str(view))


def protect(view: Path, lock: int) -> None:
    """Let nobody write there; raises Failed where somebody still does."""
    if is_writable(view):
        _mount(lock, "-o", "remount,bind,ro", str(view))


def unprotect(view: Path, lock: int) -> None:
    """Let the view's host write there."""
    _mount(lock, "-o", "remount,bind,rw", str(view))


def is_writable(view: Path) -> bool | None:
    """As the kernel has it; None where nothing is mounted. What was mounted there last counts (proc(5), mountinfo)."""
    state = None
    # others' mounts may be called in any encoding, and by what Python takes for a line's end
    for line in _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").split("\n"):
        words = line.split(" ")
        if words[_MOUNT_POINT:_OPTIONS] == [str(view)]:
            state = "rw" in words[_OPTIONS].split(",")
    return state


def _mount(lock: int, *words: str) -> None:
    done = subprocess.run(["mount", *words], pass_fds=[lock], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(" ".join(done.stderr.split()) or f"mount ended with {done.returncode}")
