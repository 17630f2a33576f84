"""The page: in, a record, what is to be told of it, and its picture; out, one HTML file that needs no other."""

import base64
from collections.abc import Sequence
from pathlib import Path

from demo import story
from demo.record import Record
from demo.site import TEMPLATES
from demo.verdict import Verdict


def write(record: Record, verdict: Verdict, sentences: Sequence[str], picture: Path, path: Path) -> None:
    """Write the page with the picture in it."""
    text = TEMPLATES.get_template("page.html.j2").render(
        record=record,
        verdict=verdict,
        headline=story.headline(record, verdict),
        sentences=sentences,
        picture=base64.b64encode(picture.read_bytes()).decode("ascii"),
        timetable=story.timetable(record),
        local_time=story.local_time,
    )
    path.write_text(text, encoding="utf-8")
