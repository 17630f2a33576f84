"""What `xl` has no word for: in, a domain's number; out, the domain resumed, by libxl's C functions (libxl.h)."""

import ctypes
import ctypes.util
import sys
from typing import Final

from failover.errors import FailoverError

_VERSION: Final = 0  # LIBXL_VERSION
_WARN: Final = 6  # XTL_WARN of xentoollog.h


class LibxlError(FailoverError):
    """libxl is not there, or has failed."""


def resume(number: int) -> None:
    """Let a suspended domain go on as if its suspension had been cancelled; raises LibxlError.

    `xl remus` does the same at its end (libxl_domain_resume with suspend_cancel); it is for where that was killed.
    """
    xl, log = _library("xenlight"), _library("xentoollog")
    stream = ctypes.CDLL(None).fdopen
    stream.restype = ctypes.c_void_p
    log.xtl_createlogger_stdiostream.restype = ctypes.c_void_p
    logger = log.xtl_createlogger_stdiostream(ctypes.c_void_p(stream(sys.stderr.fileno(), b"w")), _WARN, 0)
    context = ctypes.c_void_p()
    if code := xl.libxl_ctx_alloc(ctypes.byref(context), _VERSION, 0, ctypes.c_void_p(logger)):
        raise LibxlError(f"libxl cannot be used: error {code}")
    try:
        if code := xl.libxl_domain_resume(context, ctypes.c_uint32(number), 1, None):
            raise LibxlError(f"libxl cannot resume domain {number}: error {code}")
    finally:
        xl.libxl_ctx_free(context)


def _library(name: str) -> ctypes.CDLL:
    file = ctypes.util.find_library(name)
    if file is None:
        raise LibxlError(f"lib{name} is not installed: is this a Xen host?")
    return ctypes.CDLL(file)
