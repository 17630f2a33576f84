from pathlib import Path

from demo import record
from demo.capture import capture
from demo.director import Director
from demo.observer import Observer
from demo.record import Alarm, Curve, Event, Sample, Span
from demo.site import CONFIG_FILES, DOMAIN, PROTECTIVE_MS, Site
from demo.timeline import PLAN, Kind
from telemetry.point import Point
from telemetry.stores import open_store

S = 10**9
T = 1_700_000_000 * S


def test_what_was_seen_and_stored_is_kept(tmp_path: Path) -> None:
    site = Site.create(tmp_path)
    store = open_store(site.agent.store)
    observer = Observer(site.order_file, PROTECTIVE_MS, samples=[Sample(T, 25), Sample(T + S, 500)])
    spans = [Span(Kind.LEARNING, T, T + 5 * S), Span(Kind.RECOVERY, T + 5 * S, T + 9 * S)]
    director = Director(PLAN, site, store, (), observer, lambda _: None, print, spans, [Alarm(T + 7 * S, 2.5)])
    here, forecast = {"host": "h", "domain": DOMAIN}, {"domain": DOMAIN, "model": "default"}
    incident = {"domain": DOMAIN, "id": "1"}
    nobody = {"kind": "model", "domain": "-", "host": "-"}
    try:
        store.append(
            [
                Point("domain", here, {"cpu_ratio": 0.5, "memory_ratio": 0.25}, T + S),
                Point("domain", here, {"memory_ratio": 0.75}, T + 2 * S),
                Point("domain", {**here, "domain": "other"}, {"cpu_ratio": 0.9}, T + S),
                Point("domain", here, {"cpu_ratio": 0.1}, T - S),
                Point("forecast", forecast, {"evidence": 1.5, "p_failed_within": 0.2}, T + 3 * S),
                Point("event", nobody, {"text": "model x is in use"}, T + 4 * S),
                Point("incident", incident, {"level": "failed", "end_ns": T + 2 * S, "text": "swap"}, T + S),
                Point("training", {"model": "default"}, {"accepted": True, "reason": "better", "steps": 77}, T + 6 * S),
            ]
        )
        seen = capture(director, store)
    finally:
        store.close()

    assert seen.curves["cpu_ratio"] == Curve((T + S,), (0.5,))
    assert seen.curves["memory_ratio"] == Curve((T + S, T + 2 * S), (0.25, 0.75))
    assert seen.curves["disk_ops_per_s"] == Curve((), ())
    assert seen.curves["evidence"] == Curve((T + 3 * S,), (1.5,))
    assert seen.events == (
        Event(T + S, "labelled failed", "swap"),
        Event(T + 4 * S, "model", "model x is in use"),
        Event(T + 6 * S, "training", "better (77 steps)"),
    )
    assert seen.samples == (Sample(T, 25), Sample(T + S, 500))
    assert (seen.spans, seen.alarms, seen.plan) == (tuple(spans), (Alarm(T + 7 * S, 2.5),), PLAN)
    assert seen.files == {name: (tmp_path / name).read_text() for name in CONFIG_FILES}
    record.save(seen, tmp_path / "record.json")
    assert record.load(tmp_path / "record.json") == seen
