"""A program of its own: in, a domain's number; out, the domain resumed, by libxl's C functions (libxl.h).

Without the rest of Hefery, so that it can be run by its path, and without the pacer's preload library, whose libxl is
that of `xl remus`.
"""

import ctypes
import ctypes.util
import sys
from typing import Final

_VERSION: Final = 0  # LIBXL_VERSION
_WARN: Final = 6  # XTL_WARN of xentoollog.h


def main(number: int) -> str:
    """What went wrong; empty for nothing."""
    names = [ctypes.util.find_library(name) for name in ("xenlight", "xentoollog")]
    if None in names:
        return "libxenlight and libxentoollog are not installed: is this a Xen host?"
    xl, log = (ctypes.CDLL(name) for name in names)
    libc = ctypes.CDLL(None)
    libc.fdopen.restype = ctypes.c_void_p
    log.xtl_createlogger_stdiostream.restype = ctypes.c_void_p
    stream = ctypes.c_void_p(libc.fdopen(sys.stderr.fileno(), b"w"))
    logger = ctypes.c_void_p(log.xtl_createlogger_stdiostream(stream, _WARN, 0))
    context = ctypes.c_void_p()
    if code := xl.libxl_ctx_alloc(ctypes.byref(context), _VERSION, 0, logger):
        return f"libxl_ctx_alloc: error {code}"
    problem = _resume(xl, context, ctypes.c_uint32(number))
    xl.libxl_ctx_free(context)
    return problem


def _resume(xl: ctypes.CDLL, context: ctypes.c_void_p, domain: ctypes.c_uint32) -> str:
    """Resume it while it is paused: a resume writes back the registers that it has read (xc_resume.c).

    A guest that somebody else resumes in between would go on from where it was before, and crash.
    """
    if code := xl.libxl_domain_pause(context, domain, None):
        return f"libxl_domain_pause: error {code}"
    resumed = xl.libxl_domain_resume(context, domain, 1, None)  # 1: as if its suspension was cancelled
    unpaused = xl.libxl_domain_unpause(context, domain, None)
    codes = {"resume": resumed, "unpause": unpaused}
    return ", ".join(f"libxl_domain_{step}: error {code}" for step, code in codes.items() if code)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])) or None)
