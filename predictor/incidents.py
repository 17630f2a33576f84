"""Labelled spans of trouble, told by people: in, what an operator says; out, incidents in the store, and labels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Self, cast, get_args

import numpy as np
from numpy.typing import NDArray

from predictor.times import text_of
from telemetry.point import Point
from telemetry.store import Grid, Store
from telemetry.units import NS_PER_S

Level = Literal["abnormal", "failed"]
LABELS: Final = {"normal": 0, "abnormal": 1, "failed": 2}

LONGEST_NS: Final = 30 * 86_400 * NS_PER_S
"""Whatever lasts longer is no incident but a slip of the pen, or the domain's normal state."""

_NEVER_NS: Final = 2**63


class IncidentError(ValueError):
    """The incident cannot be kept as told; the text says why and what to do."""


@dataclass(frozen=True)
class Incident:
    """A span [start, end) in which a domain was abnormal or failed; without end it goes on."""

    domain: str
    id: str
    level: Level
    start_ns: int
    end_ns: int | None
    text: str

    @classmethod
    def of(cls, point: Point) -> Self:
        """The incident that a point of the store tells; raises IncidentError if it tells none."""
        level, end_ns = point.fields.get("level"), point.fields.get("end_ns")
        if level not in get_args(Level) or not isinstance(end_ns, int | None):
            raise IncidentError(f"incident {point.tags['id']} of {point.tags['domain']}: its level or end is missing")
        text = str(point.fields.get("text", ""))
        return cls(point.tags["domain"], point.tags["id"], cast("Level", level), point.time_ns, end_ns, text)

    def point(self) -> Point:
        """The incident as a point of the store."""
        fields = {"level": self.level, "end_ns": self.end_ns, "text": self.text}
        point = Point.of("incident", {"domain": self.domain, "id": self.id}, fields, self.start_ns)
        assert point is not None
        return point

    def __str__(self) -> str:
        end = "still going on" if self.end_ns is None else text_of(self.end_ns)
        return f"{self.id} of {self.domain} ({self.level}, {text_of(self.start_ns)} to {end})"


def listed(store: Store, now_ns: int, domain: str | None = None) -> list[Incident]:
    """Every incident (of one domain) that has begun by now, by its start; raises StoreError."""
    where = None if domain is None else {"domain": domain}
    return [Incident.of(point) for point in store.events("incident", 0, now_ns + 1, where=where)]


def add(store: Store, incident: Incident, now_ns: int) -> None:
    """Keep a new incident; raises IncidentError if it is inverted, in the future, or in another's way; StoreError."""
    if incident.end_ns is not None and incident.end_ns <= incident.start_ns:
        raise IncidentError(f"incident {incident} does not end after it starts; exchange the two")
    if max(incident.start_ns, incident.end_ns or 0) > now_ns:
        raise IncidentError(f"incident {incident} is not over yet; leave its end out and close it later")
    if (now_ns if incident.end_ns is None else incident.end_ns) - incident.start_ns > LONGEST_NS:
        raise IncidentError(f"incident {incident} lasts for more than 30 days; is its start right?")
    for other in listed(store, now_ns, incident.domain):
        if other.id == incident.id:
            raise IncidentError(f"incident {other} has this id already; choose another")
        if _overlap(other, incident):
            raise IncidentError(f"incident {incident} overlaps {other}; one moment has one level")
    store.append([incident.point()])


def close(store: Store, domain: str, incident_id: str, end_ns: int | None, now_ns: int) -> Incident:
    """Give an open incident its end, or withdraw any one (None); raises IncidentError, StoreError.

    A withdrawn incident ends where it starts, and teaches nothing.
    """
    known = {incident.id: incident for incident in listed(store, now_ns, domain)}
    if incident_id not in known:
        raise IncidentError(f"{domain} has no incident {incident_id!r}; known are {', '.join(known) or 'none'}")
    incident = known[incident_id]
    if end_ns is None:
        end_ns = incident.start_ns
    elif incident.end_ns is not None:
        raise IncidentError(f"incident {incident} has ended already; --withdraw it and add it anew to change it")
    if not incident.start_ns <= end_ns <= now_ns:
        raise IncidentError(f"incident {incident} cannot end at {text_of(end_ns)}: before its start or in the future")
    closed = replace(incident, end_ns=end_ns)
    store.append([closed.point()])
    return closed


def labels(incidents: Iterable[Incident], grid: Grid, domains: Sequence[str]) -> NDArray[np.intp]:
    """The level of each step and domain `[T, S]` as in LABELS, normal where no incident touches the step."""
    result = np.full((grid.count, len(domains)), LABELS["normal"], dtype=np.intp)
    for incident in incidents:
        if incident.domain not in domains:
            continue
        first = max(0, (incident.start_ns - grid.start_ns) // grid.step_ns)
        end_ns = grid.stop_ns if incident.end_ns is None else incident.end_ns
        stop = max(first, -(-(end_ns - grid.start_ns) // grid.step_ns))
        of_domain = result[first:stop, domains.index(incident.domain)]
        np.maximum(of_domain, LABELS[incident.level], out=of_domain)
    return result


def _overlap(a: Incident, b: Incident) -> bool:
    return max(a.start_ns, b.start_ns) < min(_end_ns(a), _end_ns(b))


def _end_ns(incident: Incident) -> int:
    return _NEVER_NS if incident.end_ns is None else incident.end_ns
