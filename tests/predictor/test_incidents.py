"""Incidents: what an operator may say, and the labels that come of it."""

from dataclasses import replace

import numpy as np
import pytest

from predictor.incidents import LONGEST_NS, Incident, IncidentError, add, close, labels, listed
from telemetry.point import Point
from telemetry.store import Grid, Store

MINUTE_NS = 60 * 10**9
NOW_NS = 1000 * MINUTE_NS
LEAK = Incident("web", "leak", "abnormal", start_ns=100 * MINUTE_NS, end_ns=130 * MINUTE_NS, text="a memory leak")


def test_comes_back_as_it_was_told(store: Store) -> None:
    others = [replace(LEAK, domain="db"), replace(LEAK, id="2", start_ns=LEAK.start_ns + MINUTE_NS * 50, end_ns=None)]
    for incident in [LEAK, *others]:
        add(store, incident, NOW_NS)
    assert listed(store, NOW_NS, "web") == [LEAK, others[1]]
    assert sorted(listed(store, NOW_NS), key=lambda incident: incident.id) == [
        others[1],
        *sorted([LEAK, others[0]], key=lambda incident: incident.domain),
    ]


def test_spans_may_touch(store: Store) -> None:
    add(store, LEAK, NOW_NS)
    end_ns = 140 * MINUTE_NS
    add(store, replace(LEAK, id="crash", level="failed", start_ns=130 * MINUTE_NS, end_ns=end_ns), NOW_NS)
    assert len(listed(store, NOW_NS)) == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (replace(LEAK, id="x", start_ns=LEAK.start_ns + 1), r"incident x of web .* overlaps leak of web"),
        (replace(LEAK, id="x", start_ns=1, end_ns=None), "overlaps leak of web"),
        (replace(LEAK, start_ns=NOW_NS - 1, end_ns=NOW_NS), "has this id already; choose another"),
        (replace(LEAK, id="x", start_ns=NOW_NS - 1, end_ns=NOW_NS - 2), "does not end after it starts"),
        (replace(LEAK, id="x", start_ns=NOW_NS - 1, end_ns=NOW_NS - 1), "does not end after it starts"),
        (replace(LEAK, id="x", start_ns=NOW_NS - 1, end_ns=NOW_NS + 1), "is not over yet; leave its end out"),
        (replace(LEAK, id="x", start_ns=NOW_NS + 1, end_ns=None), "is not over yet"),
        (replace(LEAK, id="x", start_ns=NOW_NS - LONGEST_NS - 1, end_ns=None), "lasts for more than 30 days; is its"),
    ],
)
def test_what_cannot_be_is_refused(store: Store, wrong: Incident, said: str) -> None:
    add(store, LEAK, NOW_NS)
    with pytest.raises(IncidentError, match=said):
        add(store, wrong, NOW_NS)
    assert listed(store, NOW_NS) == [LEAK]


class TestOpen:
    going_on = replace(LEAK, end_ns=None)

    def test_is_closed_later(self, store: Store) -> None:
        add(store, self.going_on, NOW_NS)
        assert close(store, "web", "leak", LEAK.end_ns or 0, NOW_NS) == LEAK
        assert listed(store, NOW_NS) == [LEAK]

    def test_is_withdrawn_by_its_own_start(self, store: Store) -> None:
        add(store, self.going_on, NOW_NS)
        withdrawn = close(store, "web", "leak", self.going_on.start_ns, NOW_NS)
        grid = Grid(99 * MINUTE_NS, MINUTE_NS, 5)
        assert not labels([withdrawn], grid, ["web"]).any()
        add(store, replace(LEAK, id="right", start_ns=99 * MINUTE_NS), NOW_NS)

    @pytest.mark.parametrize(
        ("incident_id", "end_ns", "said"),
        [
            ("leek", LEAK.end_ns, "has no incident 'leek'; known are leak"),
            ("leak", NOW_NS + 1, "before its start or in the future"),
            ("leak", 1, "before its start or in the future"),
        ],
    )
    def test_wrong_end_is_refused(self, store: Store, incident_id: str, end_ns: int, said: str) -> None:
        add(store, self.going_on, NOW_NS)
        with pytest.raises(IncidentError, match=said):
            close(store, "web", incident_id, end_ns, NOW_NS)
        assert listed(store, NOW_NS) == [self.going_on]

    def test_ends_once(self, store: Store) -> None:
        add(store, LEAK, NOW_NS)
        with pytest.raises(IncidentError, match="has ended already"):
            close(store, "web", "leak", LEAK.start_ns, NOW_NS)

    @pytest.mark.parametrize("ended", [True, False])
    def test_withdrawn_it_teaches_nothing(self, store: Store, *, ended: bool) -> None:
        add(store, LEAK if ended else self.going_on, NOW_NS)
        withdrawn = close(store, "web", "leak", None, NOW_NS)
        assert withdrawn.end_ns == withdrawn.start_ns
        assert listed(store, NOW_NS) == [withdrawn]
        grid = Grid(0, MINUTE_NS, NOW_NS // MINUTE_NS)
        assert not labels([withdrawn], grid, ["web"]).any()


def test_point_without_a_level_is_refused(store: Store) -> None:
    store.append([Point("incident", {"domain": "web", "id": "x"}, {"text": "?"}, NOW_NS)])
    with pytest.raises(IncidentError, match="incident x of web: its level or end is missing"):
        listed(store, NOW_NS)


class TestLabels:
    grid = Grid(100 * MINUTE_NS, MINUTE_NS, 6)

    def column(self, *incidents: Incident) -> list[int]:
        return [int(level) for level in labels(incidents, self.grid, ["db", "web"])[:, 1]]

    def test_every_step_that_the_span_touches(self) -> None:
        span = replace(LEAK, start_ns=101 * MINUTE_NS + 1, end_ns=103 * MINUTE_NS + 1)
        assert self.column(span) == [0, 1, 1, 1, 0, 0]
        exact = replace(LEAK, start_ns=101 * MINUTE_NS, end_ns=103 * MINUTE_NS)
        assert self.column(exact) == [0, 1, 1, 0, 0, 0]

    def test_worse_level_wins_a_shared_step(self) -> None:
        middle_ns = 102 * MINUTE_NS + 30 * 10**9
        failed = replace(LEAK, level="failed", start_ns=middle_ns, end_ns=104 * MINUTE_NS)
        assert self.column(failed, replace(LEAK, end_ns=middle_ns)) == [1, 1, 2, 2, 0, 0]

    def test_span_reaches_out_of_the_grid(self) -> None:
        assert self.column(replace(LEAK, start_ns=1, end_ns=102 * MINUTE_NS)) == [1, 1, 0, 0, 0, 0]
        assert self.column(replace(LEAK, start_ns=1, end_ns=2)) == [0] * 6
        assert self.column(replace(LEAK, start_ns=104 * MINUTE_NS, end_ns=None)) == [0, 0, 0, 0, 1, 1]
        assert self.column(replace(LEAK, start_ns=999 * MINUTE_NS, end_ns=None)) == [0] * 6

    def test_other_domains_are_normal(self) -> None:
        assert not labels([LEAK], self.grid, ["db"]).any()
        assert np.array_equal(labels([LEAK], self.grid, ["db", "web"])[:, 0], np.zeros(6))
