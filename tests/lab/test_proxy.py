import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lab.proxy import Proxy


class Mirror(BaseHTTPRequestHandler):
    """Says how often it was asked; has no `missing`."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        if "missing" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.asked}".encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def mirror() -> Iterator[str]:
    Mirror.asked = 0
    with HTTPServer(("127.0.0.1", 0), Mirror) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def through(tmp_path: Path) -> Iterator[urllib.request.OpenerDirector]:
    with Proxy(("127.0.0.1", 0), tmp_path / "packages") as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        at = f"http://127.0.0.1:{proxy.server_address[1]}"
        yield urllib.request.build_opener(urllib.request.ProxyHandler({"http": at}))
        proxy.shutdown()
        thread.join()


def get(through: urllib.request.OpenerDirector, url: str) -> bytes:
    with through.open(url, timeout=5) as answer:
        content: bytes = answer.read()
        return content


def test_fetches_a_package_once_and_an_index_each_time(mirror: str, through: urllib.request.OpenerDirector) -> None:
    assert [get(through, f"{mirror}/xen.deb") for _ in range(3)] == [b"1", b"1", b"1"]
    assert [get(through, f"{mirror}/Packages") for _ in range(2)] == [b"2", b"3"]


def test_hands_on_that_something_is_missing_and_keeps_nothing_of_it(
    mirror: str, through: urllib.request.OpenerDirector, tmp_path: Path
) -> None:
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError) as caught, through.open(f"{mirror}/missing.deb", timeout=5):
            pass
        assert caught.value.code == 404
        caught.value.close()
    assert Mirror.asked == 2
    assert not list((tmp_path / "packages").iterdir())


def test_tells_that_the_source_cannot_be_reached(through: urllib.request.OpenerDirector) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught, through.open("http://127.0.0.1:1/xen.deb", timeout=5):
        pass
    assert caught.value.code == 502
    caught.value.close()
