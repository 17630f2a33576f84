"""A real run for dashboards: in, an empty InfluxDB; out, what a lab's agents and predictor wrote there on a day.

The lab's guest was protected, lost its backup, was protected again and forecast, guarded closely and let go by turns,
and was taken over by its backup's host in the end. What was not stored then is derived from what was: thresholds from
the reasons of the decisions, response times from the checkpoints by the predictor's own formula; or made up: an
incident, a complaint, and how full the disks were.
"""

import gzip
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from influxdb_client import InfluxDBClient

from predictor.cost import Cost, response_s
from telemetry.influx import InfluxStore
from telemetry.point import Point, Value
from telemetry.schema import NOBODY, SCHEMA
from telemetry.store import Store
from telemetry.units import NS_PER_S
from tests.ansible.rendering import defaults, render
from tests.influxd import Influx, write_lines

RUN: Final = Path(__file__).parents[1] / "data" / "hefery-0.1.0-lab-run.lp.gz"
START: Final = datetime(2026, 11, 23, 12, 18, 30, tzinfo=UTC)
PROTECTED: Final = datetime(2026, 11, 23, 12, 32, 45, tzinfo=UTC)
"""All is at work, seconds before host a is switched off."""
TAKEN_OVER: Final = datetime(2026, 11, 23, 12, 36, tzinfo=UTC)
"""The domain runs on b, unprotected; the agent of a is silent."""
DOMAIN: Final = "web1"
LABEL: Final = "GET /"

_START_NS, _STOP_NS = (int(time.timestamp()) * NS_PER_S for time in (START, TAKEN_OVER))
_TOLD = re.compile(r"evidence \S+ is not below ([\d.]+)$")
_EXAMPLE = {"p_failed_within_low": 0.05, "p_failed_within_high": 0.2}
_DEMAND_RATIO, _SERVICE_S = 0.05, 0.05
_ANSWERS_PER_S = 10.0
_ALL: Final = "1h"
"""Longer than the run."""


def replay(influx: Influx) -> None:
    """Write the run, and what is derived from it."""
    lines = defaultdict(list)
    for line in gzip.decompress(RUN.read_bytes()).decode().splitlines():
        lines[SCHEMA[line.partition(",")[0]].bucket].append(line)
    for bucket, of_bucket in lines.items():
        write_lines(influx, getattr(influx.buckets, bucket), of_bucket)
    store = InfluxStore(influx.settings(timeout_s=60.0))
    store.append([*_thresholds(store), *_responses(store), *_hosts(), _incident(), *_complaints()])
    store.close()
    _fold(influx)


def _fold(influx: Influx) -> None:
    """As the role's tasks do, all of it at once."""
    with InfluxDBClient(influx.url, influx.admin_token, org=influx.org, timeout=60_000) as client:
        for fold in defaults("influxdb")["influxdb_downsampling"]:
            client.buckets_api().create_bucket(bucket_name=fold["bucket"])
            text = render("lab", "m", "influxdb", "downsample.flux.j2", fold={**fold, "late": _ALL})
            client.query_api().query(text.replace("now()", f"{TAKEN_OVER.isoformat()}"))


def _thresholds(store: Store) -> Iterator[Point]:
    """Each decision's upper one as the nearest decision told it; none told the lower one, four fifths stand for it.

    Those of p_failed_within are of docs/examples/predictor.toml.
    """
    decisions = store.events("decision", _START_NS, _STOP_NS)
    reasons = [(point.time_ns, _TOLD.match(str(point.fields["reason"]))) for point in decisions]
    told = [(time_ns, float(found[1])) for time_ns, found in reasons if found]
    began_ns = store.events("forecast", _START_NS, _STOP_NS)[0].time_ns
    for decision in decisions:
        if decision.time_ns >= began_ns:
            high = min((abs(time_ns - decision.time_ns), value) for time_ns, value in told)[1]
            levels = {"evidence_low": 0.8 * high, "evidence_high": high, **_EXAMPLE}
            yield Point("decision", decision.tags, levels, decision.time_ns)


def _responses(store: Store) -> Iterator[Point]:
    """What an open queue of exponential times would have answered between these checkpoints."""
    for point in store.events("checkpoint", _START_NS, _STOP_NS):
        if isinstance(pause_ms := point.fields.get("pause_ms"), float):
            cost = Cost(pause_ms / 1000, 0.0, _DEMAND_RATIO, _SERVICE_S)
            mean_ms = 1000 * response_s(float(point.fields["interval_ms"]) / 1000, cost)
            errors = 0 if math.isfinite(mean_ms) else 1
            fields = {"count": round(_ANSWERS_PER_S), "errors": errors, "mean_ms": mean_ms}
            fields |= {f"p{share}_ms": -math.log1p(-share / 100) * mean_ms for share in (50, 95, 99)}
            fields |= {"max_ms": 6 * mean_ms, "gap_ms": 1000 / _ANSWERS_PER_S + mean_ms}
            derived = Point.of("response", {"domain": DOMAIN, "label": LABEL}, fields, point.time_ns)
            assert derived is not None
            yield derived


def _hosts() -> Iterator[Point]:
    """How full their disks were, of which the agents did not tell then."""
    for host in ("a", "b"):
        yield Point("host", {"host": host}, {"filesystem_ratio": 0.4}, _START_NS + 60 * NS_PER_S)


def _incident() -> Point:
    fields: dict[str, Value] = {"level": "failed", "end_ns": _STOP_NS, "text": "host a was switched off"}
    return Point("incident", {"domain": DOMAIN, "id": "drill"}, fields, _STOP_NS - 180 * NS_PER_S)


def _complaints() -> Iterator[Point]:
    tags = {"kind": "store_refused", "domain": NOBODY, "host": "a"}
    yield Point("event", tags, {"text": "the token may not write to telemetry"}, _STOP_NS - 400 * NS_PER_S)
