import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reports import Applied, Checkpoint, Ended, Report, ReportError, parse

CHECKPOINT = {
    "version": 1,
    "kind": "checkpoint",
    "sequence": 17,
    "interval_ms": 200,
    "period_ms": 364.1,
    "pause_ms": 160.2,
    "send_ms": 3.6,
}
APPLIED = {"version": 1, "kind": "applied", "sequence": 18, "interval_ms": 2000, "latency_ms": 0.4}
ENDED = {"version": 1, "kind": "ended", "reason": "backup failed"}


@pytest.mark.parametrize(
    ("said", "report"),
    [
        (CHECKPOINT, Checkpoint(17, 200.0, 364.1, 160.2, 3.6)),
        (APPLIED, Applied(18, 2000.0, 0.4)),
        (ENDED, Ended("backup failed")),
        ({**APPLIED, "sequence": 0, "later": "addition"}, Applied(0, 2000.0, 0.4)),
        (
            {"version": 1, "kind": "checkpoint", "sequence": 0, "interval_ms": 25},
            Checkpoint(0, 25.0, None, None, None),
        ),
    ],
    ids=["checkpoint", "applied", "ended", "unknown key", "first checkpoint"],
)
def test_reads_reports(said: dict[str, object], report: Report) -> None:
    assert parse(json.dumps(said).encode()) == report


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({**CHECKPOINT, "version": 2}, "version 2, known is 1"),
        ({**CHECKPOINT, "kind": "resumed"}, "unknown kind 'resumed'"),
        ({**CHECKPOINT, "pause_ms": -1.0}, "-1.0 is not a time"),
        ({**CHECKPOINT, "pause_ms": None}, "None is not a time"),
        ({**CHECKPOINT, "period_ms": float("nan")}, "nan is not a time"),
        ({**CHECKPOINT, "interval_ms": 3_600_001}, "3600001 is not a time"),
        ({**CHECKPOINT, "interval_ms": True}, "True is not a time"),
        ({**CHECKPOINT, "interval_ms": "25"}, "'25' is not a time"),
        ({**CHECKPOINT, "sequence": 1.5}, "1.5 is not a whole number"),
        ({**CHECKPOINT, "sequence": -1}, "-1 is not a whole number"),
        ({**ENDED, "reason": 3}, "3 is not text"),
        ({**ENDED, "reason": "\ud800"}, "surrogates not allowed"),
        ({**ENDED, "reason": "x" * 1100}, "longer than 1024 bytes"),
        ({"version": 1, "kind": "applied", "sequence": 18, "interval_ms": 25}, "KeyError: 'latency_ms'"),
        ({}, "KeyError: 'version'"),
        ([1], "TypeError"),
    ],
)
def test_refuses_what_is_no_report_and_shows_it(said: object, complaint: str) -> None:
    datagram = json.dumps(said)
    with pytest.raises(ReportError, match=complaint) as error:
        parse(datagram.encode())
    assert repr(datagram[:200]) in str(error.value)


@given(st.binary(max_size=1100) | st.just(b"[" * 1024) | st.just(b"9" * 1024))
def test_whatever_comes_is_a_report_or_an_error_of_its_own(datagram: bytes) -> None:
    with pytest.raises(ReportError):
        parse(datagram)
