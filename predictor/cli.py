"""The command hefery-predictor: in, words on a command line; out, one verb done, and an exit code."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, get_args

from predictor import verbs
from predictor.evaluation.rows import RecordingError
from predictor.incidents import IncidentError, Level
from predictor.model_files import ModelFileError
from predictor.settings import PredictorSettings
from predictor.times import instant_ns
from telemetry import command
from telemetry.command import add_verb
from telemetry.point import PointError

_CONFIG: Final = Path("/etc/hefery/predictor.toml")

_EPILOG: Final = """\
The order of things:
  1. Agents measure. Wait for training.min_steps calm steps (600) of series.step_s each (5 s).
  2. hefery-predictor train                learns what calm looks like; let cron repeat it every night
     hefery-predictor show                 what was learned, and what was decided last
  3. hefery-predictor once --dry-run       what a predictor that starts now would decide, and why
     hefery-predictor run                  forecasts and decides at every step, until it is told to stop
  4. After an incident say when it was, so that the next training learns what came before it:
     hefery-predictor incident add --domain web --level failed --start 40m --end 25m "swap storm"

Times are written now, 90m (that long ago; s, m, h, d, w) or 2025-01-31T13:05:00Z.
Every setting and its default is explained in docs/defaults.md; docs/examples/predictor.toml is a file to start from.
"""


def main(words: Sequence[str] | None = None) -> int:
    """Parse, wire, and do one verb; 0 where it was done, 1 with one sentence where it could not be."""
    refusals = (IncidentError, PointError, ModelFileError, RecordingError)
    return command.main(_parser(), words, PredictorSettings, refusals)


def _parser() -> argparse.ArgumentParser:
    parser = command.parser(
        "hefery-predictor",
        "Forecasts the state of protected domains and decides how often each is to be checkpointed.",
        _EPILOG,
        _CONFIG,
    )
    adder = parser.add_subparsers(title="verbs", metavar="VERB")
    train = add_verb(adder, "train", verbs.train, "learn a new model; it takes over unless it is worse")
    train.add_argument("--seed", type=_seed, metavar="N", help="seed of the random starts (default: training.seed)")
    train.add_argument("--dry-run", action="store_true", help="learn and compare, but write nothing")
    add_verb(adder, "run", verbs.run, "forecast and decide at every step, until SIGTERM or Ctrl-C")
    once = add_verb(
        adder,
        "once",
        verbs.once,
        "print and write what a predictor that starts now would decide; not beside run, which takes it for a rival",
    )
    once.add_argument("--dry-run", action="store_true", help="print the decisions, but write none")
    show = add_verb(adder, "show", verbs.show, "print what a model has learned, and the newest decisions")
    show.add_argument("model", nargs="?", type=Path, metavar="FILE", help="a model file (default: the newest)")
    _add_evaluate(add_verb(adder, "evaluate", verbs.evaluate, "judge forecasts on labelled recordings"))
    _add_incident(adder.add_parser("incident", help="tell of trouble, for the next training to learn what preceded it"))
    return parser


def _add_evaluate(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--data", type=Path, required=True, metavar="DIR", help="CSV(.gz) files to learn from")
    verb.add_argument("--test", type=Path, metavar="DIR", help="files to judge on (default: one of --data at a time)")
    verb.add_argument("--groups", type=_groups, default=[], metavar="1,2/3", help="leave these groups out in turn")
    verb.add_argument("--seeds", type=_count, default=3, metavar="N", help="how many seeds (default: %(default)s)")
    verb.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")


def _add_incident(incident: argparse.ArgumentParser) -> None:
    adder = incident.add_subparsers(title="verbs", metavar="VERB", required=True)
    add = add_verb(adder, "add", verbs.incident_add, "tell of a span of trouble")
    add.add_argument("--domain", required=True, metavar="NAME")
    add.add_argument("--level", required=True, choices=get_args(Level), help="how bad it was")
    add.add_argument("--start", required=True, type=_instant, metavar="TIME")
    add.add_argument("--end", type=_instant, metavar="TIME", help="leave it out while it goes on")
    add.add_argument("--id", metavar="WORD", help="name to close it by (default: its start)")
    add.add_argument("text", nargs="?", default="", help="what it was")
    close = add_verb(adder, "close", verbs.incident_close, "tell when an incident ended, or withdraw one")
    close.add_argument("--domain", required=True, metavar="NAME")
    when = close.add_mutually_exclusive_group()
    when.add_argument("--end", type=_instant, default="now", metavar="TIME", help="(default: now)")
    when.add_argument("--withdraw", action="store_true", help="it was a mistake: nothing is learned from it any more")
    close.add_argument("id", metavar="ID")
    listing = add_verb(adder, "list", verbs.incident_list, "print the incidents")
    listing.add_argument("--domain", metavar="NAME", help="of this domain only")


def _instant(text: str) -> int:
    try:
        return instant_ns(text, time.time_ns())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _groups(text: str) -> list[list[str]]:
    return [[name.strip() for name in group.split(",")] for group in text.split("/")]


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)
