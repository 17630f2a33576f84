import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.spool_file import SpoolFile, set_aside
from telemetry.store import StoreError, StoreRefused

HEADER_SIZE = 100


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "spool.db"


def opened(path: Path, told: list[str] | None = None) -> SpoolFile:
    return SpoolFile(path, (list[str]() if told is None else told).append)


def fill(file: SpoolFile, count: int) -> None:
    rows = [(f"body {n}", n) for n in range(count)]
    file.run("IMMEDIATE", lambda c: c.executemany("INSERT INTO point (body, added_ns) VALUES (?, ?)", rows))


def ledger(file: SpoolFile) -> dict[str, int]:
    return dict(file.run("DEFERRED", lambda c: c.execute("SELECT name, value FROM ledger").fetchall()))


def test_sums_rows_and_their_sizes_by_itself_over_a_restart(path: Path) -> None:
    file = opened(path)
    fill(file, 10)
    assert ledger(file) == {"points": 10, "bytes": 60}
    file.run("IMMEDIATE", lambda c: c.execute("DELETE FROM point WHERE added_ns < 4"))
    file.close()
    assert ledger(opened(path)) == {"points": 6, "bytes": 36}


def test_the_file_is_private(path: Path) -> None:
    opened(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_fails_leaves_nothing_behind_and_is_raised(path: Path) -> None:
    told: list[str] = []
    file = opened(path, told)
    fill(file, 10)
    with pytest.raises(StoreError, match="no such table"):
        file.run("IMMEDIATE", lambda c: [c.execute("DELETE FROM point"), c.execute("DELETE FROM missing")])
    assert ledger(file)["points"] == 10
    assert told == []
    assert list(set_aside(path)) == []


def break_header(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 500)


def break_middle(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xa5" * (size // 2))


def cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [break_header, break_middle, cut_short])
def test_a_damaged_file_is_kept_aside_whole_and_a_new_one_begun(path: Path, damage: Callable[[Path], None]) -> None:
    file, told = opened(path), list[str]()
    fill(file, 5_000)
    file.close()
    damage(path)
    before = path.read_bytes()
    file = opened(path, told)
    fill(file, 1)
    assert ledger(file) == {"points": 1, "bytes": 6}
    (aside,) = set_aside(path)
    # opening a file counts in its header, before the damage behind it is seen
    assert aside.read_bytes()[HEADER_SIZE:] == before[HEADER_SIZE:]
    (sentence,) = told
    assert sentence.startswith(f"{path} was damaged (")
    assert f"sqlite3 {aside} .recover" in sentence
    assert "\n" not in sentence


def test_a_file_damaged_while_in_use_is_kept_aside_and_the_work_done_in_the_new_one(path: Path) -> None:
    told: list[str] = []
    file = opened(path, told)
    fill(file, 5_000)
    cut_off = sqlite3.connect(path)
    assert cut_off.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    cut_off.close()
    break_header(path)
    fill(file, 3)
    assert ledger(file)["points"] == 3
    assert len(told) == len(list(set_aside(path))) == 1


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "accounts.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE accounts (name)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreRefused, match="another program's"):
        opened(path)
    assert path.read_bytes() == before
    assert list(set_aside(path)) == []


def test_a_spool_that_cannot_be_made_says_so_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreRefused, match=r"file/spool\.db: cannot be written: .*another \[spool\] path"):
        opened(tmp_path / "file" / "spool.db")
