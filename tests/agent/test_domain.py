from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import DomainPoints, Lookup, cpu_ratio, nothing_known
from agent.xentop import XentopFormatError, XentopParser
from telemetry.point import Point

DATA = Path(__file__).parent.parent / "data"


def lines_of(name: str) -> list[str]:
    return (DATA / f"xentop-{name}.txt").read_text().splitlines()


def points_of(
    lines: list[str],
    *,
    domains: Collection[str] | None = None,
    ran_share: Lookup = nothing_known,
    memory_ratio: Lookup = nothing_known,
    period_s: float = 1.0,
) -> list[Point]:
    points = DomainPoints("a", domains, ran_share, memory_ratio, shortest_s=0.5)
    parser, iteration, seen = XentopParser(), 0, []
    for line in lines:
        sample = parser.feed(line)
        if sample is None:
            iteration += 1
            points.begin(iteration * period_s, iteration)
        else:
            seen.append(points.point(sample))
    return [point for point in seen if point is not None]


def values(points: list[Point], field: str) -> list[object]:
    return [point.fields.get(field) for point in points]


def test_points_of_a_replicating_domain_without_domain_0() -> None:
    points = points_of(lines_of("4.17-replicating-200ms"))
    assert {(point.tags["host"], point.tags["domain"]) for point in points} == {("a", "h1")}
    assert values(points, "cpu_ratio") == [None, *(pytest.approx(x) for x in (0.534, 0.505, 0.519, 0.496, 0.547))]
    assert values(points, "network_bytes_per_s") == [None, 2048.0, 3072.0, 3072.0, 2048.0, 2048.0]
    assert values(points, "disk_ops_per_s") == [None, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert values(points, "state") == ["-", "-", "b", "b", "s", "-"]
    assert values(points, "memory_ratio") == [None] * 6
    assert [point.time_ns for point in points] == [1, 2, 3, 4, 5, 6]


def test_rates_are_over_the_time_that_passed() -> None:
    points = points_of(lines_of("4.17-replicating-25ms"), period_s=2.0)
    assert values(points, "network_bytes_per_s") == [None, 1536.0, 1024.0, 1024.0, 1024.0, 1024.0]


def test_the_first_iteration_tells_no_cpu() -> None:
    (point,) = points_of(lines_of("4.17-first-iteration"))
    assert dict(point.fields) == {"state": "-"}


def test_a_reboot_makes_one_step_unknown_even_where_a_counter_passed_its_old_value() -> None:
    points = points_of(lines_of("4.17-derived-reboot"))
    assert values(points, "cpu_ratio") == [None, 0.534, 0.505, None, 0.496, 0.547]
    assert values(points, "network_bytes_per_s") == [None, 2048.0, 2048.0 + 1024.0, None, 3072.0, 2048.0]


def test_a_domain_that_was_away_is_new_again() -> None:
    lines = lines_of("4.17-replicating-200ms")
    del lines[8]  # h1 in the third iteration
    assert values(points_of(lines), "cpu_ratio") == [None, 0.534, None, 0.496, 0.547]


def test_unreadable_disks_leave_out_disk_operations_alone() -> None:
    points = points_of(lines_of("4.17-derived-no-limit-unreadable-disks"))
    assert values(points, "disk_ops_per_s") == [None] * 6
    assert values(points, "network_bytes_per_s")[1:] == [2048.0, 3072.0, 3072.0, 2048.0, 2048.0]


def test_an_incoming_copy_is_not_the_domain() -> None:
    assert points_of(lines_of("4.17-backup-incoming")) == []
    assert points_of(lines_of("4.17-backup-incoming"), domains=["h1", "h1--incoming"]) == []


def test_only_listed_domains_where_a_list_is_given() -> None:
    assert points_of(lines_of("4.17-replicating-200ms"), domains=["h2", "Domain-0"]) == []
    assert len(points_of(lines_of("4.17-replicating-200ms"), domains=["h1"])) == 6


def test_cpu_is_over_the_time_that_a_replicated_guest_ran() -> None:
    points = points_of(lines_of("4.17-replicating-200ms"), ran_share={"h1": 0.6}.get)
    assert values(points, "cpu_ratio")[1:3] == [pytest.approx(0.534 / 0.6), pytest.approx(0.505 / 0.6)]


def test_memory_comes_from_inside_the_guest() -> None:
    points = points_of(lines_of("4.17-replicating-200ms"), memory_ratio={"h1": 0.25}.get)
    assert values(points, "memory_ratio") == [0.25] * 6


def test_names_that_were_cut_to_the_same_are_refused() -> None:
    lines = lines_of("4.17-first-iteration")
    with pytest.raises(XentopFormatError, match="two domains are called 'h1'"):
        points_of([*lines, lines[-1]])


def test_knows_which_domains_run_here() -> None:
    points = DomainPoints("a", None, nothing_known, nothing_known, shortest_s=0.5)
    parser = XentopParser()
    here = []
    for line in lines_of("4.17-first-iteration") * 2 + lines_of("4.17-backup-incoming")[:6]:
        sample = parser.feed(line)
        if sample is None:
            here.append(points.has("h1"))
            points.begin(len(here), len(here))
        else:
            points.point(sample)
    assert here == [False, True, True, True]
    assert not points.has("h1")


@pytest.mark.parametrize(
    ("cpu_percent", "vcpus", "ran_share", "expected"),
    [
        (50.0, 1, None, 0.5),
        (150.0, 2, None, 0.75),
        (20.0, 1, 0.5, 0.4),
        (20.0, 1, 1.5, 0.2),
        (60.0, 1, 0.5, 1.0),
        (104.0, 1, None, 1.0),
        (0.0, 1, 0.05, 0.0),
        (50.0, 0, None, None),
        (20.0, 1, 0.005, None),
        (20.0, 1, -0.2, None),
        (20.0, 1, float("nan"), None),
        (float("nan"), 1, None, None),
        (-30.0, 1, None, None),
        (4_000.0, 1, None, None),
    ],
)
def test_cpu_ratio(cpu_percent: float, vcpus: int, ran_share: float | None, expected: float | None) -> None:
    assert cpu_ratio(cpu_percent, vcpus, ran_share) == (None if expected is None else pytest.approx(expected))


@given(st.floats(), st.integers(0, 64), st.none() | st.floats())
def test_cpu_ratio_is_a_ratio_or_unknown(cpu_percent: float, vcpus: int, ran_share: float | None) -> None:
    ratio = cpu_ratio(cpu_percent, vcpus, ran_share)
    assert ratio is None or 0.0 <= ratio <= 1.0
