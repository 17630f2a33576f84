from contextlib import nullcontext
from pathlib import Path

import pytest

from failover import xl
from failover.xl import Domain, XlError, XlMissing, parse_list

DATA = Path(__file__).parents[1] / "data"


def test_replicating() -> None:
    there = parse_list((DATA / "xl-list-4.17-replicating.txt").read_text())
    assert there["h1"] == Domain("h1", 1, "---ss-")
    assert there["h1"].is_suspended
    assert not there["h1"].is_running
    assert there["Domain-0"].is_running


def test_backup() -> None:
    copy = parse_list((DATA / "xl-list-4.17-backup.txt").read_text())["h1--incoming"]
    assert not copy.is_suspended
    assert not copy.is_running


def test_names_with_spaces() -> None:
    text = "Name                                        ID   Mem VCPUs\tState\tTime(s)\n"
    assert parse_list(text + "my guest      7   128     1     -b----       1.0\n")["my guest"].number == 7


@pytest.mark.parametrize("text", ["", "no such thing\n", "Name ID Mem VCPUs State Time(s)\nweb1 running\n"])
def test_what_is_not_understood_is_no_empty_host(text: str) -> None:
    with pytest.raises(XlError, match="xl list"):
        parse_list(text)


def test_failing_and_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(XlMissing, match="is this a Xen host"):
        xl.domains()
    assert xl.domains_if_any() == {}
    (tmp_path / "xl").write_text("#!/bin/sh\necho 'xencall: error: Could not obtain handle' >&2\nexit 1\n")
    (tmp_path / "xl").chmod(0o755)
    with pytest.raises(XlError, match="xl list: exit code 1: xencall: error: Could not obtain handle"):
        xl.domains_if_any()


@pytest.mark.parametrize(("which", "is_there"), [("web1", True), ("7", True), ("web2", False), ("8", False)])
def test_destroying_what_has_ended_by_itself(
    which: str, is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = "Name ID Mem VCPUs State Time(s)\nweb1 7 128 1 -b---- 1.0"
    (tmp_path / "xl").write_text(f"#!/bin/sh\n[ $1 = list ] || exit 1\necho '{listed}'\n")
    (tmp_path / "xl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(XlError, match=f"xl destroy {which}") if is_there else nullcontext():
        xl.destroy(which)
