from pathlib import Path

import pytest

from agent.tail import Chunk, Tail


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jtl"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_what_is_appended_comes_once(path: Path) -> None:
    tail = Tail(path)
    assert list(tail.chunks()) == []
    append(path, b"")
    assert list(tail.chunks()) == []
    append(path, b"one")
    assert list(tail.chunks()) == [Chunk(b"one", first=True)]
    append(path, b"two")
    assert list(tail.chunks()) == [Chunk(b"two", first=False)]
    assert list(tail.chunks()) == []
    tail.close()
    assert list(tail.chunks()) == [Chunk(b"onetwo", first=True)]
    tail.close()


def test_a_big_file_comes_in_pieces(path: Path) -> None:
    data = bytes(range(256)) * 10_000
    path.write_bytes(data)
    tail = Tail(path)
    chunks = list(tail.chunks())
    tail.close()
    assert len(chunks) > 1
    assert b"".join(chunk.data for chunk in chunks) == data
    assert [chunk.first for chunk in chunks] == [True, *[False] * (len(chunks) - 1)]


def test_the_rest_of_a_file_that_was_moved_away_comes_before_the_new_one(path: Path) -> None:
    tail = Tail(path)
    append(path, b"old")
    list(tail.chunks())
    moved = path.rename(path.with_suffix(".1"))
    append(moved, b" rest")
    append(path, b"new")
    assert list(tail.chunks()) == [Chunk(b" rest", first=False), Chunk(b"new", first=True)]
    tail.close()


def test_a_file_that_was_deleted_is_read_to_its_end(path: Path) -> None:
    tail = Tail(path)
    with path.open("ab", buffering=0) as writer:
        writer.write(b"old")
        list(tail.chunks())
        path.unlink()
        writer.write(b" rest")
        assert list(tail.chunks()) == [Chunk(b" rest", first=False)]
    path.write_bytes(b"new")
    assert list(tail.chunks()) == [Chunk(b"new", first=True)]
    tail.close()


@pytest.mark.parametrize("new", [b"new", b"new and longer than the old one"])
def test_a_file_that_was_written_anew_is_read_anew(path: Path, new: bytes) -> None:
    tail = Tail(path)
    append(path, b"what was there")
    list(tail.chunks())
    path.write_bytes(new)
    assert list(tail.chunks()) == [Chunk(new, first=True)]
    tail.close()
