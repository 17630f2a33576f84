import time
from pathlib import Path

import pytest

from failover import pulse
from failover.datagram import DatagramError, Heartbeat, decode
from failover.peer import Peer, copies_held
from failover.pulse import Pulse

KEY = b"k" * 32
MS = 10**6


def beat(count: int, incarnation: bytes = b"i" * 16, copies: tuple[str, ...] = ()) -> Heartbeat:
    return Heartbeat("b", incarnation, count, copies)


def peer(tmp_path: Path, now_ns: int = 0) -> Peer:
    return Peer("b", ("127.0.0.1", 1), tmp_path, now_ns)


def known(tmp_path: Path) -> Pulse:
    found = pulse.read(pulse.path(tmp_path, "b"))
    assert found
    return found


def test_datagram_comes_back() -> None:
    assert decode(beat(3, copies=("web1", "web2")).encode(KEY), KEY) == beat(3, copies=("web1", "web2"))
    assert decode(beat(3).encode(KEY), KEY).copies == ()


def test_datagram_fits_a_frame_whatever_it_tells() -> None:
    datagram = beat(1, copies=tuple(f"guest-{number:060}" for number in range(100))).encode(KEY)
    assert len(datagram) <= 1400
    assert all(len(name) == 66 for name in decode(datagram, KEY).copies)


@pytest.mark.parametrize("bad", [b"", b"x" * 100, beat(1).encode(b"o" * 32), beat(1).encode(KEY)[:-1]])
def test_datagram_of_a_stranger(bad: bytes) -> None:
    with pytest.raises(DatagramError):
        decode(bad, KEY)


def test_pulse_follows_heartbeats_and_ticks(tmp_path: Path) -> None:
    listening = peer(tmp_path, 10 * MS)
    listening.hear(beat(1), 50 * MS)
    listening.tick(100 * MS)
    assert known(tmp_path) == Pulse(100 * MS, 10 * MS, 50 * MS, 0)
    listening.answered(120 * MS)
    assert known(tmp_path).alive_ns == 120 * MS
    assert listening.silent_ns(150 * MS) == 30 * MS


def test_a_heartbeat_played_again_is_not_heard(tmp_path: Path) -> None:
    listening = peer(tmp_path)
    listening.hear(beat(7), 1 * MS)
    for old in (beat(7), beat(6)):
        listening.hear(old, 2 * MS)
    assert known(tmp_path).heard_ns == 1 * MS
    listening.hear(beat(1, b"j" * 16), 3 * MS)  # its daemon was started again
    listening.hear(beat(7), 4 * MS)
    assert known(tmp_path).heard_ns == 3 * MS


def test_one_old_heartbeat_does_not_deafen(tmp_path: Path) -> None:
    listening = peer(tmp_path)
    listening.hear(beat(1), 1 * MS)
    listening.hear(beat(9, b"o" * 16), 2 * MS)  # of before this daemon began
    listening.hear(beat(2), 3 * MS)
    assert known(tmp_path).heard_ns == 3 * MS


def test_a_daemon_that_stood_still_listens_afresh(tmp_path: Path) -> None:
    listening = peer(tmp_path, 0)
    listening.tick(400 * MS)
    assert known(tmp_path).listening_since_ns == 0
    listening.tick(5000 * MS)
    assert known(tmp_path).listening_since_ns == 5000 * MS


def test_a_new_daemon_remembers_what_was_heard(tmp_path: Path) -> None:
    peer(tmp_path).hear(beat(1), 7 * MS)
    peer(tmp_path, 90 * MS)
    assert known(tmp_path) == Pulse(90 * MS, 90 * MS, 7 * MS, 0)


def test_copies_are_what_was_told_last(tmp_path: Path) -> None:
    assert copies_held(tmp_path, "b") == frozenset()
    listening = peer(tmp_path)
    listening.hear(beat(1, copies=("web1", "web2")), 1)
    assert copies_held(tmp_path, "b") == {"web1", "web2"}
    listening.hear(beat(2), 2)
    assert copies_held(tmp_path, "b") == frozenset()


def test_half_a_pulse_is_none(tmp_path: Path) -> None:
    path = pulse.path(tmp_path, "b")
    assert pulse.read(path) is None
    peer(tmp_path)
    path.write_bytes(path.read_bytes()[:20])
    assert pulse.read(path) is None


def test_silence_is_known_only_to_a_daemon_that_is_awake_and_once_heard_it(tmp_path: Path) -> None:
    def kept(tick_s: float, heard_s: float, answered_s: float = 0, since_s: float = 0) -> float | None:
        ages = (tick_s, since_s, heard_s, answered_s)
        now_ns = time.monotonic_ns()
        written = Pulse(*(int(now_ns - age_s * 1e9) if age_s else 0 for age_s in ages))
        pulse.Writer(pulse.path(tmp_path, "b")).write(written)
        return pulse.silence_s(tmp_path, "b")

    assert pulse.silence_s(tmp_path, "b") is None
    assert kept(tick_s=0.1, heard_s=3) == pytest.approx(3, abs=0.3)
    assert kept(tick_s=0.1, heard_s=3, answered_s=2) == pytest.approx(2, abs=0.3)
    assert kept(tick_s=0.1, heard_s=3, since_s=1) == pytest.approx(1, abs=0.3)
    assert kept(tick_s=0.1, heard_s=0) is None
    assert kept(tick_s=0.6, heard_s=3) is None
