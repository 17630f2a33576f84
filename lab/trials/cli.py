"""The command `python -m lab test`: in, which parts and how many trials; out, a report, a table, and an exit code."""

import argparse
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.machine import machine
from lab.landscape import DEFAULT, STATES, Instance, instance
from lab.trials import evidence
from lab.trials import report as reports
from lab.trials.guest import Guest
from lab.trials.part import Part
from lab.trials.parts import PARTS
from lab.trials.report import Report, Run
from lab.trials.runner import Runner
from lab.trials.site import Site
from lab.trials.table import table
from telemetry.revision import commit


def report_path(lab: Instance) -> Path:
    """Where an instance's report is: several may be under trial side by side."""
    return STATES / ("report.json" if lab.name == DEFAULT else f"report-{lab.name}.json")


def logs_path(lab: Instance) -> Path:
    """Where its logs are, by part and trial; not in its state, which a fresh start throws away."""
    return STATES / ("trials" if lab.name == DEFAULT else f"trials-{lab.name}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command can be told."""
    parser.add_argument("--full", action="store_true", help="all trials; those in the report of this commit stay")
    parser.add_argument("--part", action="append", choices=list(PARTS), metavar="NAME", help=", ".join(PARTS))
    parser.add_argument("--trials", type=int, metavar="N", help="trials a part (default: 5 or so, many with --full)")
    parser.add_argument("--strict", action="store_true", help="fail where a time that is aimed at was missed, too")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the random moments (default: %(default)s)")


def test(arguments: argparse.Namespace) -> int:
    """Make the trials; 0 where all passed, 1 where one did not, or could not be made (`--strict`: or was slow)."""
    chosen = [PARTS[name] for name in arguments.part or (part.name for part in PARTS.values() if part.by_default)]
    counts = {part.name: part.count(full=arguments.full, wanted=arguments.trials) for part in chosen}
    parts = [part for part in chosen if counts[part.name]]
    lab = instance()
    path, logs = report_path(lab), logs_path(lab)
    report = _begin(path, parts, arguments)
    runner = Runner(
        Site(lab, Guest.declared()), report, logs, lambda: _save(path, report), partial(evidence.collect, lab)
    )
    for part in parts:
        runner.run(part, counts[part.name])
    print(table(parts, counts, report, logs))
    print(f"report: {path}")
    rows = report.rows
    return int(any(p.failed(rows.get(p.name, []), counts[p.name], strict=arguments.strict) for p in parts))


def _begin(path: Path, parts: Sequence[Part], arguments: argparse.Namespace) -> Report:
    """The report to go on with: of this commit and seed, without `--full` without the parts that are to be made."""
    run = Run(commit(), arguments.seed, machine(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    report = reports.load(path, run)
    if not arguments.full:
        for part in parts:
            report.rows.pop(part.name, None)
    return report


def _save(path: Path, report: Report) -> None:
    reports.save(path, report, {part.key: part.summary(report.rows.get(part.name, [])) for part in PARTS.values()})


def main(words: Sequence[str] | None = None) -> int:
    """The same as a command of its own."""
    parser = argparse.ArgumentParser(prog="python -m lab test", description=__doc__)
    add_arguments(parser)
    return test(parser.parse_args(words))
