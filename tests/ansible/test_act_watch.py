"""A client that asks a guest all the time keeps what it saw around the longest silence."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.ansible.plugins import load

WATCH = load("act/library/act_watch.py")


def test_a_watch_keeps_both_sides_of_the_longest_silence() -> None:
    watch = WATCH.Watch()
    for text, at_s in (("counter=1 boot=AB", 0.0), ("counter=2 boot=AB", 0.1), ("counter=3 boot=AB", 4.0)):
        watch.hear(text, at_s)
    watch.hear("counter=4 boot=AB", 4.1)
    told = watch.summary()
    assert (told["answers"], told["without_answer_s"]) == (4, 3.9)
    assert [told[key]["counter"] for key in ("first", "before", "after", "last")] == ["1", "2", "3", "4"]


@pytest.fixture
def page() -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"counter=7 requests=1 boot=AB uptime=3\n")

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_client_asks_for_the_page(page: str) -> None:
    text = WATCH.ask(page, 5.0)
    assert WATCH.told(text) == {"counter": "7", "requests": "1", "boot": "AB", "uptime": "3"}
    assert WATCH.ask("http://127.0.0.1:1/", 5.0) is None
