"""A xenstored that answers reads and directories: in, nodes by path; out, a unix socket."""

import re
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HEADER = struct.Struct("<IIII")
_DIRECTORY, _READ, _ERROR = 1, 2, 16

LISTING = (Path(__file__).parent.parent / "data" / "xenstore-ls-derived-two-guests.txt").read_text()


def nodes(listing: str = LISTING) -> dict[str, str]:
    """The nodes that `xenstore-ls -f` has listed."""
    return dict(re.findall(r'^(\S+) = "(.*)"$', listing, re.MULTILINE))


def _answer(store: dict[str, str], kind: int, path: str) -> tuple[int, bytes]:
    if path not in store:
        inside = any(known.startswith(f"{path}/") for known in store)
        if not (inside and kind == _DIRECTORY):
            return _ERROR, b"ENOENT\0"
    if kind == _READ:
        return _READ, store[path].encode()
    below = (known.removeprefix(f"{path}/") for known in list(store) if known.startswith(f"{path}/"))
    return _DIRECTORY, b"".join(name.encode() + b"\0" for name in dict.fromkeys(b.partition("/")[0] for b in below))


@contextmanager
def xenstored(path: Path, store: dict[str, str]) -> Iterator[None]:
    """Serve what is in `store`, which may change meanwhile; to read a value such as "EACCES" fails with it."""

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while header := self.rfile.read(_HEADER.size):
                kind, request, transaction, length = _HEADER.unpack(header)
                asked = self.rfile.read(length).removesuffix(b"\0").decode()
                answered, payload = _answer(store, kind, asked)
                if re.fullmatch(rb"E[A-Z]+", payload):
                    answered, payload = _ERROR, payload + b"\0"
                self.wfile.write(_HEADER.pack(answered, request, transaction, len(payload)) + payload)

    server = socketserver.ThreadingUnixStreamServer(str(path), Conversation)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        path.unlink()
