from pathlib import Path

import pytest

from agent.clock import Now
from agent.hold import HoldError, allowed_ms, hold_path, parse_duration_s, place, read, release
from telemetry.units import NS_PER_S

NOW = Now(monotonic_ns=1_000 * NS_PER_S, wall_ns=1_700_000_000 * NS_PER_S)
PROTECTIVE_MS = 25


def at(monotonic_s: float, wall_s: float) -> Now:
    return Now(NOW.monotonic_ns + int(monotonic_s * NS_PER_S), NOW.wall_ns + int(wall_s * NS_PER_S))


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", 7_200), ("90m", 5_400), ("1h30m", 5_400), ("45s", 45), ("1d", 86_400)]
)
def test_reads_durations(text: str, seconds: int) -> None:
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "2 h", "-2h", "0s", "1.5h", "inf", "31d", "two hours", "2h!", "٢h"])
def test_a_bad_duration_gets_one_sentence_with_the_remedy(text: str) -> None:
    with pytest.raises(HoldError, match=r"such as 2h|at most 30d") as caught:
        parse_duration_s(text)
    assert "\n" not in str(caught.value)


def test_a_hold_stands_by_the_monotonic_clock_in_this_boot(tmp_path: Path) -> None:
    path = hold_path(tmp_path, "web")
    place(path, 100, 60, NOW, "boot")
    assert allowed_ms(path, at(59.9, 1e6), "boot", PROTECTIVE_MS) == 100
    assert allowed_ms(path, at(60.0, -1e6), "boot", PROTECTIVE_MS) is None


def test_a_hold_stands_by_the_wall_clock_after_a_reboot(tmp_path: Path) -> None:
    path = hold_path(tmp_path, "web")
    place(path, 100, 60, NOW, "boot")
    assert allowed_ms(path, at(-999.0, 59.9), "another boot", PROTECTIVE_MS) == 100
    assert allowed_ms(path, at(-999.0, 60.0), "another boot", PROTECTIVE_MS) is None


def test_a_new_hold_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = hold_path(tmp_path, "web")
    place(path, 100, 60, NOW, "boot")
    place(path, 50, 10, NOW, "boot")
    assert allowed_ms(path, at(5.0, 5.0), "boot", PROTECTIVE_MS) == 50


def test_a_released_hold_is_gone(tmp_path: Path) -> None:
    path = hold_path(tmp_path, "web")
    place(path, 100, 60, NOW, "boot")
    assert release(path)
    assert not release(path)
    assert allowed_ms(path, NOW, "boot", PROTECTIVE_MS) is None


@pytest.mark.parametrize("text", ["", "{}", "x", '{"interval_ms": 8000}', "\xff"])
def test_a_hold_that_cannot_be_understood_protects(tmp_path: Path, text: str) -> None:
    path = hold_path(tmp_path, "web")
    path.parent.mkdir()
    path.write_text(text, encoding="latin-1")
    assert allowed_ms(path, NOW, "boot", PROTECTIVE_MS) == PROTECTIVE_MS
    with pytest.raises(HoldError, match="--release"):
        read(path)
