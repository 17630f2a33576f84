"""Which code this is: the commit of the working tree it lies in, and of no other."""

import re
import subprocess
from pathlib import Path

import pytest

from telemetry.revision import commit


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "site-packages").mkdir(parents=True)
    (tree / "a.py").write_text("1\n")
    by = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    for words in (["init", "-q"], ["add", "a.py"], [*by, "commit", "-q", "-m", "One"]):
        subprocess.run(["git", *words], cwd=tree, check=True)
    return tree


def test_commit_says_where_files_differ_from_it(tree: Path) -> None:
    clean = commit(tree)
    assert re.fullmatch(r"[0-9a-f]{12}", clean)
    (tree / "a.py").write_text("2\n")
    assert commit(tree) == f"{clean}-dirty"


def test_commit_of_what_an_installed_copy_lies_within_is_not_its_own(tree: Path) -> None:
    assert commit(tree / "site-packages") == "unknown"


def test_commit_is_unknown_where_there_is_no_git(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tree))
    assert commit(tree) == "unknown"
