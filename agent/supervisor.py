"""Keeps parts running: in, what each is to do; out, a thread for each, which outlives its failures."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.backoff import Backoff

_log = logging.getLogger(__name__)

_BACKOFF = Backoff(first_s=1.0, longest_s=60.0)
_STEADY_S = 60.0
"""A part that ran for so long before it failed is begun again as after a first failure."""


@dataclass(frozen=True)
class Part:
    """Something to keep running: `run` ends when the event is set, or raises."""

    name: str
    run: Callable[[threading.Event], object]


class Supervisor:
    """Runs parts, each in a thread of its own: one that fails is begun again after a while, and the others go on."""

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        tell: Callable[[], object] = lambda: None,
        backoff: Backoff = _BACKOFF,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell` is called whenever `failing` has changed; it must not raise."""
        self._stop = threading.Event()
        self._tell = tell
        self._backoff = backoff
        self._monotonic_s = monotonic_s
        # daemons: one that hangs must not keep the process from ending
        self._threads = [threading.Thread(target=self._keep, args=(p,), name=p.name, daemon=True) for p in parts]
        self._failing: dict[str, str] = {}

    @property
    def failing(self) -> Mapping[str, str]:
        """The parts that wait to be begun again, each with what its failure said."""
        return dict(self._failing)

    def start(self) -> None:
        """Begin all parts."""
        for thread in self._threads:
            thread.start()

    def stop(self, limit_s: float) -> list[str]:
        """Tell all parts to stop and wait; the names of those that did not within `limit_s`."""
        self._stop.set()
        end_s = self._monotonic_s() + limit_s
        for thread in self._threads:
            thread.join(max(0.0, end_s - self._monotonic_s()))
        return [thread.name for thread in self._threads if thread.is_alive()]

    def is_alive(self) -> bool:
        """Whether every part is run, or waits to be begun again."""
        return all(thread.is_alive() for thread in self._threads)

    def _keep(self, part: Part) -> None:
        failures = 0
        while not self._stop.is_set():
            begun_s = self._monotonic_s()
            said = self._run(part)
            if self._stop.is_set():
                return
            failures = 1 if self._monotonic_s() - begun_s >= _STEADY_S else failures + 1
            delay_s = self._backoff.delay_s(failures)
            _log.error("%s failed, again in %.1f s: %s", part.name, delay_s, said)
            self._failing[part.name] = said
            self._tell()
            self._stop.wait(delay_s)
            self._failing.pop(part.name)
            self._tell()

    def _run(self, part: Part) -> str:
        """What came of a run that was not told to stop, in words."""
        try:
            part.run(self._stop)
        except Exception as error:  # noqa: BLE001 - whatever befalls one part, it is begun again and the others go on
            _log.debug("%s", part.name, exc_info=True)
            return f"{type(error).__name__}: {error}"
        return "it ended without being told to"
