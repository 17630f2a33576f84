"""python -m benchmarks: in, what to measure; out, a table on standard output, and every run's figure as JSON."""

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from benchmarks.machine import load, machine
from benchmarks.rows import Row, table
from telemetry.revision import commit

NAMES: Final = ("hmm", "tick", "spool", "agent")


def main(words: Sequence[str] | None = None) -> int:
    """Measure one after the other, so that none disturbs another."""
    arguments = _parser().parse_args(words)
    logging.basicConfig(level=logging.ERROR)
    about = {"commit": commit(), "machine": machine(), "load_before": load(), "quick": arguments.quick}
    began_s = time.monotonic()
    rows = [row for name in arguments.only or NAMES for row in _measured(name, quick=arguments.quick)]
    about |= {"load_after": load(), "duration_s": round(time.monotonic() - began_s, 1)}
    print(table(rows))
    if arguments.quick:
        print("* measured at sizes that the goals are not meant for")
    if arguments.json:
        document = about | {"rows": [row.document() for row in rows]}
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return 0


def _measured(name: str, *, quick: bool) -> Iterator[Row]:
    # imported here: each has its own libraries
    for row in import_module(f"benchmarks.bench_{name}").rows(quick=quick):
        print(f"{row.bench}: {row.case}: done", file=sys.stderr, flush=True)
        yield row


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run's figure there")
    parser.add_argument("--only", action="append", choices=NAMES, help="measure this alone; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes and few runs: whether it works, in seconds")
    return parser


if __name__ == "__main__":
    sys.exit(main())
