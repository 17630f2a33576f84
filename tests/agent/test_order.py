import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.order import (
    MAX_AHEAD_NS,
    Order,
    OrderError,
    domain_directory,
    effective_interval_ms,
    order_path,
    read,
    write,
)

NOW_NS = 5_000_000_000_000
PROTECTIVE_MS = 25
S = 10**9
LINE = '{"version": 1, "sequence": 7, "interval_ms": 2000, "deadline_monotonic_ns": 5010000000000}\n'


def effective(text: str | None, now_ns: int = NOW_NS) -> int:
    return effective_interval_ms(text, now_ns, PROTECTIVE_MS)


def test_an_order_is_one_line_of_json() -> None:
    order = Order(sequence=7, interval_ms=2000, deadline_monotonic_ns=NOW_NS + 10 * S)
    assert order.encode() == LINE
    assert Order.parse(LINE) == order


def test_an_order_stands_from_60_s_before_its_deadline_until_then() -> None:
    deadline_ns = NOW_NS + 10 * S
    assert effective(LINE, deadline_ns - MAX_AHEAD_NS - 1) == PROTECTIVE_MS
    assert effective(LINE, deadline_ns - MAX_AHEAD_NS) == 2000
    assert effective(LINE, deadline_ns - 1) == 2000
    assert effective(LINE, deadline_ns) == PROTECTIVE_MS
    assert effective(LINE, deadline_ns + 1) == PROTECTIVE_MS


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "2000\n",
        LINE[:-1],
        LINE + LINE,
        LINE[: len(LINE) // 2],
        LINE.replace('"version": 1', '"version": 2'),
        LINE.replace('"version": 1', '"version": 1.0'),
        LINE.replace('"version": 1, ', ""),
        LINE.replace("2000", "-2000"),
        LINE.replace("2000", "0"),
        LINE.replace("2000", "2e3"),
        LINE.replace("2000", "NaN"),
        LINE.replace("2000", "02000"),
        LINE.replace("2000", "99999999"),
        LINE.replace("2000", "٢٠٠٠"),
        LINE.replace("5010000000000", "1" * 19),
        LINE.replace("}", ', "extra": 1}'),
        LINE.replace(": ", ":"),
    ],
)
def test_whatever_is_no_order_means_the_protective_interval(text: str | None) -> None:
    assert effective(text) == PROTECTIVE_MS


@given(st.text(alphabet='{}":, 0123456789\nabcdefghijklmnopqrstuvwxyz_NaN-+.'), st.integers(0, len(LINE)))
def test_no_text_spliced_into_an_order_is_read_as_another_spelling(splice: str, at: int) -> None:
    text = LINE[:at] + splice + LINE[at:]
    try:
        assert Order.parse(text).encode() == text
    except OrderError:
        assert effective(text) == PROTECTIVE_MS


def test_no_order_is_shorter_than_the_protective_interval() -> None:
    assert effective(Order(1, 3, NOW_NS + S).encode()) == PROTECTIVE_MS


@pytest.mark.parametrize("order", [Order(-1, 25, 1), Order(1, 0, 1), Order(1, 25, -1), Order(10**18, 25, 1)])
def test_refuses_to_encode_what_no_reader_would_believe(order: Order) -> None:
    with pytest.raises(OrderError, match="does not fit"):
        order.encode()


def test_a_written_order_is_private_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = order_path(tmp_path, "web 1")
    write(path, Order(1, 25, NOW_NS))
    write(path, Order(2, 100, NOW_NS))
    assert read(path) == Order(2, 100, NOW_NS).encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["order"]


def test_an_order_that_cannot_be_replaced_is_withdrawn(tmp_path: Path) -> None:
    path = order_path(tmp_path, "web")
    write(path, Order(1, 2_000, NOW_NS))
    (path.parent / ".order.new").mkdir()  # in the way, as a full disk is
    with pytest.raises(OSError, match="Is a directory"):
        write(path, Order(2, 25, NOW_NS))
    assert read(path) is None


def test_an_order_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "order") is None
    (tmp_path / "order").write_bytes(b"\xff\xfe")
    assert read(tmp_path / "order") is None


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../etc", "a\\b", "a\n"])
def test_a_name_cannot_lead_out_of_the_run_directory(name: str, tmp_path: Path) -> None:
    with pytest.raises(OrderError, match="cannot be a domain's name"):
        domain_directory(tmp_path, name)
