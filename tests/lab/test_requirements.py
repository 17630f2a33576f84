import re
from pathlib import Path

import pytest

from lab import requirements
from lab.errors import LabError
from lab.landscape import ROOT


def test_names_every_package_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match=re.escape("run `scripts/setup qemu-system-x86 qemu-utils debootstrap")):
        requirements.check(tmp_path)


def test_says_that_it_must_be_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(LabError, match="run it as root"):
        requirements.check(tmp_path)


def test_refuses_hosts_that_do_not_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "_available_mib", lambda: 3000)
    requirements.check_memory({"a", "c", "m"})
    requirements.check_memory(set())
    with pytest.raises(LabError, match=r"3000 MiB of memory are available and 4608 needed"):
        requirements.check_memory({"a", "b"})


def test_make_installs_what_is_checked() -> None:
    line = re.search(r"^LAB_PACKAGES := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line
    assert set(requirements.PROGRAMS.values()) == set(line[1].split())
