import base64
import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from demo import page, story
from demo.record import Event, Record, load
from demo.verdict import judge
from tests.demo.capture import CAPTURE

PICTURE = b"not a picture, but bytes \x00\xff"


@pytest.fixture
def record() -> Record:
    return load(CAPTURE)


def written(record: Record, folder: Path) -> str:
    verdict = judge(record.samples, record.spans, record.protective_ms)
    (folder / "demo.png").write_bytes(PICTURE)
    page.write(record, verdict, story.sentences(record, verdict), folder / "demo.png", folder / "demo.html")
    return (folder / "demo.html").read_text(encoding="utf-8")


class Links(HTMLParser):
    """Whatever a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [str(value) for name, value in attrs if name in {"src", "href", "srcset", "data"}]


def test_it_needs_no_other_file(record: Record, tmp_path: Path) -> None:
    links = Links()
    links.feed(written(record, tmp_path))
    (link,) = links.found
    kind, _, data = link.partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == PICTURE


def test_it_tells_everything(record: Record, tmp_path: Path) -> None:
    text = html.unescape(re.sub("<[^>]+>", "", written(record, tmp_path)))
    verdict = judge(record.samples, record.spans, record.protective_ms)
    for sentence in story.sentences(record, verdict):
        assert sentence in text
    for event in record.events:
        assert event.text in text
    assert text.count("phase") == len(record.spans)
    for name, configuration in record.files.items():
        assert name in text
        assert configuration in text
    assert record.machine in text
    assert f"commit {record.commit}" in text
    assert "No Xen was involved" in text


def test_text_is_never_taken_for_markup(record: Record, tmp_path: Path) -> None:
    odd = Event(record.spans[0].start_ns, "model", "<script>alert(1)</script>")
    text = written(replace(record, events=(odd,), files={"agent.toml": 'host = "<b>"'}), tmp_path)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "<b>" not in text
