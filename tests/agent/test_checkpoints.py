import itertools
import json
import queue
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from agent.checkpoints import CheckpointCollector, read_period_s
from agent.protection import protection_path, read
from agent.reports import Applied, Checkpoint
from failover.guard_board import directory
from failover.guard_store import Told, tell
from telemetry.point import Point
from tests.agent.pacer_log import reports
from tests.agent.running import running
from tests.waiting import wait_for

TEN = {"version": 1, "kind": "checkpoint", "sequence": 3, "interval_ms": 200, "period_ms": 400, "pause_ms": 100}
ENDED = {"version": 1, "kind": "ended", "reason": "backup failed"}
PERIOD_S = 0.2


class Pacer:
    """Sends reports of a domain."""

    def __init__(self, run_dir: Path, domain: str = "h1") -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = run_dir / domain / "report.sock"

    def __enter__(self) -> "Pacer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, said: Mapping[str, object] | bytes) -> None:
        """Waits while the inbox is full, which a real pacer does not: tests want to lose nothing."""
        datagram = said if isinstance(said, bytes) else json.dumps(said).encode()
        wait_for(self.path.exists)
        self.socket.sendto(datagram, str(self.path))


class Emitted:
    """What a running collector has emitted."""

    def __init__(self) -> None:
        self.queue: queue.Queue[Point] = queue.Queue()
        self.points: list[Point] = []

    def emit(self, points: Sequence[Point]) -> None:
        for point in points:
            self.queue.put(point)

    def until(self, is_it: Callable[[Point], bool]) -> Point:
        """The next such point; those before it are kept in `points` too."""
        while True:
            self.points.append(self.queue.get(timeout=10.0))
            if is_it(self.points[-1]):
                return self.points[-1]

    def until_event(self, kind: str) -> Point:
        return self.until(lambda point: point.tags.get("kind") == kind)


@contextmanager
def emitting(collector: CheckpointCollector) -> Iterator[Emitted]:
    emitted = Emitted()
    with running(collector, emitted.emit):
        yield emitted


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    (tmp_path / "h1").mkdir()
    return tmp_path


def collector_of(run_dir: Path, **options: object) -> CheckpointCollector:
    return CheckpointCollector("a", run_dir=run_dir, period_s=PERIOD_S, **options)  # type: ignore[arg-type]  # as given


def test_reports_become_a_point_and_the_guests_share_of_time(run_dir: Path) -> None:
    collector = collector_of(run_dir)
    with emitting(collector) as emitted, Pacer(run_dir) as pacer:
        pacer.send(TEN)
        assert emitted.until_event("protected").tags == {"kind": "protected", "domain": "h1", "host": "a"}
        point = emitted.until(lambda point: point.measurement == "checkpoint")
        assert point.tags == {"host": "a", "domain": "h1"}
        known = {
            name: point.fields[name] for name in ("interval_ms", "period_ms", "pause_ms", "pause_max_ms", "protected")
        }
        assert known == {
            "interval_ms": 200.0,
            "period_ms": 400.0,
            "pause_ms": 100.0,
            "pause_max_ms": 100.0,
            "protected": True,
        }
        assert collector.ran_share("h1") == pytest.approx(0.75)
        assert collector.ran_share("h2") is None
        told = read(protection_path(run_dir, "h1"), time.monotonic_ns())
        assert told is not None
        assert told.protected
        assert told.figures["interval_ms"] == 200.0
    assert [path.name for path in (run_dir / "h1").iterdir()] == []


def test_a_copy_that_the_record_does_not_name_protects_nothing(run_dir: Path) -> None:
    directory(run_dir, "h1").mkdir(parents=True)
    tell(run_dir, Told("h1", 7, 42, is_paused=False, reason="the lease is held", backup=""))
    with emitting(collector_of(run_dir)) as emitted, Pacer(run_dir) as pacer:
        pacer.send(TEN)
        assert emitted.until(lambda point: point.measurement == "checkpoint").fields["protected"] is False
        tell(run_dir, Told("h1", 7, 42, is_paused=False, reason="the lease is held", backup="copy"))
        pacer.send(TEN)
        emitted.until_event("protected")


def test_a_real_run_through_the_socket(run_dir: Path) -> None:
    sent = [report for _, report in reports()][70:150]
    kinds = {Checkpoint: "checkpoint", Applied: "applied"}
    with emitting(collector_of(run_dir)) as emitted, Pacer(run_dir) as pacer:
        for report in sent:
            known = {name: value for name, value in asdict(report).items() if value is not None}
            pacer.send({"version": 1, "kind": kinds[type(report)], **known})
        pacer.send(ENDED)
        emitted.until(lambda point: point.fields.get("protected") is False)
    checkpoints = [report for report in sent if isinstance(report, Checkpoint)]
    longest = max(point.fields.get("pause_max_ms", 0.0) for point in emitted.points)
    assert longest == max(report.pause_ms or 0.0 for report in checkpoints)
    assert [point.tags["kind"] for point in emitted.points if point.measurement == "event"] == [
        "protected",
        *["applied" for report in sent if isinstance(report, Applied)],
        "ended",
    ]


def test_malformed_reports_are_counted_told_once_and_never_fatal(run_dir: Path) -> None:
    collector = collector_of(run_dir)
    with emitting(collector) as emitted, Pacer(run_dir) as pacer:
        for _ in range(3):
            pacer.send(b"\xff not JSON")
        pacer.send(TEN)
        emitted.until_event("protected")
        assert collector.malformed("h1") == 3
    assert [point.tags["kind"] for point in emitted.points] == ["malformed_report", "protected"]
    assert "not JSON" in str(emitted.points[0].fields["text"])


def test_events_of_one_reading_have_times_of_their_own(run_dir: Path) -> None:
    stopped = threading.Event()
    stopped.set()
    periods = itertools.count()
    collector = collector_of(run_dir, wall_ns=lambda: 1_000, monotonic_s=lambda: next(periods) * PERIOD_S)
    collector._sample()
    with Pacer(run_dir) as pacer:
        for said in (TEN, ENDED, TEN, ENDED):
            pacer.send(said)
    events = [point for point in collector._sample() if point.measurement == "event"]
    collector.run(lambda points: None, stopped)
    assert [(point.tags["kind"], point.time_ns) for point in events] == [
        ("protected", 1_000),
        ("ended", 1_001),
        ("protected", 1_002),
        ("ended", 1_003),
    ]


def test_what_came_last_is_told_at_the_stop(run_dir: Path) -> None:
    collector = collector_of(run_dir, monotonic_s=lambda: 0.0)  # the period never ends
    with emitting(collector) as emitted, Pacer(run_dir) as pacer:
        pacer.send(TEN)
        pacer.send(ENDED)
        wait_for(lambda: len(collector._watched["h1"]._fetched) == 2)
        assert emitted.queue.empty()
    assert [emitted.queue.get_nowait().tags["kind"] for _ in range(2)] == ["protected", "ended"]


def test_silence_is_told(run_dir: Path) -> None:
    fast = collector_of(run_dir, monotonic_s=lambda: time.monotonic() * 20)
    with emitting(fast) as emitted, Pacer(run_dir) as pacer:
        pacer.send(TEN)
        emitted.until_event("unprotected")
        emitted.until(lambda point: point.fields.get("protected") is False)
        assert fast.ran_share("h1") is None


def test_a_backup_host_claims_nothing(run_dir: Path) -> None:
    asked: list[str] = []
    took_over = threading.Event()

    def runs_here(domain: str) -> bool:
        asked.append(domain)
        return took_over.is_set()

    fast = collector_of(run_dir, monotonic_s=lambda: time.monotonic() * 200, runs_here=runs_here)
    with emitting(fast) as emitted:
        wait_for(lambda: len(asked) >= 6)
        assert emitted.queue.empty()
        took_over.set()
        emitted.until_event("unprotected")


def remove(folder: Path) -> None:
    """Of a sudden: the agent may be writing into it."""
    gone = Path(tempfile.mkdtemp(dir=folder.parents[1])) / folder.name
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def test_directories_may_come_go_and_come_again(run_dir: Path) -> None:
    with emitting(collector_of(run_dir)) as emitted, Pacer(run_dir, "h2") as pacer:
        (run_dir / "h2").mkdir()
        pacer.send(TEN)
        assert emitted.until_event("protected").tags["domain"] == "h2"
        remove(run_dir / "h2")
        (run_dir / "h2").mkdir()
        pacer.send(ENDED)
        emitted.until_event("ended")
        remove(run_dir / "h2")
        (run_dir / "h2").mkdir()
        pacer.send(TEN)
        emitted.until_event("protected")


def test_a_protected_domain_whose_directory_goes_is_told_unprotected(run_dir: Path) -> None:
    fast = collector_of(run_dir, monotonic_s=lambda: time.monotonic() * 20)
    with emitting(fast) as emitted, Pacer(run_dir) as pacer:
        pacer.send(TEN)
        emitted.until_event("protected")
        remove(run_dir / "h1")
        emitted.until_event("unprotected")
        emitted.until(lambda point: point.fields.get("protected") is False)


def test_a_directory_that_cannot_be_used_is_told_once_and_stops_no_other(run_dir: Path) -> None:
    (run_dir / "h0" / "report.sock").mkdir(parents=True)
    with emitting(collector_of(run_dir)) as emitted, Pacer(run_dir) as pacer:
        event = emitted.until_event("report_socket_failed")
        assert str(run_dir / "h0" / "report.sock") in str(event.fields["text"])
        pacer.send(TEN)
        for _ in range(3):
            emitted.until(lambda point: point.measurement == "checkpoint")
        (run_dir / "h0" / "report.sock").rmdir()
        wait_for((run_dir / "h0" / "report.sock").is_socket)
    kinds = [point.tags["kind"] for point in emitted.points if point.measurement == "event"]
    assert kinds == ["report_socket_failed", "protected"]


def test_removes_its_sockets_at_the_end(run_dir: Path) -> None:
    with emitting(collector_of(run_dir)):
        wait_for((run_dir / "h1" / "report.sock").exists)
    assert list((run_dir / "h1").iterdir()) == []


def test_only_the_domains_it_is_given(run_dir: Path) -> None:
    (run_dir / "h2").mkdir()
    with emitting(collector_of(run_dir, domains=["h2"])):
        wait_for((run_dir / "h2" / "report.sock").exists)
        # sockets of one reading are made in the order of the names: h1's would have come first
        assert not (run_dir / "h1" / "report.sock").exists()


def test_what_hefery_remus_keeps_there_is_no_domain(run_dir: Path) -> None:
    for name in ("acts", "guard", "heartbeat", "receive", "web"):
        (run_dir / name).mkdir()
    with emitting(collector_of(run_dir)):
        wait_for((run_dir / "web" / "report.sock").exists)  # the last, in the order of the names
        assert sorted(path.parent.name for path in run_dir.glob("*/*")) == ["h1", "web"]


def test_waits_for_its_directory(tmp_path: Path) -> None:
    run_dir = tmp_path / "later"
    with emitting(collector_of(run_dir)), Pacer(run_dir) as pacer:
        (run_dir / "h1").mkdir(parents=True)
        pacer.send(TEN)


@pytest.mark.parametrize("queue_length", [10, 16, 512])
def test_reads_before_half_the_kernels_queue_is_full(queue_length: int) -> None:
    fastest_reports_per_s = 1 / 0.025
    assert 0 < read_period_s(queue_length) * fastest_reports_per_s <= queue_length / 2


def test_reads_no_more_often_than_needed_and_twice_a_second_at_least() -> None:
    assert read_period_s(10) < read_period_s(16) < read_period_s(512) == read_period_s(10_000) == 0.5
