from pathlib import Path

import pytest

from lab.errors import LabError
from lab.image import apt

TARGETS = """\
http://mirror.test/debian bookworm main
http://mirror.test/debian bookworm contrib
http://mirror.test/debian bookworm-updates main
http://mirror.test/security bookworm-security main
http://tools.test/deb nodistro main
"""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine whose apt is configured like this."""
    (tmp_path / "targets").write_text(TARGETS)
    dump = 'Acquire::http::Proxy "http://proxy.test";\nAcquire::IndexTargets "";\nDPkg::Post-Invoke:: "reboot";'
    for program, said in (("apt-get", f"cat {tmp_path}/targets"), ("apt-config", f"cat <<'END'\n{dump}\nEND")):
        (tmp_path / program).write_text(f"#!/bin/sh\n{said}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("HEFERY_LAB_MIRROR", raising=False)
    return tmp_path


def test_takes_debian_from_where_this_machine_takes_it(machine: Path) -> None:
    lines = apt.sources("bookworm")
    assert lines == [
        "deb http://mirror.test/debian bookworm main",
        "deb http://mirror.test/debian bookworm-updates main",
        "deb http://mirror.test/security bookworm-security main",
    ]
    assert apt.mirror(lines, "bookworm") == "http://mirror.test/debian"


def test_asks_for_a_mirror_where_this_machine_has_none(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LabError, match=r"knows no Debian trixie: name a mirror .* in HEFERY_LAB_MIRROR"):
        apt.sources("trixie")
    monkeypatch.setenv("HEFERY_LAB_MIRROR", "http://other.test/debian")
    assert apt.sources("trixie") == ["deb http://other.test/debian trixie main"]


def test_goes_out_as_this_machine_does_and_takes_no_hooks_over(machine: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc/apt/apt.conf.d").mkdir(parents=True)
    apt.configure(root, ["deb http://mirror.test/debian bookworm main"])
    assert (root / "etc/apt/apt.conf.d/90lab").read_text() == 'Acquire::http::Proxy "http://proxy.test";\n'
    assert (root / "etc/apt/sources.list").read_text() == "deb http://mirror.test/debian bookworm main\n"
