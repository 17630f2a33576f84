"""Line protocol as InfluxDB documents it; that a server reads it so is shown by the stores' contract."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.lines import decode_text, encode_text, to_line
from telemetry.point import Point, Value

T = 1_700_000_000_000_000_007


def test_writes_tags_sorted_and_values_by_kind() -> None:
    tags = {"host": "a", "domain": "vm"}
    point = Point("checkpoint", tags, {"pause_ms": 5.0, "send_ms": 1e-7, "protected": True}, T)
    assert to_line(point) == f"checkpoint,domain=vm,host=a pause_ms=5.0,send_ms=1e-07,protected=true {T}"
    assert to_line(Point("decision", {"domain": "vm"}, {"sequence": -3}, T)) == f"decision,domain=vm sequence=-3i {T}"


@pytest.mark.parametrize(
    ("tag", "text", "written"),
    [
        ("a b", "a b", r'kind=a\ b text="a b"'),
        ("a,b=c", "a,b=c", r'kind=a\,b\=c text="a,b=c"'),
        ('"', 'say "x"', r'kind=" text="say \"x\""'),
        ("#", "one\ntwo\r", r'kind=# text="one\\ntwo\\r"'),
        ("é", "C:\\new", r'kind=é text="C:\\\\new"'),
    ],
)
def test_escapes_what_ends_a_tag_or_a_text(tag: str, text: str, written: str) -> None:
    point = Point("event", {"kind": tag, "domain": "-", "host": "-"}, {"text": text}, T)
    assert to_line(point) == f"event,domain=-,host=-,{written} {T}"


@given(st.text())
def test_encoded_text_is_one_line_and_can_be_decoded(text: str) -> None:
    encoded = encode_text(text)
    assert not {"\n", "\r"} & set(encoded)
    assert decode_text(encoded) == text


@given(st.text(alphabet="\\nr\n\r"))
def test_no_text_is_taken_for_another(text: str) -> None:
    assert decode_text(encode_text(text)) == text


@pytest.mark.parametrize("text", ["plain", "tab\t", r"100\%", "\\"])
def test_text_that_others_wrote_is_left_as_it_is(text: str) -> None:
    assert decode_text(text) == text


@given(
    st.lists(st.text(alphabet='a,= "#é', min_size=1), min_size=3, max_size=3),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_line_has_two_spaces_that_are_not_escaped(tags: list[str], value: Value) -> None:
    point = Point("forecast", {"domain": tags[0], "model": tags[1]}, {"surprise": value}, T)
    assert len(to_line(point).replace("\\ ", "").split(" ")) == 3
