"""A caching proxy for apt: in, requests of hosts without a way out; out, packages, each fetched from outside once.

usage: python -m lab.proxy NAMESPACE FOLDER
"""

import ctypes
import hashlib
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, Final

from lab.landscape import BRIDGE_ADDRESS

_PORT: Final = 3142
_CLONE_NEWNET: Final = 0x40000000
_KEPT: Final = ".deb"  # a package never changes, an index does
_OUTSIDE_S: Final = 60


class Proxy(ThreadingHTTPServer):
    """Listens where hosts can reach it, fetches as this machine does, and keeps packages in `folder`."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        super().__init__(address, Handler)

    def fetch(self, url: str) -> IO[bytes]:
        """What is at `url`, to be closed. Raises OSError, or HTTPError with what the source says."""
        kept = self.folder / hashlib.sha256(url.encode()).hexdigest()
        if kept.exists():
            return kept.open("rb")
        with tempfile.NamedTemporaryFile(dir=self.folder) as new:
            with urllib.request.urlopen(url, timeout=_OUTSIDE_S) as source:  # noqa: S310 - do_GET lets only http through
                shutil.copyfileobj(source, new)
            new.flush()
            if url.endswith(_KEPT):
                kept.unlink(missing_ok=True)
                os.link(new.name, kept)
            return Path(new.name).open("rb")  # its name ends here, its content when the reader is done


class Handler(BaseHTTPRequestHandler):
    """Answers GET http://..."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_GET(self) -> None:
        """Hand on what the source says."""
        if not self.path.startswith("http://"):
            self.send_error(400, "only http:// is handed on")
            return
        try:
            with self.server.fetch(self.path) as content:
                self.send_response(200)
                self.send_header("Content-Length", f"{os.fstat(content.fileno()).st_size}")
                self.end_headers()
                shutil.copyfileobj(content, self.wfile)
        except urllib.error.HTTPError as error:
            self.send_error(error.code)
        except OSError as error:
            self.send_error(502, f"{error}")


@contextmanager
def _inside(namespace: str) -> Iterator[None]:
    """Sockets made meanwhile are in that network namespace (Python has os.setns from 3.12)."""
    libc: Any = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/self/ns/net").open("rb") as here, Path("/run/netns", namespace).open("rb") as there:
        _enter(libc, there.fileno())
        try:
            yield
        finally:
            _enter(libc, here.fileno())


def _enter(libc: Any, namespace: int) -> None:
    if libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def main(namespace: str, folder: str) -> None:
    """Serve until killed."""
    with _inside(namespace):
        proxy = Proxy((BRIDGE_ADDRESS, _PORT), Path(folder))
    proxy.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
