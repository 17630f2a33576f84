"""What is to be drawn: in, a folder and a time; out, a job for each dashboard."""

from pathlib import Path

from dashboards.__main__ import BOARDS
from dashboards.preview.__main__ import _jobs, _parser
from tests.dashboards.recording import PROTECTED, START


def test_a_job_for_each_dashboard(tmp_path: Path) -> None:
    jobs = _jobs(tmp_path, (START, PROTECTED), {"domain": "web1"}, suffix="-before")
    assert [job["dashboard"] for job in jobs] == [board.json() for board in BOARDS]
    assert [job["picture"] for job in jobs] == [str(tmp_path / f"{board.name}-before.png") for board in BOARDS]
    assert {(job["from"], job["to"]) for job in jobs} == {(1795436310000, 1795437165000)}
    assert all(job["variables"] == {"domain": "web1"} for job in jobs)


def test_another_servers_time_and_choice_are_read() -> None:
    words = ["--url", "http://127.0.0.1:1", "--token-file", "t", "--choose", "domain=web=1"]
    asked = _parser().parse_args(
        [*words, "--start", "2026-11-23T12:18:30+00:00", "--stop", "2026-11-23T13:32:45+01:00"]
    )
    assert (asked.start, asked.stop) == (START, PROTECTED)
    assert asked.choose == [("domain", "web=1")]
