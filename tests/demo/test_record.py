from pathlib import Path

from demo import record
from tests.demo.capture import CAPTURE


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    seen = record.load(CAPTURE)
    record.save(seen, tmp_path / "record.json")
    assert record.load(tmp_path / "record.json") == seen
    assert len(seen.samples) > 100
