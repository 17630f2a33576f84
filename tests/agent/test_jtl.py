from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.jtl import Answer, Jtl, JtlError
from tests.agent.jmeter import ANSWERS, ERRORS, LABEL, RUN, rows

PATH = Path("run.jtl")
HEADER = b"timeStamp,elapsed,label,success\n"


def read(*pieces: bytes) -> list[Answer | JtlError]:
    jtl = Jtl(PATH)
    return [answer for piece in pieces for answer in jtl.read(piece)]


def test_a_run_of_jmeter_is_read_as_it_counted_it() -> None:
    answers = [answer for answer in read(RUN.read_bytes()) if isinstance(answer, Answer)]
    assert len(answers) == ANSWERS
    assert sum(not answer.good for answer in answers) == ERRORS
    assert {answer.label for answer in answers} == {LABEL}
    assert [(answer.end_ms - answer.elapsed_ms, answer.elapsed_ms) for answer in answers] == [
        (int(row["timeStamp"]), int(row["elapsed"])) for row in rows()
    ]


@given(st.lists(st.integers(0, RUN.stat().st_size), max_size=20))
def test_it_may_come_in_any_pieces(cuts: list[int]) -> None:
    data, places = RUN.read_bytes(), sorted(cuts)
    pieces = [data[start:stop] for start, stop in zip([0, *places], [*places, len(data)], strict=True)]
    assert read(*pieces) == read(data)


def test_a_field_may_hold_the_end_of_a_line_and_columns_any_order() -> None:
    data = b'success,label,elapsed,timeStamp\r\ntrue,"two\nlines, ""quoted""",20,1000\r\n'
    assert read(data) == [Answer('two\nlines, "quoted"', 1020, 20, good=True)]


def test_a_record_without_its_end_waits() -> None:
    jtl = Jtl(PATH)
    assert list(jtl.read(HEADER + b'1000,20,"ho')) == []
    assert jtl.rest == b'1000,20,"ho'
    assert list(jtl.read(b'me",false\n')) == [Answer("home", 1020, 20, good=False)]
    assert jtl.rest == b""


def test_a_run_that_is_appended_repeats_the_header() -> None:
    assert read(HEADER + b"1,2,x,true\n" + HEADER + b"3,4,y,true\n") == [
        Answer("x", 3, 2, good=True),
        Answer("y", 7, 4, good=True),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"1,2,x", "3 columns instead of 4"),
        (b"2026/11/23 10:00:00,2,x,true", "are not both in milliseconds"),
        (b"1,-2,x,true", "are not both in milliseconds"),
        (b"1,2,x,maybe", "success is 'maybe'"),
        (b"", "0 columns instead of 4"),
        (b'1,2,"x"y,true', "expected after"),
    ],
)
def test_a_broken_record_is_named_and_the_next_one_read(line: bytes, said: str) -> None:
    error, answer = read(HEADER + line + b"\n5,6,z,true\n")
    assert str(error).startswith("run.jtl, line 2: ")
    assert said in str(error)
    assert answer == Answer("z", 11, 6, good=True)


@pytest.mark.parametrize("line", [b"<?xml version='1.0'?>\n", b"1,2,home,200,true\n", b"\n"])
def test_what_is_no_csv_of_jmeters_is_refused_with_the_remedy(line: bytes) -> None:
    with pytest.raises(JtlError, match=r"run.jtl, line 1: timeStamp, .*output_format=csv"):
        read(line)


def test_a_quote_without_an_end_does_not_swallow_a_file() -> None:
    lost = HEADER + b'1,2,"x,true\n' + b"3,4,y,true\n" * 2_000
    assert any(isinstance(answer, Answer) for answer in read(lost))
