"""The play with a real predictor to train, its own light disturbances, and ten lines that stand for the governor."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.order import Order, write
from demo.director import Director
from demo.observer import Observer
from demo.processes import Child, ChildFailed
from demo.record import Span
from demo.site import DOMAIN, PROTECTIVE_MS, Site
from demo.timeline import PLAN, Disturbance, Kind, Load, Pace, Plan, Stage
from predictor import incidents
from telemetry.point import Point
from telemetry.store import Store
from telemetry.stores import open_store
from tests.demo.calm import trained_on_calm

LIGHT = Disturbance(ramp_s=0.5, peak_s=0.5, stages=(Stage(0, Load(cpu=0.01)),))
QUICK = replace(
    PLAN,
    learning_s=0.2,
    first=LIGHT,
    visible_after_s=0,
    recovery_s=0.1,
    most_trainings=2,
    quiet=Pace(least_s=0.2, most_s=1, steady_s=0.5),
    second=LIGHT,
    after=Pace(least_s=0.2, most_s=10, steady_s=0.1),
)


@contextmanager
def play(folder: Path, plan: Plan) -> Iterator[tuple[Director, Store, list[str]]]:
    """A director whose agent is played here: it measures all the time, and is calm after the second training alone."""
    site = Site.create(folder)
    store = open_store(site.agent.store)
    said: list[str] = []

    def wait(seconds: float) -> None:
        time.sleep(seconds / 5)
        in_trouble = len(director.spans) in {1, 2}
        store.append([measured(time.time_ns(), cpu_ratio=0.9 if in_trouble else 0.1)])
        trained = sum(span.kind is Kind.TRAINING for span in director.spans)
        disturbed = {span.kind for span in director.spans} & {Kind.QUIET} and len(director.spans) in {8, 9}
        if trained == 2 and not disturbed:
            write(site.order_file, Order(1, 500, time.monotonic_ns() + 10**9))
        else:
            site.order_file.unlink(missing_ok=True)

    director = Director(plan, site, store, (), Observer(site.order_file, PROTECTIVE_MS), wait, said.append)
    try:
        yield director, store, said
    finally:
        store.close()


def measured(time_ns: int, cpu_ratio: float = 0.1) -> Point:
    fields = {"cpu_ratio": cpu_ratio + time_ns % 7 / 100, "memory_ratio": 0.2}
    return Point("domain", {"host": "here", "domain": DOMAIN}, fields, time_ns)


def test_phases_training_and_a_second_attempt_at_calm(tmp_path: Path) -> None:
    with play(tmp_path, QUICK) as (director, store, said):
        now_ns = time.time_ns()
        store.append([measured(now_ns - age_s * 10**9) for age_s in range(60)])
        director.play()
        told = incidents.listed(store, time.time_ns())

    twice = [Kind.TRAINING, Kind.QUIET] * 2
    first = [Kind.LEARNING, Kind.FIRST_RAMP, Kind.FIRST_PEAK, Kind.RECOVERY]
    assert [span.kind for span in director.spans] == [*first, *twice, Kind.RAMP, Kind.PEAK, Kind.AFTER]
    ends = [(span.start_ns, span.end_ns) for span in director.spans]
    assert ends == sorted(ends)

    ramp, peak = director.spans[1:3]
    millisecond_ns = 10**6
    assert [(incident.level, incident.start_ns // millisecond_ns) for incident in told] == [
        ("abnormal", ramp.start_ns // millisecond_ns),
        ("failed", peak.start_ns // millisecond_ns),
    ]
    text = "\n".join(said)
    assert text.count("$ hefery-predictor train") == text.count("$ hefery-predictor show") == 2
    assert "accepted, the first model" in text
    assert "new to the model" in text
    assert ">>> the interval goes from 25 to 500 ms" in text
    trainings = [span for span in director.spans if span.kind is Kind.TRAINING]
    assert all(s.start_ns < alarm.time_ns < s.end_ns for s, alarm in zip(trainings, director.alarms, strict=True))
    assert all(alarm.evidence > 0 for alarm in director.alarms)


def test_calm_that_cannot_be_learned_ends_the_play(tmp_path: Path) -> None:
    with play(tmp_path, replace(QUICK, most_trainings=0)) as (director, _, _):
        director.play()
    assert director.spans[-1].kind is Kind.RECOVERY


@pytest.mark.parametrize(("cpu_ratio", "is_visible"), [(0.4, False), (0.6, True)])
def test_trouble_that_does_not_stand_out_from_calm_is_noticed(
    tmp_path: Path, cpu_ratio: float, is_visible: bool
) -> None:
    with play(tmp_path, QUICK) as (director, store, said):
        now_ns = time.time_ns()
        director.spans.append(Span(Kind.FIRST_PEAK, now_ns - 10**9, now_ns))
        store.append([measured(now_ns - 10**8, cpu_ratio), measured(now_ns - 5 * 10**9, cpu_ratio=1.0)])
        assert director._is_visible(trained_on_calm()) == is_visible
    assert [line.strip()[:38] for line in said] == ["Even the first disturbance was only 2."] * (not is_visible)


def test_a_verb_that_fails_ends_the_play_with_its_words(tmp_path: Path) -> None:
    with play(tmp_path, QUICK) as (director, _, _):
        (tmp_path / "predictor.toml").write_text("[store]\n")
        with pytest.raises(ChildFailed, match=r"predictor\.toml: store\.kind should be one of"):
            director.play()


def test_a_service_that_ends_ends_the_play(tmp_path: Path) -> None:
    with play(tmp_path, QUICK) as (director, _, _):
        service = Child.start(["sh", "-c", "echo out of luck; exit 3"], tmp_path / "log")
        service.process.wait()
        with pytest.raises(ChildFailed, match="sh ended with status 3: out of luck"):
            replace(director, services=[service]).play()
