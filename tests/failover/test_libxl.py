import ctypes.util
import subprocess
from pathlib import Path

import pytest

from failover import libxl
from failover.libxl import LibxlError

STAND_IN = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
static int does(const char *name, uint32_t domain)
{
    FILE *told = fopen(getenv("TOLD"), "a");
    fprintf(told, "%s %u\\n", name, domain);
    fclose(told);
    const char *code = getenv(name);
    return code ? atoi(code) : 0;
}
int libxl_ctx_alloc(void **context, int version, unsigned flags, void *logger)
{
    *context = logger;
    return does("alloc", 0);
}
int libxl_ctx_free(void *context) { return does("free", 0); }
int libxl_domain_pause(void *context, uint32_t domain, void *how) { return does("pause", domain); }
int libxl_domain_unpause(void *context, uint32_t domain, void *how) { return does("unpause", domain); }
int libxl_domain_resume(void *context, uint32_t domain, int cancelled, void *how)
{
    return cancelled == 1 ? does("resume", domain) : 1;
}
void *xtl_createlogger_stdiostream(FILE *stream, int level, unsigned flags) { return stream; }
"""


def compile_library(path: Path, text: str) -> None:
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", path, "-xc", "-"], input=text, text=True, check=True)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a stand-in for libxl was asked to do; variables of the same name are the codes that it returns."""
    log = tmp_path / "told"
    for name in ("xenlight", "xentoollog"):
        there = ctypes.util.find_library(name)
        assert there, "libxen-dev is missing: run make test"
        compile_library(tmp_path / there, STAND_IN)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    monkeypatch.setenv("TOLD", str(log))
    return log


def test_a_domain_is_paused_while_it_is_resumed(told: Path) -> None:
    libxl.resume(7)
    assert told.read_text().split("\n") == ["alloc 0", "pause 7", "resume 7", "unpause 7", "free 0", ""]


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
    compile_library(pacer, "#include <stdlib.h>\n__attribute__((constructor)) static void end(void) { abort(); }")
    monkeypatch.setenv("LD_PRELOAD", str(pacer))
    libxl.resume(7)
    assert "resume 7" in told.read_text()


def test_where_there_is_no_xen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    with pytest.raises(LibxlError, match="domain 7 cannot be resumed"):
        libxl.resume(7)
