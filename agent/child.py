"""A program's output as it is printed: in, a command; out, its lines in batches, until stopped or the program fails."""

import contextlib
import os
import select
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence

_STOP_CHECK_MS = 200
_END_GRACE_S = 1.0
_READ_BYTES = 65_536
_KEPT_COMPLAINT_BYTES = 2_000


class ChildFailed(Exception):
    """The program could not be started, ended by itself, or fell silent; the text says which, in its own words."""


def stream_lines(
    command: Sequence[str],
    stop: threading.Event,
    *,
    silence_s: float,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> Generator[list[str]]:
    """Run `command` and yield its whole lines as soon as they can be read, those of one read together.

    A line that the program's end cuts short is dropped. Raises `ChildFailed` when the program ends, or prints nothing
    for `silence_s`. However the iteration ends, the program is ended with it.
    """
    try:
        child = subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:
        raise ChildFailed(f"{command[0]} cannot be started: {error.strerror}; is it installed?") from error
    with child:
        try:
            yield from _lines(child, command[0], stop, silence_s, monotonic_s)
        finally:
            _end(child)


def _lines(
    child: subprocess.Popen[bytes], name: str, stop: threading.Event, silence_s: float, clock_s: Callable[[], float]
) -> Iterator[list[str]]:
    assert child.stdout is not None
    assert child.stderr is not None
    output, errors = child.stdout.fileno(), child.stderr.fileno()
    poll = select.poll()
    poll.register(output, select.POLLIN)
    poll.register(errors, select.POLLIN)
    rest, complaint, heard_s = b"", b"", clock_s()
    while not stop.is_set():
        ready = {descriptor for descriptor, _ in poll.poll(_STOP_CHECK_MS)}
        if errors in ready:
            said = os.read(errors, _READ_BYTES)
            complaint = (complaint + said)[-_KEPT_COMPLAINT_BYTES:]
            if not said:
                poll.unregister(errors)
        if output in ready:
            data = os.read(output, _READ_BYTES)
            if not data:
                raise ChildFailed(_how_it_ended(child, name, complaint))
            heard_s = clock_s()
            *lines, rest = (rest + data).split(b"\n")
            if lines:
                yield [line.decode(errors="backslashreplace") for line in lines]
        elif clock_s() - heard_s > silence_s:
            raise ChildFailed(f"{name} printed nothing for {silence_s:g} s and was ended")


def _how_it_ended(child: subprocess.Popen[bytes], name: str, complaint: bytes) -> str:
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(_END_GRACE_S)
    assert child.stderr is not None
    os.set_blocking(child.stderr.fileno(), False)
    words = complaint + (child.stderr.read(_KEPT_COMPLAINT_BYTES) or b"")
    text = words.decode(errors="backslashreplace").strip() or "without a word"
    return f"{name} ended with status {child.returncode}: {text}"


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(_END_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
