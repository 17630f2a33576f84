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
    code = xl.libxl_domain_resume(context, ctypes.c_uint32(number), 1, None)  # 1: as if its suspension was cancelled
    xl.libxl_ctx_free(context)
    return f"libxl_domain_resume: error {code}" if code else ""


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])) or None)
