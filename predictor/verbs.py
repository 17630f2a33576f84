"""What the command can do: in, parsed words; out, the work done and its outcome on standard output."""

import argparse
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

from predictor import display, incidents, model_files, series, service, trained, training
from predictor.fleet import last_seen_ns
from predictor.incidents import Incident
from predictor.model_files import ModelFileError
from predictor.settings import PredictorSettings
from predictor.times import text_of
from telemetry.point import MAX_TEXT_LENGTH, Point
from telemetry.schema import NOBODY
from telemetry.settings import load
from telemetry.stop import stop_signals
from telemetry.store import Store, StoreError
from telemetry.stores import open_store
from telemetry.units import NS_PER_S


def train(arguments: argparse.Namespace) -> int:
    """Learn a new model."""
    settings = load(arguments.config, PredictorSettings)
    if arguments.seed is not None:
        seeded = settings.training.model_copy(update={"seed": arguments.seed})
        settings = settings.model_copy(update={"training": seeded})
    with _opened(settings) as store, nullcontext() if arguments.dry_run else _told_of(store, settings):
        outcome = training.train(store, settings, time.time_ns(), dry_run=arguments.dry_run)
    if not outcome.accepted:
        print(f"hefery-predictor: no new model: {outcome.reason}", file=sys.stderr)
        return 1
    print(f"{outcome.path or 'not written (--dry-run)'}: accepted, {outcome.reason}; {outcome.duration_s:.1f} s")
    return 0


@contextmanager
def _told_of(store: Store, settings: PredictorSettings) -> Iterator[None]:
    """Leave an event, and a training without success, where one breaks: nobody may look at cron's log."""
    try:
        yield
    except Exception as error:
        tags = {"kind": "training_failed", "domain": NOBODY, "host": socket.gethostname()}
        reason, now_ns = f"{type(error).__name__}: {error}", time.time_ns()
        event = Point("event", tags, {"text": f"no new model: {reason}"[:MAX_TEXT_LENGTH]}, now_ns)
        with suppress(StoreError):  # it may be what broke
            store.append([event, training.broken(settings.model.mode, reason, now_ns)])
        raise


def run(arguments: argparse.Namespace) -> int:
    """Forecast and decide until told to stop."""
    settings = load(arguments.config, PredictorSettings)
    wait = stop_signals()
    with _opened(settings) as store:
        service.run(service.Predictor(store, settings), store, settings, wait)
    return 0


def once(arguments: argparse.Namespace) -> int:
    """Forecast and decide once."""
    settings = load(arguments.config, PredictorSettings)
    with _opened(settings) as store:
        tick = service.Predictor(store, settings).tick(time.time_ns())
        if not arguments.dry_run:
            store.append(tick.points)
    print(display.decisions(tick.decisions))
    return 0


def show(arguments: argparse.Namespace) -> int:
    """Print a model, and the newest decisions."""
    settings = load(arguments.config, PredictorSettings)
    path = arguments.model or model_files.newest(settings.model.folder, settings.model.mode)
    if path is None:
        raise ModelFileError(f"{settings.model.folder}: no model yet; make one: hefery-predictor train")
    print(display.model(path.name, trained.load(path)))
    with _opened(settings) as store:
        print(display.newest_decisions(store, time.time_ns()))
    return 0


def evaluate(arguments: argparse.Namespace) -> int:
    """Judge forecasts on labelled recordings."""
    from predictor.evaluation.evaluate import evaluate as judge  # noqa: PLC0415 - loads libraries of an extra

    judge(arguments.data, arguments.test, arguments.groups, arguments.seeds, arguments.json)
    return 0


def incident_add(arguments: argparse.Namespace) -> int:
    """Keep a new incident."""
    settings = load(arguments.config, PredictorSettings)
    incident = Incident(
        arguments.domain,
        arguments.id or text_of(arguments.start),
        arguments.level,
        arguments.start,
        arguments.end,
        arguments.text,
    )
    with _opened(settings) as store:
        incidents.add(store, incident, time.time_ns())
        measured = _measured(store, incident)
    print(f"noted: {incident}")
    if not measured:
        told = f"nothing was measured of {incident.domain!r} in that time; is that its name?"
        print(f"hefery-predictor: {told}", file=sys.stderr)
    return 0


def _measured(store: Store, incident: Incident) -> bool:
    """Whether there is any telemetry of the incident, to the minute."""
    minute_ns = 60 * NS_PER_S
    end_ns = time.time_ns() if incident.end_ns is None else incident.end_ns
    grid = series.grid_between(incident.start_ns - minute_ns, end_ns + minute_ns, minute_ns)
    return bool(last_seen_ns(series.read(store, grid, [incident.domain])))


def incident_close(arguments: argparse.Namespace) -> int:
    """End an open incident, or withdraw one."""
    settings = load(arguments.config, PredictorSettings)
    with _opened(settings) as store:
        incident = incidents.close(
            store, arguments.domain, arguments.id, None if arguments.withdraw else arguments.end, time.time_ns()
        )
    print(f"noted: {incident}")
    return 0


def incident_list(arguments: argparse.Namespace) -> int:
    """Print the incidents."""
    settings = load(arguments.config, PredictorSettings)
    with _opened(settings) as store:
        for incident in incidents.listed(store, time.time_ns(), arguments.domain):
            print(f"{incident} {incident.text}".rstrip())
    return 0


@contextmanager
def _opened(settings: PredictorSettings) -> Iterator[Store]:
    store = open_store(settings.store)
    try:
        yield store
    finally:
        store.close()
