from collections.abc import Mapping

import pytest

from lab.trials.parts.soak import growths

FIRST = {"rss_kb": 9948, "descriptors": 46, "files": 11, "commits": 200}
LIBXL_KEPT = {"rss_kb": 19956, "descriptors": 46, "files": 11, "commits": 2760}
"""Sizes of half an hour on the lab, in which 2,804 checkpoints came; how many had come by then is estimated."""


@pytest.mark.parametrize(
    ("last", "grown"),
    [
        (LIBXL_KEPT, []),
        ({**LIBXL_KEPT, "rss_kb": 24000}, ["rss_kb grew from 9948 to 24000"]),
        ({**FIRST, "rss_kb": 10500}, ["rss_kb grew from 9948 to 10500"]),
        ({**LIBXL_KEPT, "descriptors": 47}, ["descriptors grew from 46 to 47"]),
        ({**LIBXL_KEPT, "files": 12}, ["files grew from 11 to 12"]),
    ],
)
def test_what_libxl_keeps_of_each_checkpoint_is_known_and_all_else_is_growth(
    last: Mapping[str, int], grown: list[str]
) -> None:
    assert [text for text, is_too_much in growths(FIRST, last).items() if is_too_much] == grown
