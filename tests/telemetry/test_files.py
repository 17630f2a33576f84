import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.files import read, replace, replace_bytes, unfinished


@pytest.mark.parametrize("durable", [True, False])
def test_replaces_a_file_whole_and_private(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "new" / "file"
    replace(path, "one\n", durable=durable)
    replace(path, "two\n", durable=durable)
    assert read(path) == "two\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_others_may_read_what_is_meant_for_them(tmp_path: Path) -> None:
    replace_bytes(tmp_path / "file", b"\0" * 100_000, durable=True, mode=0o644)
    assert (tmp_path / "file").read_bytes() == b"\0" * 100_000
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_what_was_not_put_in_place_is_found(tmp_path: Path) -> None:
    replace(tmp_path / "one.txt", "whole", durable=False)
    (tmp_path / "two.txt").mkdir()
    with pytest.raises(IsADirectoryError):
        replace(tmp_path / "two.txt", "nowhere to go", durable=False)
    (left,) = unfinished(tmp_path, "*.txt")
    assert left.read_text() == "nowhere to go"
    assert list(unfinished(tmp_path, "*.npz")) == []


def test_no_file_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "file") is None


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path, texts = tmp_path / "file", {"a" * 10_000, "b" * 20_000}
    replace(path, "a" * 10_000, durable=False)
    seen: set[str | None] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            seen.add(read(path))

    thread = threading.Thread(target=watch)
    thread.start()
    for text in sorted(texts) * 200:
        replace(path, text, durable=False)
    stop.set()
    thread.join()
    assert seen <= texts


def test_does_not_write_through_a_link_that_somebody_left(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".file.new").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        replace(tmp_path / "file", "theirs", durable=False)
    assert victim.read_text() == "mine"
