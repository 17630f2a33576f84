"""Where the pacer keeps out: other programs, an unknown libxl, an environment that makes no sense."""

import subprocess
from pathlib import Path

import pytest

from agent.reports import Ended
from tests.pacer.conftest import Start
from tests.pacer.replication import PROTECTIVE_MS
from tests.pacer.test_timer import check_unpaced


def test_an_unknown_libxl_is_left_alone(start: Start) -> None:
    replication = start(interval_ms=250, libxl="4.99")
    check_unpaced(replication, 250)
    assert "libxenlight.so.4.99 is not known" in replication.said()


def test_an_unknown_libxl_that_is_allowed_by_name_is_paced(start: Start) -> None:
    replication = start(libxl="4.99", environment={"HEFERY_PACER_ALLOW": "libxenlight.so.4.99"})
    replication.await_ns("commit", count=3)
    assert replication.checkpoints()[0].interval_ms == PROTECTIVE_MS


def test_another_name_allows_nothing(start: Start) -> None:
    check_unpaced(start(interval_ms=250, libxl="4.99", environment={"HEFERY_PACER_ALLOW": "1"}), 250)


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"HEFERY_PACER_DIRECTORY": None}, "HEFERY_PACER_DIRECTORY is not set"),
        ({"HEFERY_PACER_DIRECTORY": "/proc/nowhere"}, "cannot make /proc/nowhere"),
        ({"HEFERY_PACER_DIRECTORY": "/" + "d" * 4090}, "HEFERY_PACER_DIRECTORY is too long"),
        ({"HEFERY_PACER_PROTECTIVE_MS": "0"}, "must be 1 to 3600000, not 0"),
        ({"HEFERY_PACER_PROTECTIVE_MS": "25ms"}, "not 25ms"),
        ({"HEFERY_PACER_PROTECTIVE_MS": "-25"}, "not -25"),
        ({"HEFERY_PACER_PROTECTIVE_MS": "99999999999999999999"}, "not 99999999999999999999"),
    ],
)
def test_an_environment_that_makes_no_sense_is_named(
    start: Start, environment: dict[str, str | None], complaint: str
) -> None:
    replication = start(interval_ms=250, environment=environment)
    check_unpaced(replication, 250)
    assert complaint in replication.said()


def test_without_a_protective_interval_it_is_that_of_xl(start: Start) -> None:
    replication = start(interval_ms=70, environment={"HEFERY_PACER_PROTECTIVE_MS": None})
    replication.await_ns("commit", count=3)
    assert {c.interval_ms for c in replication.checkpoints()} == {70}


def test_output_that_cannot_be_held_keeps_replication_from_starting(start: Start) -> None:
    replication = start(environment={"HEFERY_PACER_PLUG": "nosuch0"})
    assert replication.process.wait(timeout=10) == 1
    assert replication.times_ns("start") == []
    assert replication.reports() == []


def test_output_that_was_to_be_held_is_not_let_out_by_an_unknown_libxl(start: Start) -> None:
    replication = start(libxl="4.99", environment={"HEFERY_PACER_PLUG": "lo"})
    assert replication.process.wait(timeout=10) == 1
    assert replication.times_ns("start") == []


def test_other_verbs_of_xl_keep_their_preload(start: Start) -> None:
    replication = start(verb="migrate", transport='echo "preload:${LD_PRELOAD:+kept}" >&2; exec cat >/dev/null')
    replication.await_ns("commit", count=3)
    assert "preload:kept" in replication.said()
    assert "hefery-pacer" not in replication.said()
    assert replication.reports() == []


def test_other_programs_do_not_notice_it(built: Path) -> None:
    pacer = built.parent / "libhefery-pacer.so"
    told = subprocess.run(
        ["sh", "-c", 'sleep 0.01; echo "$LD_PRELOAD"'],
        env={"LD_PRELOAD": str(pacer), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == str(pacer)
    assert told.stderr == ""


def test_it_exports_what_it_interposes_and_nothing_else(built: Path) -> None:
    listed = subprocess.run(
        ["nm", "--dynamic", "--defined-only", built.parent / "libhefery-pacer.so"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {line.split()[-1] for line in listed.stdout.splitlines()} == {
        "libxl_domain_remus_start",
        "usleep",
        "xc_domain_resume",
    }


def test_it_ends_with_the_reason_once(start: Start) -> None:
    replication = start(environment={"STAND_IN_FAIL_AFTER": "2"})
    replication.finish()
    assert [type(report) for report in replication.reports()].count(Ended) == 1
