import contextlib
import itertools
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.child import ChildFailed, stream_lines


def python(program: str) -> list[str]:
    return [sys.executable, "-u", "-c", program]


@contextlib.contextmanager
def streaming(
    program: str, stop: threading.Event | None = None, silence_s: float = 10.0
) -> Iterator[Iterator[list[str]]]:
    with contextlib.closing(stream_lines(python(program), stop or threading.Event(), silence_s=silence_s)) as batches:
        yield batches


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_lines_come_as_they_are_printed_and_cut_ones_wait_for_their_end(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    program = f"import sys; w = sys.stdout.write; w('one\\ntw'); open({str(gate)!r}).read(); w('o\\nthree\\n')"
    with streaming(program) as batches:
        assert next(batches) == ["one"]
        gate.write_text("go on")
        assert list(itertools.islice(itertools.chain.from_iterable(batches), 2)) == ["two", "three"]


def test_its_end_raises_with_its_last_words_and_drops_the_cut_line() -> None:
    with streaming(
        "import sys; sys.stdout.write('a\\nb\\ncut'); sys.stderr.write('no hypervisor'); sys.exit(3)"
    ) as batches:
        seen: list[list[str]] = []
        with pytest.raises(ChildFailed, match="ended with status 3: no hypervisor"):
            seen.extend(batches)
        assert list(itertools.chain(*seen)) == ["a", "b"]


def test_a_program_that_talks_on_stderr_for_long_neither_blocks_nor_fills_memory() -> None:
    program = "import sys\nfor n in range(50_000): sys.stderr.write(f'complaint {n}\\n')\nprint('done')"
    with streaming(program) as batches:
        assert next(batches) == ["done"]
        with pytest.raises(ChildFailed, match=r"complaint 49999$") as error:
            next(batches)
        assert len(str(error.value)) < 5_000


def test_silence_ends_the_program_even_where_it_no_longer_listens() -> None:
    with streaming("import os; print(os.getpid()); os.kill(os.getpid(), 19)", silence_s=0.3) as batches:
        (pid,) = next(batches)
        with pytest.raises(ChildFailed, match=r"printed nothing for 0.3 s"):
            next(batches)
        assert not is_alive(int(pid))


def test_stop_ends_the_stream_and_the_program_quickly() -> None:
    stop = threading.Event()
    with streaming("import os, time; print(os.getpid()); time.sleep(3600)", stop) as batches:
        (pid,) = next(batches)
        began_s = time.monotonic()
        stop.set()
        assert list(batches) == []
        assert time.monotonic() - began_s < 30
        assert not is_alive(int(pid))


def test_leaving_early_ends_the_program() -> None:
    with streaming("import os, time; print(os.getpid()); time.sleep(3600)") as batches:
        (pid,) = next(batches)
        assert is_alive(int(pid))
    assert not is_alive(int(pid))


def test_undecodable_bytes_stay_visible() -> None:
    with streaming(r"import sys; sys.stdout.buffer.write(b'h\xff1\n')") as batches:
        assert next(batches) == [r"h\xff1"]


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ChildFailed, match="no-such-program cannot be started: No such file"):
        next(stream_lines(["no-such-program"], threading.Event(), silence_s=1.0))
