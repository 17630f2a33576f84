"""A proxy that misbehaves to order: in, faults for coming requests; out, an address to use instead of the server's."""

import gzip
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Act(Enum):
    """What to do with a request other than answering it."""

    PASS = auto()
    """Hand it to the server, and its answer back."""
    HANG = auto()
    """Never answer; the server does not see it."""
    CUT_REQUEST = auto()
    """Reset the connection in the middle of the request; the server does not see it."""
    CUT_RESPONSE = auto()
    """Let the server act on it, then end the connection in the middle of its answer."""


@dataclass(frozen=True)
class Answer:
    """Answer `status` in the server's place, as InfluxDB words its errors."""

    status: int
    retry_after: str | None = None
    message: str = "ordered by the test"


Fault = Act | Answer


@dataclass(frozen=True)
class Request:
    """A request, its body unzipped."""

    method: str
    path: str
    body: bytes
    gzipped: bool = False


@dataclass
class FaultProxy:
    """What happens to each request: the next of `faults`, or what `decide` says when there is none."""

    url: str
    decide: Callable[[Request], Fault] = lambda _: Act.PASS
    faults: deque[Fault] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def order(self, *faults: Fault) -> None:
        """Meet the next requests with these, one each."""
        self.faults.extend(faults)

    def next_fault(self, request: Request) -> Fault:
        """Count the request, and say what is to happen to it."""
        with self._lock:
            self.requests.append(request)
            return self.faults.popleft() if self.faults else self.decide(request)


@contextmanager
def running_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy on a free loopback port before the server at `upstream`."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.upstream = urlsplit(upstream).netloc
    server.proxy = FaultProxy(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.proxy
    finally:
        server.proxy.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection open
    upstream: str
    proxy: FaultProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are what this proxy is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        gzipped = self.headers.get("Content-Encoding") == "gzip"
        body = gzip.decompress(raw) if gzipped else raw
        fault = self.server.proxy.next_fault(Request(self.command, self.path, body, gzipped))
        match fault:
            case Answer():
                self._answer(fault)
            case Act.PASS:
                self.wfile.write(b"".join(self._forward(raw)))
            case Act.HANG:
                self.server.proxy.closing.wait()
                self.close_connection = True
            case Act.CUT_REQUEST:
                self._reset()
            case Act.CUT_RESPONSE:
                head, content = self._forward(raw)
                self.wfile.write(head + content[: len(content) // 2] if content else head[: len("HTTP/1.1 ")])
                self.close_connection = True

    do_GET = do_POST = _handle  # noqa: N815 - http.server looks the methods up by these names

    def _answer(self, answer: Answer) -> None:
        body = json.dumps({"code": "test", "message": answer.message}).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if answer.retry_after is not None:
            self.send_header("Retry-After", answer.retry_after)
        self.end_headers()
        self.wfile.write(body)

    def _forward(self, raw: bytes) -> tuple[bytes, bytes]:
        connection = HTTPConnection(self.server.upstream, timeout=30)
        try:
            connection.request(self.command, self.path, raw, dict(self.headers.items()))
            return _serialise(connection.getresponse())
        finally:
            connection.close()

    def _reset(self) -> None:
        # linger 0: closing sends a reset, so that the client sees the cut at once
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        """Keep the tests' output clean."""


def _serialise(response: HTTPResponse) -> tuple[bytes, bytes]:
    body = response.read()
    kept = {k: v for k, v in response.getheaders() if k.lower() not in {"transfer-encoding", "content-length"}}
    lines = [f"HTTP/1.1 {response.status} {response.reason}", *(f"{k}: {v}" for k, v in kept.items())]
    if response.status != 204:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1"), body
