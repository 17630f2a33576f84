import json
from collections.abc import Mapping, Sequence

import pytest

from lab.landscape import HOSTS
from lab.trials.parts.soak import counted, growths

FIRST = {
    "commits": 160,
    "a remus xl rss_kb": 8648,
    "a remus xl descriptors": 28,
    "a remus hefery-remus rss_kb": 15000,
    "a hefery-guard hefery-remus rss_kb": 24000,
    "a hefery-guard hefery-remus descriptors": 12,
    "b hefery-receiver xl rss_kb": 8000,
    "b files": 20,
}
LIBXL_KEPT = {**FIRST, "commits": 3129, "a remus xl rss_kb": 20596, "b hefery-receiver xl rss_kb": 20000}
"""a's xl and its helper as they were on the lab, after half an hour; the others made up."""


def grown(*sizes: Mapping[str, int]) -> list[str]:
    return [text for text, is_too_much in growths(sizes).items() if is_too_much]


def changed(**changes: int) -> Mapping[str, int]:
    return {**LIBXL_KEPT, **{name.replace("__", " ").replace("hefery_", "hefery-"): n for name, n in changes.items()}}


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (LIBXL_KEPT, []),
        (changed(a__remus__xl__rss_kb=22500), ["a remus xl rss_kb grew from 8648 to 22500"]),
        (changed(commits=400), [f"{name} xl rss_kb" for name in ("a remus", "b hefery-receiver")]),
        (changed(a__remus__xl__descriptors=29), ["a remus xl descriptors grew from 28 to 29"]),
        (changed(a__hefery_guard__hefery_remus__rss_kb=25200), []),
        (changed(a__hefery_guard__hefery_remus__rss_kb=25300), ["a hefery-guard hefery-remus rss_kb grew from 24000"]),
        (changed(a__hefery_guard__hefery_remus__descriptors=13), ["a hefery-guard hefery-remus descriptors grew"]),
        (changed(a__remus__hefery_remus__rss_kb=16000), ["a remus hefery-remus rss_kb grew"]),
        (changed(b__files=21), ["b files grew from 20 to 21"]),
        (changed(b__hefery_agent__xentop__rss_kb=900), ["b hefery-agent xentop rss_kb grew from 0 to 900"]),
    ],
)
def test_what_libxl_keeps_of_each_checkpoint_is_known_and_all_else_is_growth_of_its_program(
    last: Mapping[str, int], told: Sequence[str]
) -> None:
    found = grown(FIRST, *[last] * 3)
    assert len(found) == len(told)
    assert all(one.startswith(words) for one, words in zip(found, told, strict=True))


def test_what_was_larger_in_one_look_alone_has_not_grown() -> None:
    larger = changed(b__files=21)
    assert grown(FIRST, LIBXL_KEPT, larger, LIBXL_KEPT) == grown(FIRST, larger, LIBXL_KEPT, larger) == []


def test_sizes_are_named_by_host_unit_and_program() -> None:
    printed = json.dumps({"programs": {"remus xl": {"rss_kb": 7, "descriptors": 3}}, "files": 9})
    sizes = dict(counted(HOSTS["a"], printed))
    assert sizes == {"a remus xl rss_kb": 7, "a remus xl descriptors": 3, "a files": 9}
