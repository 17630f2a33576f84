"""The frames of a Remus stream: in, its bytes as they pass; out, checkpoints that are complete, or what is wrong.

Formats: xl's header (xl.h, struct save_file_header), docs/specs/libxl-migration-stream.pandoc and
docs/specs/libxc-migration-stream.pandoc of Xen. A checkpoint begins in libxc's part with a CHECKPOINT record and is
complete with libxl's CHECKPOINT_END; from the first of them on, libxc applies a checkpoint only when it is complete.

libxc wakes the copy at whatever it cannot read, and at the END record that a Remus stream never has. So what is not
framed as it should be must not reach it. libxl, on the other hand, never wakes it where the stream ends in its part: it
takes the record header that did not come for one of zeros, and asks for the next for ever (4.17: record_header_done
in libxl_stream_read.c gets no error at the end of a stream). So that part must reach it whole.
"""

import struct
from collections.abc import Callable
from typing import Final

_XL_MAGIC: Final = b"Xen saved domain, xl format\n \0 \r"
_XL_HEADER: Final = struct.Struct("<32s4I")
_XL_BYTE_ORDER: Final = 0x01020304
_XL_STREAM_V2: Final = 0x2
_LIBXL_HEADER: Final = struct.Struct(">8sII")
_LIBXL_MAGIC: Final = (b"LibxlFmt", 2, 0)
_LIBXC_HEADER: Final = struct.Struct(">Q4sIHHI4I")  # image header and domain header
_LIBXC_MAGIC: Final = (2**64 - 1, b"XENF")
_LIBXC_VERSIONS: Final = (2, 3)
_RECORD: Final = struct.Struct("<II")
_LARGEST_RECORD: Final = 128 << 20  # REC_LENGTH_MAX of libxc
_KNOWN_TYPES: Final = 0x100
_OPTIONAL: Final = 1 << 31

_END: Final = 0x0
_LIBXL_CONTEXT, _LIBXL_CHECKPOINT_END, _LIBXL_CHECKPOINT_STATE = 0x1, 0x4, 0x5
_LIBXC_CHECKPOINT: Final = 0xE


class FramingError(Exception):
    """The bytes are not those of a Remus stream; the text says in which way."""


class Framing:
    """Follows the frames; only headers are looked at."""

    complete: int
    """Checkpoints that have passed whole; the first is the full copy."""
    held: int
    """Bytes, the last that were taken, that may be passed on only with what completes their checkpoint: without them
    libxc still waits for the end of its part."""

    def __init__(self) -> None:
        self.complete = self.held = 0
        self._skip = 0
        self._head = bytearray()
        self._in_checkpoint = False
        self._need = _XL_HEADER.size
        self._read: Callable[[bytes], None] = self._xl_header

    def take(self, data: memoryview) -> None:
        """Go on over `data`; raises FramingError, and then nothing of it may be passed on."""
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
            else:
                step = min(self._need - len(self._head), len(data) - at)
                self._head += data[at : at + step]
            at += step
            if self._in_checkpoint:
                self.held = _bounded(self.held + step)
            if len(self._head) == self._need:
                head = bytes(self._head)
                self._head.clear()
                self._read(head)

    def _expect(self, layout: struct.Struct, read: Callable[[bytes], None]) -> None:
        self._need, self._read = layout.size, read

    def _xl_header(self, head: bytes) -> None:
        magic, order, mandatory, _, length = _XL_HEADER.unpack(head)
        if magic != _XL_MAGIC or order != _XL_BYTE_ORDER:
            raise FramingError(f"no domain of xl is sent: the stream begins with {head[:32]!r}")
        if not mandatory & _XL_STREAM_V2:
            raise FramingError("a stream of the format before Xen 4.6 is sent, whose checkpoints cannot be told")
        self._skip = _bounded(length)
        self._expect(_LIBXL_HEADER, self._libxl_header)

    def _libxl_header(self, head: bytes) -> None:
        if _LIBXL_HEADER.unpack(head) != _LIBXL_MAGIC:
            raise FramingError(f"no stream of libxl, version 2, little-endian: {head!r}")
        self._expect(_RECORD, self._libxl_record)

    def _libxl_record(self, head: bytes) -> None:
        kind, length = _RECORD.unpack(head)
        if kind == _LIBXL_CONTEXT and not self._in_checkpoint:
            self._expect(_LIBXC_HEADER, self._libxc_header)
        elif kind == _LIBXL_CHECKPOINT_END and self._in_checkpoint and not length:
            self._in_checkpoint = False
            self.held = 0
            self.complete += 1
            self._expect(_RECORD, self._libxc_record)
        elif kind in {_LIBXL_CONTEXT, _LIBXL_CHECKPOINT_END, _LIBXL_CHECKPOINT_STATE}:
            raise FramingError(f"record {kind:#x} of libxl where Remus has none")
        else:
            _check_kind("libxl", kind)
        self._skip = _padded(length)

    def _libxc_header(self, head: bytes) -> None:
        marker, magic, version, options, *_ = _LIBXC_HEADER.unpack(head)
        if (marker, magic) != _LIBXC_MAGIC or version not in _LIBXC_VERSIONS or options & 1:
            raise FramingError(f"no image of libxc, version 2 or 3, little-endian: {head[:24]!r}")
        self._expect(_RECORD, self._libxc_record)

    def _libxc_record(self, head: bytes) -> None:
        kind, length = _RECORD.unpack(head)
        _check_kind("libxc", kind)
        if kind == _LIBXC_CHECKPOINT:
            self._in_checkpoint = True
            self.held = 1
            self._expect(_RECORD, self._libxl_record)
        self._skip = _padded(length)


def _check_kind(layer: str, kind: int) -> None:
    if kind == _END:
        raise FramingError(f"{layer} says that the stream ends, as Remus never does")
    if kind & ~_OPTIONAL >= _KNOWN_TYPES:
        raise FramingError(f"record {kind:#x} of {layer} is unknown")


def _padded(length: int) -> int:
    return (_bounded(length) + 7) & ~7


def _bounded(length: int) -> int:
    """Of a record, or of libxl's part of a checkpoint."""
    if length > _LARGEST_RECORD:
        raise FramingError(f"a record of {length} bytes, and {_LARGEST_RECORD} are the most there can be")
    return length
