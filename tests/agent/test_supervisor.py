import logging
import threading

import pytest

from agent.backoff import Backoff
from agent.supervisor import Part, Supervisor

QUICK = Backoff(0.001, 0.002)


def test_a_part_that_fails_is_begun_again_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    runs, again, other = list[int](), threading.Event(), threading.Event()

    def fails(stop: threading.Event) -> None:
        runs.append(len(runs))
        if len(runs) == 3:
            again.set()
            stop.wait()
        raise RuntimeError("xentop is not there")

    def goes_on(stop: threading.Event) -> None:
        again.wait(5.0)
        other.set()
        stop.wait()

    failing: list[dict[str, str]] = []
    parts = [Part("fails", fails), Part("goes on", goes_on)]
    supervisor = Supervisor(parts, tell=lambda: failing.append(dict(supervisor.failing)), backoff=QUICK)
    with caplog.at_level(logging.ERROR):
        supervisor.start()
        assert again.wait(5.0)
        assert other.wait(5.0)
        assert supervisor.is_alive()
        assert supervisor.stop(5.0) == []
    assert len(runs) == 3
    assert failing == [{"fails": "RuntimeError: xentop is not there"}, {}] * 2
    assert len(caplog.records) == 2
    assert "fails failed, again in 0.0 s: RuntimeError: xentop is not there" in caplog.text
    assert not supervisor.is_alive()


def test_a_part_that_ends_by_itself_is_begun_again() -> None:
    runs: list[int] = []
    enough = threading.Event()

    def ends(stop: threading.Event) -> None:
        runs.append(1)
        if len(runs) > 3:
            enough.set()

    supervisor = Supervisor([Part("ends", ends)], backoff=QUICK)
    supervisor.start()
    assert enough.wait(5.0)
    assert supervisor.stop(5.0) == []


@pytest.mark.parametrize(("lives_s", "delays_s"), [(1.0, [1, 2, 4, 8]), (60.0, [1, 1, 1, 1])])
def test_waits_longer_after_each_failure_until_a_part_was_steady(lives_s: float, delays_s: list[int]) -> None:
    now_s, waited_s = [0.0], list[float]()

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited_s.append(timeout or 0.0)
            if len(waited_s) == len(delays_s):
                self.set()
            return self.is_set()

    def lives(stop: threading.Event) -> None:
        now_s[0] += lives_s
        raise OSError

    backoff = Backoff(1.0, 60.0, chance=lambda: 1.0)
    supervisor = Supervisor([], backoff=backoff, monotonic_s=lambda: now_s[0])
    supervisor._stop = Stop()
    supervisor._keep(Part("lives", lives))
    assert waited_s == delays_s


def test_a_part_that_hangs_is_left_behind_and_named() -> None:
    release = threading.Event()
    supervisor = Supervisor([Part("hangs", lambda stop: release.wait(10.0)), Part("ends", threading.Event.wait)])
    supervisor.start()
    assert supervisor.stop(0.05) == ["hangs"]
    release.set()
