"""What a guard has told, as the agent takes it: the guard's own writing, and anything else."""

from pathlib import Path

import pytest

from agent import backup
from failover.guard_board import directory
from failover.guard_store import Told, tell


def told(run_dir: Path, mark: str | None) -> None:
    tell(run_dir, Told("web1", 7, 42, is_paused=False, reason="the lease is held", backup=mark))


@pytest.mark.parametrize(("mark", "is_named"), [("copy", True), ("", False), (None, False)])
def test_what_a_guard_has_told(tmp_path: Path, mark: str | None, is_named: bool) -> None:
    directory(tmp_path, "web1").mkdir(parents=True)
    told(tmp_path, mark)
    assert backup.is_named(tmp_path, "web1") is is_named


def test_where_there_never_was_a_guard_checkpoints_protect(tmp_path: Path) -> None:
    assert backup.is_named(tmp_path, "web1")


@pytest.mark.parametrize("text", ["", "[]", "{}", "1", "nonsense"])
def test_what_is_not_understood_protects_nothing(tmp_path: Path, text: str) -> None:
    directory(tmp_path, "web1").mkdir(parents=True)
    (directory(tmp_path, "web1") / "state").write_text(text)
    assert not backup.is_named(tmp_path, "web1")
