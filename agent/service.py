"""The agent at work: in, settings; out, points in the store and orders for the pacers, until told to stop."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from agent import lock
from agent.clock import boot_id
from agent.collectors import collectors
from agent.decisions import DecisionFeed
from agent.events import Events
from agent.governor import Governor
from agent.health import health_collector
from agent.primary import AssumedPrimary, Primary, RemusPrimary
from agent.sender import Sender
from agent.settings import AgentSettings, GovernorSettings
from agent.spool import Spool
from agent.supervisor import Part, Supervisor
from telemetry.notify import Notifier
from telemetry.store import StoreError
from telemetry.stores import open_store
from telemetry.units import NS_PER_S

_log = logging.getLogger(__name__)

_SOURCES_LIMIT_S = 5.0
_EVENTS_LIMIT_S = 2.0
_GOVERNOR_SILENT_NS = 15 * NS_PER_S
"""A governor that has not ticked for so long, its longest period and some, does not do its work."""

Wait = Callable[[float | None], bool]
"""Waits for at most so many seconds, None for ever; whether the service was told to stop."""


class Agent:
    """Everything that runs in the process, in the order of the data's way: sources, events, sender."""

    def __init__(self, settings: AgentSettings) -> None:
        """Open the spool and wire everything; raises StoreError when the spool cannot be used."""
        self._events = Events(settings.host)
        self._spool = Spool(
            settings.spool.path,
            max_bytes=settings.spool.max_bytes,
            max_age_s=settings.spool.max_age_s,
            tell=self._tell_of_damage,
        )
        sender = self._sender(settings)
        self._governor: Governor | None = None
        health = health_collector(settings.host, self._spool, lambda: sender.sent, settings.health.period_s)
        sources = [Part(c.name, partial(c.run, self._spool.add)) for c in (*collectors(settings), health)]
        events = Part("events", partial(self._events.run, self._spool.add))
        self._noting = threading.Lock()
        self._sources = Supervisor([*self._control(settings), *sources], tell=self._note_failing)
        self._telling = Supervisor([events], tell=self._note_failing)
        self._sending = Supervisor([Part("sender", sender.run)], tell=self._note_failing)
        self._sending_limit_s = settings.sender.flush_s + _EVENTS_LIMIT_S

    def start(self) -> None:
        """Begin; the last in the data's way first."""
        self._note_failing()  # nothing yet: what a former run left is over
        for supervisor in reversed(self._supervisors()):
            supervisor.start()

    def stop(self) -> None:
        """End in the data's way, so that what the sources still say is spooled, and sent if that is quick."""
        hanging = self._sources.stop(_SOURCES_LIMIT_S)
        hanging += self._telling.stop(_EVENTS_LIMIT_S)
        hanging += self._sending.stop(self._sending_limit_s)
        if hanging:
            _log.warning("left without waiting for: %s", ", ".join(hanging))
        else:
            self._spool.close()

    def is_well(self) -> bool:
        """Whether everything runs, or is being begun again, and the governor does its rounds."""
        rounds_ns = 0 if self._governor is None else time.monotonic_ns() - self._governor.ticked_ns
        return rounds_ns < _GOVERNOR_SILENT_NS and all(supervisor.is_alive() for supervisor in self._supervisors())

    def _supervisors(self) -> tuple[Supervisor, ...]:
        return self._sources, self._telling, self._sending

    def _note_failing(self) -> None:
        with self._noting, suppress(StoreError):  # a spool in trouble logs that itself
            self._spool.failing({name: said for parts in self._supervisors() for name, said in parts.failing.items()})

    def _sender(self, settings: AgentSettings) -> Sender:
        return Sender(
            self._spool,
            partial(open_store, settings.store),
            self._events,
            batch_points=settings.sender.batch_points,
            period_s=settings.sender.period_s,
            flush_s=settings.sender.flush_s,
        )

    def _control(self, settings: AgentSettings) -> list[Part]:
        """The governor, and what asks the store for it on a thread of its own; nothing where it is not enabled."""
        governor = settings.governor
        if not governor.enabled:
            return []
        feed = DecisionFeed(partial(open_store, settings.store), governor.period_s)
        self._governor = Governor(
            run_dir=settings.run_dir,
            boot_id=boot_id(),
            limits=governor.limits,
            primary=primary_of(governor),
            feed=feed,
            events=self._events,
            period_s=governor.period_s,
        )
        return [Part("governor", self._governor.run), Part("decisions", feed.run)]

    def _tell_of_damage(self, text: str) -> None:
        _log.error("%s", text)
        self._events.tell("spool_damaged", text, time.time_ns())


def primary_of(settings: GovernorSettings) -> Primary:
    """What tells whose primary this host is."""
    return AssumedPrimary(settings.domains) if settings.primary == "assumed" else RemusPrimary(settings.domains)


def lock_path(settings: AgentSettings) -> Path:
    """The lock that an agent holds while it uses its spool."""
    return settings.spool.path.with_name(f"{settings.spool.path.name}.lock")


def run(settings: AgentSettings, wait: Wait, notifier: Notifier) -> None:
    """Work until `wait` says to stop, and tell the service manager of it; raises LockTaken, OSError, StoreError."""
    with lock.held(lock_path(settings)):
        agent = Agent(settings)
        agent.start()
        notifier.ready()
        _log.info("%s: at work", settings.host)
        while not wait(notifier.watchdog_s and notifier.watchdog_s / 3):
            if agent.is_well():
                notifier.alive()
        notifier.stopping()
        agent.stop()
