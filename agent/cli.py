"""The command hefery-agent: in, words on a command line; out, one verb done, and an exit code."""

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from agent.hold import HoldError
from agent.jtl import JtlError
from agent.lock import LockTaken
from agent.order import OrderError
from agent.record import record
from agent.settings import AgentSettings
from telemetry import command
from telemetry.point import PointError
from telemetry.schema import NOBODY
from telemetry.settings import load

_CONFIG: Final = Path("/etc/hefery/agent.toml")

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
  7. hefery-agent import-jtl run.jtl --domain web
                                     what JMeter saw in a run that no agent followed; again does no harm
     hefery-agent sum-up-jtl run.jtl --skip 60
                                     what it saw as a whole, the first minute left out; sends nothing

A hold can shorten what is forecast, never lengthen it; a new hold replaces the one before. A domain without a fresh
decision is at the protective interval by itself. Every setting and its default is explained in docs/defaults.md;
docs/examples/agent.toml is a file to start from.
"""


def main(words: Sequence[str] | None = None) -> int:
    """Parse, wire, and do one verb; 0 where it was done, 1 with one sentence where it could not be."""
    return command.main(_parser(), words, AgentSettings, (LockTaken, OrderError, HoldError, JtlError, PointError))


def _parser() -> argparse.ArgumentParser:
    parser = command.parser(
        "hefery-agent",
        "Measures a Xen host, a machine or a guest, and orders how often each domain is checkpointed.",
        _EPILOG,
        _CONFIG,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")
    command.add_verb(verbs, "run", _verb("run"), "measure, send and govern, until SIGTERM or Ctrl-C")
    for name, help_text in (
        ("once", "look through every collector for a moment, print it, send nothing"),
        ("status", "print spool, orders and holds; exit code 1 if anything is wrong"),
    ):
        verb = command.add_verb(verbs, name, _verb(name), help_text)
        verb.add_argument("--json", action="store_true", help="print JSON")
    holding = command.add_verb(verbs, "hold", _verb("hold"), "allow no interval longer than this for a while")
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
    load = command.add_verb(verbs, "import-jtl", _verb("import_jtl"), "have the agent send what a file of JMeter holds")
    load.add_argument("file", type=Path, metavar="FILE", help="CSV, with its header")
    load.add_argument("--domain", metavar="DOMAIN", help="the domain that answered (default: that of [responses])")
    load.add_argument("--window", type=_window_s, metavar="S", help="time that a point sums up (default: as there)")
    whole = command.add_verb(verbs, "sum-up-jtl", _verb("sum_up_jtl"), "print what a file of JMeter says as a whole")
    whole.add_argument("file", type=Path, metavar="FILE", help="CSV, with its header")
    whole.add_argument("--skip", type=_skip_s, default=0.0, metavar="S", help="warm-up to leave out (default: none)")
    return parser


def _window_s(text: str) -> float:
    return _between(text, 0.1, 3600)


def _skip_s(text: str) -> float:
    return _between(text, 0, 86_400)


def _between(text: str, least_s: float, most_s: float) -> float:
    seconds = float(text)
    if not least_s <= seconds <= most_s:
        raise ValueError
    return seconds


def _verb(name: str) -> command.Do:
    """A verb of `agent.verbs`, imported only when it is done: an event need not wait for what all others need."""

    def do(arguments: argparse.Namespace) -> int:
        verbs = import_module("agent.verbs")
        return int(getattr(verbs, name)(load(arguments.config, AgentSettings), arguments))

    return do


def _event(arguments: argparse.Namespace) -> int:
    record(arguments.config, arguments.kind, arguments.text, domain=arguments.domain, time_ns=arguments.time)
    return 0
