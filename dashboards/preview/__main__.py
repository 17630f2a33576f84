"""The command `python -m dashboards.preview`: in, an InfluxDB with a run; out, a PNG of each dashboard.

Grafana itself is not part of it: what it makes of provisioning, migrations and alerts is not shown here.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dashboards.__main__ import BOARDS
from dashboards.node import digest, prepared, set_stamp, sources, stamp

_HERE: Final = Path(__file__).parent
Job = dict[str, Any]

_WIDTH: Final = 1600
_LEAST_WINDOW: Final = "10s"


def main(words: Sequence[str] | None = None) -> int:
    """Draw; 0 where there was nothing to note."""
    arguments = _parser().parse_args(words)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    kitchen = _kitchen(arguments.folder / "preview")
    with ExitStack() as stack:
        if arguments.url is None:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            influx, jobs = _replayed(stack, work, arguments.folder)
        else:
            influx = {"url": arguments.url, "org": arguments.org, "tokenFile": str(arguments.token_file.resolve())}
            jobs = _jobs(arguments.folder, (arguments.start, arguments.stop), dict(arguments.choose))
        jobs = [job for job in jobs if arguments.only is None or Path(job["picture"]).stem in arguments.only]
        (kitchen / "jobs.json").write_text(json.dumps({"influx": influx, "jobs": jobs}), encoding="utf-8")
        return subprocess.run(["node", "render.mjs", "jobs.json"], cwd=kitchen, check=False).returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dashboards.preview", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/dashboards"), help="where the pictures go")
    parser.add_argument(
        "--only", metavar="NAME", action="append", help="this picture alone; more than one may be named"
    )
    parser.add_argument("--choose", metavar="VARIABLE=VALUE", type=_pair, action="append", default=[])
    server = parser.add_argument_group("a server of your own, instead of the recorded run")
    server.add_argument("--url", help="such as http://127.0.0.1:8086")
    server.add_argument("--org", default="hefery")
    server.add_argument("--token-file", type=Path, help="a token that may read all buckets")
    server.add_argument("--start", type=_time, help="such as 2026-11-23T12:18:30+00:00")
    server.add_argument("--stop", type=_time)
    return parser


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _kitchen(folder: Path) -> Path:
    """Where the page is, built anew after a change."""
    prepared(_HERE, folder)
    made_from = digest(sources(_HERE))
    if stamp(folder / "dist") != made_from:
        subprocess.run(["node", "build.mjs"], cwd=folder, check=True)
        set_stamp(folder / "dist", made_from)
    return folder


def _replayed(stack: ExitStack, work: Path, folder: Path) -> tuple[Mapping[str, str], list[Job]]:
    """A server of this command's own with the recorded run, which is drawn twice: before the failover, and after it.

    After it some panels have nothing to show, and rightly so.
    """
    from tests.dashboards import recording  # noqa: PLC0415 - a tool of developers; --url does without the tests
    from tests.influxd import create_buckets, running_influxd  # noqa: PLC0415 - the same

    influx = create_buckets(stack.enter_context(running_influxd(work)), "", work)
    recording.replay(influx)
    where = {"url": influx.url, "org": influx.org, "tokenFile": str(influx.settings().token_file)}
    before = _jobs(folder, (recording.START, recording.PROTECTED), {})
    after = _jobs(folder, (recording.START, recording.TAKEN_OVER), {}, suffix="-after-failover")
    return where, [*before, *({**job, "mayBeEmpty": True} for job in after)]


def _jobs(folder: Path, span: tuple[datetime, datetime], chosen: Mapping[str, str], suffix: str = "") -> list[Job]:
    start_ms, stop_ms = (round(time.timestamp() * 1000) for time in span)
    return [
        {
            "dashboard": board.json(),
            "picture": str((folder / f"{board.name}{suffix}.png").resolve()),
            "width": _WIDTH,
            "from": start_ms,
            "to": stop_ms,
            "leastWindow": _LEAST_WINDOW,
            "variables": chosen,
        }
        for board in BOARDS
    ]


if __name__ == "__main__":
    sys.exit(main())
