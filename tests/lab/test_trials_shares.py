import pytest

from lab.trials.shares import CLAIM_PARTS, PARTS, shares
from lab.trials.sightings import Frame

CUT_NS = 1764000000_000000000
JOURNAL = """\
1763999990.000000 b hefery-remus[480]: web1: taking over: heartbeat 1012 ms ago, 12 checkpoints
1764000001.100000 b hefery-remus[490]: web1: taking over: heartbeat 1004 ms ago, stream 31 ms ago, 97 checkpoints
1764000001.200000 b xl[491]: xc: info: All records buffered
1764000006.000000 b hefery-remus[490]: web1: takeover: web1 runs here now: the primary's host is silent, xl 2300 ms
"""
FRAMES = [Frame("a", CUT_NS - 1), Frame("b", CUT_NS + 4_000_000_000), Frame("b", CUT_NS + 5_000_000_000)]


def test_parts_follow_each_other_and_add_up_to_the_first_answer() -> None:
    parts = shares(JOURNAL, FRAMES, "b", CUT_NS, 4.5)
    assert list(parts) == list(PARTS)
    assert list(parts.values()) == pytest.approx([1.1, 2.3, 0.6, 0.5], abs=1e-6)
    assert sum(parts.values()) == pytest.approx(4.5, abs=1e-6)


@pytest.mark.parametrize(
    ("journal", "frames", "answer_s"),
    [
        ("", FRAMES, 4.5),
        (JOURNAL.replace("1764000001.1", "1763999999.1"), FRAMES, 4.5),
        (JOURNAL.replace(", xl 2300 ms", ""), FRAMES, 4.5),
        (JOURNAL, FRAMES[:1], 4.5),
        (JOURNAL, FRAMES, None),
    ],
)
def test_nothing_is_made_up_for_what_was_not_seen(journal: str, frames: list[Frame], answer_s: float | None) -> None:
    assert shares(journal, frames, "b", CUT_NS, answer_s) == {}


def test_where_a_lease_decides_it_is_told_what_the_decision_waited_for() -> None:
    claimed = (
        ": the primary is silent: lease 1900 ms, fence 140 ms, record 30 ms, stream 0 ms, guard 210 ms, xl 2300 ms"
    )
    parts = shares(JOURNAL.replace(": the primary's host is silent, xl 2300 ms", claimed), FRAMES, "b", CUT_NS, 4.5)
    assert list(parts) == [*PARTS, *CLAIM_PARTS]
    assert [parts[part] for part in CLAIM_PARTS] == pytest.approx([1.9, 0.14, 0.03, 0.0, 0.21], abs=1e-6)
    assert sum(parts[part] for part in PARTS) == pytest.approx(4.5, abs=1e-6)
