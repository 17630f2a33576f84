"""What hefery-agent does, verb by verb: in, settings and words; out, the verb done, and an exit code."""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from agent import hold as holding
from agent import lock, service
from agent import once as looking
from agent import status as telling
from agent.clock import Now, boot_id
from agent.collectors import collectors
from agent.jtl import JtlError
from agent.record import append
from agent.responses import answers_of, points_of
from agent.settings import AgentSettings
from agent.summary import NothingLeft, summary
from telemetry.notify import Notifier
from telemetry.stop import stop_signals

_ONCE_PERIODS: Final = 2.5


def run(settings: AgentSettings, _: argparse.Namespace) -> int:
    """Measure, send and govern until a signal says to stop."""
    service.run(settings, stop_signals(), Notifier())
    return 0


def once(settings: AgentSettings, arguments: argparse.Namespace) -> int:
    """Print what the collectors see; 1 where one fails."""
    sections = (settings.xen, settings.machine, settings.guest, settings.checkpoints, settings.responses)
    longest_s = max((section.period_s for section in sections if section.enabled), default=0.0)
    running = lock.is_held(service.lock_path(settings))  # then the pacers' reports are that agent's
    looks = looking.look(collectors(settings, listen=not running), _ONCE_PERIODS * longest_s)
    print(json.dumps(looking.as_json(looks), indent=2) if arguments.json else looking.table(looks))
    return int(any(seen.trouble for seen in looks))


def status(settings: AgentSettings, arguments: argparse.Namespace) -> int:
    """Print how the agent does; 1 where anything is wrong."""
    now = Now.read()
    told = telling.status(settings, now)
    print(json.dumps(telling.as_json(told), indent=2) if arguments.json else telling.table(told, now))
    return int(bool(told.problems))


def hold(settings: AgentSettings, arguments: argparse.Namespace) -> int:
    """Place or release a hold; raises HoldError."""
    path = holding.hold_path(settings.run_dir, arguments.domain)
    if arguments.release:
        print(f"{arguments.domain}: {'released' if holding.release(path) else 'was not held'}")
        return 0
    shortest_ms, longest_ms = settings.governor.protective_interval_ms, settings.governor.max_interval_ms
    interval_ms = shortest_ms if arguments.interval is None else arguments.interval
    if not shortest_ms <= interval_ms <= longest_ms:
        raise holding.HoldError(f"--interval {interval_ms} is not between {shortest_ms} and {longest_ms} ms")
    duration_s = holding.parse_duration_s(arguments.duration)
    holding.place(path, interval_ms, duration_s, Now.read(), boot_id())
    until = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + duration_s))
    absent = (
        "" if arguments.domain in service.primary_of(settings.governor).domains() else "; not replicated from here now"
    )
    print(f"{arguments.domain}: at most {interval_ms} ms until {until}{absent}")
    return 0


def import_jtl(settings: AgentSettings, arguments: argparse.Namespace) -> int:
    """Hand a finished file of JMeter to the sender; raises JtlError, StoreError."""
    domain = arguments.domain or settings.responses.domain
    if domain is None:
        raise JtlError("--domain is missing, and [responses] names none: whose answers are these?")
    window_s = arguments.window or settings.responses.window_s
    with _readable(arguments.file):
        points = list(points_of(arguments.file, domain, window_s))
    append(settings.spool.path, points, time.time_ns())
    print(f"{arguments.file}: {sum(int(point.fields['count']) for point in points)} answers in {len(points)} points")
    return 0


def sum_up_jtl(_: AgentSettings, arguments: argparse.Namespace) -> int:
    """Print what a finished file of JMeter says as a whole; raises JtlError."""
    try:
        with _readable(arguments.file):
            told = summary(answers_of(arguments.file), round(1000 * arguments.skip))
    except NothingLeft as left:
        raise JtlError(f"{arguments.file}: {left}") from left
    print(json.dumps(asdict(told), indent=2))
    return 0


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JtlError(f"{file}: cannot be read: {error.strerror}") from error
