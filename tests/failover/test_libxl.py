from pathlib import Path

import pytest

from failover import libxl
from failover.libxl import LibxlError
from tests.failover import fake_libxl


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the stand-in for libxl was asked to do."""
    environment = fake_libxl.build(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Path(environment["TOLD"])


def test_a_domain_is_paused_while_it_is_resumed(told: Path) -> None:
    libxl.resume(7)
    assert told.read_text().splitlines() == ["alloc 0", "pause 7", "resume 7", "unpause 7", "free 0"]


@pytest.mark.parametrize(
    ("step", "done"),
    [
        ("pause", ["alloc 0", "pause 7", "free 0"]),
        ("resume", ["alloc 0", "pause 7", "resume 7", "unpause 7", "free 0"]),
        ("unpause", ["alloc 0", "pause 7", "resume 7", "unpause 7", "free 0"]),
    ],
)
def test_what_fails_is_named_and_no_pause_is_left(
    told: Path, monkeypatch: pytest.MonkeyPatch, step: str, done: list[str]
) -> None:
    monkeypatch.setenv(step, "-3")
    with pytest.raises(LibxlError, match=f"domain 7 cannot be resumed: .*libxl_domain_{step}: error -3"):
        libxl.resume(7)
    assert told.read_text().splitlines() == done


def test_the_pacer_is_not_loaded(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pacer = told.with_name("pacer.so")
    fake_libxl.compile_library(
        pacer, "#include <stdlib.h>\n__attribute__((constructor)) static void end(void) { abort(); }"
    )
    monkeypatch.setenv("LD_PRELOAD", str(pacer))
    libxl.resume(7)
    assert "resume 7" in told.read_text()


def test_where_there_is_no_xen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    with pytest.raises(LibxlError, match="domain 7 cannot be resumed"):
        libxl.resume(7)
