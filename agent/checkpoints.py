"""Watches replication: in, the pacers' reports; out, one `checkpoint` point a domain and period, and events."""

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from agent import backup
from agent.collector import Emit, Periodic
from agent.inbox import Inbox
from agent.protection import protection_path, show
from agent.replication import Happening, Replication
from agent.reports import MAX_BYTES, ReportError, parse
from telemetry.point import Point, Value

SOCKET = "report.sock"

_NOT_DOMAINS = frozenset({"acts", "guard", "heartbeat", "receive"})
"""Directories beside the domains' in which hefery-remus keeps what it knows."""

# The kernel keeps so many datagrams for a socket, 10 by itself and 512 under systemd, and drops the rest: read before a
# pacer, at 25 ms, can have sent half as many, but not more often, as every round costs CPU.
_QUEUE_LENGTH = Path("/proc/sys/net/unix/max_dgram_qlen")
_LEAST_QUEUE_LENGTH = 10
_MOST_REPORTS_PER_S = 40
_LONGEST_READ_PERIOD_S = 0.5


class CheckpointCollector:
    """Listens in every directory of `run_dir`, which are named by their domains; they may come and go.

    `domains` are those that count, all where None. Where `runs_here` says that a domain runs elsewhere, as on its
    backup host, nobody is told that it is not protected.
    """

    def __init__(
        self,
        host: str,
        *,
        run_dir: Path = Path("/run/hefery"),
        period_s: float = 1.0,
        domains: Collection[str] | None = None,
        runs_here: Callable[[str], bool] = lambda _: True,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = "checkpoints"
        self._host = host
        self._run_dir = run_dir
        self._period_s = period_s
        self._read_period_s = min(read_period_s(_queue_length()), period_s / 2)
        self._domains = domains
        self._runs_here = runs_here
        self._wall_ns = wall_ns
        self._monotonic_s = monotonic_s
        self._watched: dict[str, _Watched] = {}
        self._deaf: set[str] = set()
        self._due_s = monotonic_s()

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Listen until `stop` is set; the sockets are removed at the end."""
        try:
            Periodic(self.name, self._sample, self._read_period_s, monotonic_s=self._monotonic_s).run(emit, stop)
            if last := self._events(self._news(), self._wall_ns()):
                emit(last)
        finally:
            for domain, watched in self._watched.items():
                watched.inbox.close()
                self._show(domain, {})
            self._watched = {}

    def ran_share(self, domain: str) -> float | None:
        """Share of the time that the guest was let run lately; None where it is not replicated from here."""
        watched = self._watched.get(domain)
        return None if watched is None else watched.replication.ran_share

    def malformed(self, domain: str) -> int:
        """How many malformed reports have come for `domain` since it is listened for."""
        watched = self._watched.get(domain)
        return 0 if watched is None else watched.malformed

    def _sample(self) -> Sequence[Point]:
        """Take over what has come; once a period, say what it was. Reading alone costs little, and is done often."""
        now_s, time_ns = self._monotonic_s(), self._wall_ns()
        for watched in self._watched.values():
            watched.fetch(now_s)
        if now_s < self._due_s:
            return ()
        self._due_s = now_s + self._period_s - self._read_period_s / 2
        told = [*self._news(), *self._follow_directories(now_s)]
        points: list[Point] = []
        for domain, watched in self._watched.items():
            runs_here = self._runs_here(domain)
            if news := watched.replication.check(now_s, runs_here=runs_here):
                told.append((domain, news))
            fields = watched.replication.sum_up(now_s, runs_here=runs_here)
            self._show(domain, fields)
            points += self._points(domain, fields, time_ns)
        return self._events(told, time_ns) + points

    def _news(self) -> Iterator[tuple[str, Happening]]:
        return (
            (domain, news)
            for domain, watched in self._watched.items()
            for news in watched.news(has_backup=backup.is_named(self._run_dir, domain))
        )

    def _follow_directories(self, now_s: float) -> Iterator[tuple[str, Happening]]:
        domains = self._domains_with_directory()
        for domain, watched in list(self._watched.items()):
            if domain not in domains and not watched.replication.protected:
                watched.inbox.close()
                del self._watched[domain]
        for domain in sorted(domains):
            if news := self._listen(domain, now_s):
                yield domain, news

    def _domains_with_directory(self) -> set[str]:
        try:
            names = {entry.name for entry in os.scandir(self._run_dir) if entry.is_dir() and entry.name.isprintable()}
        except FileNotFoundError:
            return set()
        return names - _NOT_DOMAINS if self._domains is None else names.intersection(self._domains)

    def _listen(self, domain: str, now_s: float) -> Happening | None:
        """Listen for `domain` if that is not so already; tells once where it cannot be done, and tries again."""
        watched = self._watched.get(domain)
        if watched is not None and watched.inbox.is_in_place():
            return None
        path = self._run_dir / domain / SOCKET
        try:
            inbox = Inbox(path)
        except OSError as error:
            known, self._deaf = domain in self._deaf, self._deaf | {domain}
            return None if known else Happening("report_socket_failed", f"{path}: {error}; reports cannot be received")
        self._deaf -= {domain}
        if watched is None:
            self._watched[domain] = _Watched(inbox, now_s)
        else:
            watched.inbox.close()
            watched.inbox = inbox
        return None

    def _show(self, domain: str, fields: Mapping[str, Value | None]) -> None:
        show(protection_path(self._run_dir, domain), fields, self._period_s, time.monotonic_ns())

    def _points(self, domain: str, fields: Mapping[str, Value | None], time_ns: int) -> list[Point]:
        point = Point.of("checkpoint", {"host": self._host, "domain": domain}, fields, time_ns)
        return [] if point is None else [point]

    def _events(self, told: Iterable[tuple[str, Happening]], time_ns: int) -> list[Point]:
        """Their times differ so that no event takes another's place in the store."""
        return [
            Point("event", {"kind": news.kind, "domain": domain, "host": self._host}, {"text": news.text}, time_ns + n)
            for n, (domain, news) in enumerate(told)
        ]


def read_period_s(queue_length: int) -> float:
    """How often to read sockets for which the kernel keeps so many datagrams."""
    return min(queue_length / 2 / _MOST_REPORTS_PER_S, _LONGEST_READ_PERIOD_S)


def _queue_length() -> int:
    try:
        return max(int(_QUEUE_LENGTH.read_text(encoding="ascii")), _LEAST_QUEUE_LENGTH)
    except (OSError, ValueError):
        return _LEAST_QUEUE_LENGTH


class _Watched:
    """A domain that is listened for."""

    def __init__(self, inbox: Inbox, now_s: float) -> None:
        self.inbox = inbox
        self.replication = Replication(now_s)
        self.malformed = 0
        self._fetched: list[tuple[float, bytes]] = []

    def fetch(self, now_s: float) -> None:
        """Take over what has come."""
        self._fetched += [(now_s, datagram) for datagram in self.inbox.read(MAX_BYTES + 1)]

    def news(self, *, has_backup: bool) -> Iterator[Happening]:
        """Take note of what was fetched; of malformed reports the first is told, all are counted."""
        fetched, self._fetched = self._fetched, []
        for come_s, datagram in fetched:
            try:
                news = self.replication.take(parse(datagram), come_s, has_backup=has_backup)
            except ReportError as error:
                self.malformed += 1
                news = Happening("malformed_report", str(error)) if self.malformed == 1 else None
            if news is not None:
                yield news
