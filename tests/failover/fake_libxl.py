"""A stand-in for libxl: in, a folder; out, libraries there that write what they are asked to do, and do it."""

import ctypes.util
import subprocess
from pathlib import Path

SOURCE = """
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
    int code = cancelled == 1 ? does("resume", domain) : 1;
    return code ? code : system("[ -z $FAKE_XEN ] || sed -i s/---ss-/-b----/ $FAKE_XEN/domains");
}
void *xtl_createlogger_stdiostream(FILE *stream, int level, unsigned flags) { return stream; }
"""


def build(folder: Path) -> dict[str, str]:
    """The environment in which libxl is the stand-in; a variable like `resume` is the code that that returns."""
    for name in ("xenlight", "xentoollog"):
        there = ctypes.util.find_library(name)
        assert there, "libxen-dev is missing: make test installs it"
        compile_library(folder / there, SOURCE)
    return {"LD_LIBRARY_PATH": str(folder), "TOLD": str(folder / "told")}


def compile_library(path: Path, text: str) -> None:
    """A shared library of this C source."""
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", path, "-xc", "-"], input=text, text=True, check=True)
