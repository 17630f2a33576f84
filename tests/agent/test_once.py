import json
import threading

from agent.collector import Emit, Periodic
from agent.once import as_json, look, table
from telemetry.point import Point


def point(n: int) -> Point:
    return Point("host", {"host": "a"}, {"cpu_ratio": 0.25, "memory_ratio": n / 10}, n)


class Fails:
    name = "xen"

    def run(self, emit: Emit, stop: threading.Event) -> None:
        raise FileNotFoundError("xentop cannot be started")


def numbered() -> Periodic:
    numbers = iter(range(1, 1_000))
    return Periodic("host", lambda: [point(next(numbers))], period_s=0.02)


def test_shows_the_newest_of_each_and_what_went_wrong() -> None:
    looks = look([Fails(), numbered(), Periodic("quiet", list, 1.0)], 0.2)
    failed, host, quiet = looks
    assert failed.trouble == "FileNotFoundError: xentop cannot be started"
    (newest,) = host.points
    assert newest.time_ns > 2
    assert host.trouble is None
    assert (quiet.points, quiet.trouble) == ([], None)
    lines = table(looks).splitlines()
    assert lines[:4] == [
        "xen: FileNotFoundError: xentop cannot be started",
        "host:",
        "  host of a",
        "    cpu_ratio            0.25",
    ]
    assert lines[-1] == "quiet: nothing to tell"


def test_json_holds_the_points() -> None:
    looks = look([numbered()], 0.05)
    (told,) = json.loads(json.dumps(as_json(looks)))
    (newest,) = looks[0].points
    assert (told["collector"], told["trouble"]) == ("host", None)
    assert told["points"] == [
        {"measurement": "host", "tags": {"host": "a"}, "fields": dict(newest.fields), "time_ns": newest.time_ns}
    ]
