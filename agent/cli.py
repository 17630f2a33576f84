"""The command hefery-agent: in, words on a command line; out, one verb done, and an exit code."""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from agent import hold, lock, once, service, status
from agent.clock import Now, boot_id
from agent.collectors import collectors
from agent.notify import Notifier
from agent.order import OrderError
from agent.record import record
from agent.settings import AgentSettings
from telemetry import command
from telemetry.point import PointError
from telemetry.schema import NOBODY
from telemetry.settings import load
from telemetry.stop import stop_signals

_CONFIG: Final = Path("/etc/hefery/agent.toml")
_ONCE_PERIODS: Final = 2.5

_EPILOG: Final = """\
The order of things:
  1. hefery-agent --check-config     is agent.toml complete, are its values possible?
  2. hefery-agent once               what do the collectors see here? sends nothing
  3. hefery-agent run                measure, send, and govern, until SIGTERM or Ctrl-C; systemd runs this
  4. hefery-agent status             do points arrive, which orders stand? exit code 1 if anything is wrong
  5. hefery-agent hold web --for 2h  checkpoint web as often as in danger, whatever is forecast: before a risky change
     hefery-agent hold web --release let the forecasts decide again
  6. hefery-agent event maintenance --text "new disk" --domain web
                                     leave a note beside the curves; the agent sends it, now or when it runs again

A hold can shorten what is forecast, never lengthen it; a new hold replaces the one before. A domain without a fresh
decision is at the protective interval by itself. Every setting and its default is explained in docs/defaults.md;
docs/examples/agent.toml is a file to start from.
"""


def main(words: Sequence[str] | None = None) -> int:
    """Parse, wire, and do one verb; 0 where it was done, 1 with one sentence where it could not be."""
    return command.main(_parser(), words, AgentSettings, (lock.LockTaken, OrderError, hold.HoldError, PointError))


def _parser() -> argparse.ArgumentParser:
    parser = command.parser(
        "hefery-agent",
        "Measures a Xen host, a machine or a guest, and orders how often each domain is checkpointed.",
        _EPILOG,
        _CONFIG,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")
    command.add_verb(verbs, "run", _configured(_run), "measure, send and govern, until SIGTERM or Ctrl-C")
    for name, do, help_text in (
        ("once", _once, "look through every collector for a moment, print it, send nothing"),
        ("status", _status, "print spool, orders and holds; exit code 1 if anything is wrong"),
    ):
        verb = command.add_verb(verbs, name, _configured(do), help_text)
        verb.add_argument("--json", action="store_true", help="print JSON")
    holding = command.add_verb(verbs, "hold", _configured(_hold), "allow no interval longer than this for a while")
    holding.add_argument("domain", metavar="DOMAIN")
    what = holding.add_mutually_exclusive_group(required=True)
    what.add_argument("--for", dest="duration", metavar="TIME", help="how long, such as 2h, 90m or 1h30m")
    what.add_argument("--release", action="store_true", help="end the hold")
    holding.add_argument("--interval", type=int, metavar="MS", help="longest interval (default: the protective one)")
    event = command.add_verb(verbs, "event", _event, "have the agent send an event, whether it runs now or not")
    event.add_argument("kind", metavar="KIND", help="one word, such as takeover")
    event.add_argument("--text", required=True, help="what happened, in words")
    event.add_argument("--domain", default=NOBODY, help="the domain that it concerns (default: none)")
    event.add_argument("--time", type=int, metavar="NS", help="when, as date +%%s%%N prints it (default: now)")
    return parser


def _configured(do: Callable[[AgentSettings, argparse.Namespace], int]) -> command.Do:
    return lambda arguments: do(load(arguments.config, AgentSettings), arguments)


def _run(settings: AgentSettings, _: argparse.Namespace) -> int:
    service.run(settings, stop_signals(), Notifier())
    return 0


def _once(settings: AgentSettings, arguments: argparse.Namespace) -> int:
    sections = (settings.xen, settings.machine, settings.guest, settings.checkpoints)
    longest_s = max((section.period_s for section in sections if section.enabled), default=0.0)
    running = lock.is_held(service.lock_path(settings))  # then the pacers' reports are that agent's
    looks = once.look(collectors(settings, listen=not running), _ONCE_PERIODS * longest_s)
    print(json.dumps(once.as_json(looks), indent=2) if arguments.json else once.table(looks))
    return int(any(seen.trouble for seen in looks))


def _status(settings: AgentSettings, arguments: argparse.Namespace) -> int:
    now = Now.read()
    told = status.status(settings, now)
    print(json.dumps(status.as_json(told), indent=2) if arguments.json else status.table(told, now))
    return int(bool(told.problems))


def _hold(settings: AgentSettings, arguments: argparse.Namespace) -> int:
    path = hold.hold_path(settings.run_dir, arguments.domain)
    if arguments.release:
        print(f"{arguments.domain}: {'released' if hold.release(path) else 'was not held'}")
        return 0
    shortest_ms, longest_ms = settings.governor.protective_interval_ms, settings.governor.max_interval_ms
    interval_ms = shortest_ms if arguments.interval is None else arguments.interval
    if not shortest_ms <= interval_ms <= longest_ms:
        raise hold.HoldError(f"--interval {interval_ms} is not between {shortest_ms} and {longest_ms} ms")
    duration_s = hold.parse_duration_s(arguments.duration)
    hold.place(path, interval_ms, duration_s, Now.read(), boot_id())
    until = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + duration_s))
    absent = (
        "" if arguments.domain in service.primary_of(settings.governor).domains() else "; not replicated from here now"
    )
    print(f"{arguments.domain}: at most {interval_ms} ms until {until}{absent}")
    return 0


def _event(arguments: argparse.Namespace) -> int:
    record(arguments.config, arguments.kind, arguments.text, domain=arguments.domain, time_ns=arguments.time)
    return 0
