"""What the restoring xl says: in, its standard error; out, the same without what it says at each checkpoint.

xl knows no quieter level than that at which libxc tells of every checkpoint that all records are buffered, then
processed: at 25 ms some 7 million lines a day, in which the journal loses what matters.
"""

import re
import threading
from contextlib import suppress
from typing import IO, Final

_OF_EVERY_CHECKPOINT: Final = re.compile(rb"xc: info: All records (buffered|processed)$")


def relay(source: IO[bytes], sink: IO[bytes]) -> threading.Thread:
    """Pass on what matters, in a thread of its own, until `source` ends; it is closed then."""
    thread = threading.Thread(target=_relay, args=(source, sink), name="chatter", daemon=True)
    thread.start()
    return thread


def _relay(source: IO[bytes], sink: IO[bytes]) -> None:
    with source:
        for line in source:
            if not _OF_EVERY_CHECKPOINT.search(line.rstrip()):
                with suppress(OSError, ValueError):  # where nobody hears it: xl, unread, would stop, or die of SIGPIPE
                    sink.write(line)
                    sink.flush()
