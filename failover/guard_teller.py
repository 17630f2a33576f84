"""What a guard tells of itself: in, its words at each step; out, a file that has the newest of them."""

import logging
from pathlib import Path

from failover import guard_store
from failover.guard_store import Told

_log = logging.getLogger(__name__)


class Teller:
    """A full disk must not end who guards: what cannot be told now is told later."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._told: Told | None = None
        self._problem = ""

    def is_told(self, told: Told) -> bool:
        """Whether the file has it."""
        if told == self._told:
            return True
        try:
            guard_store.tell(self._run_dir, told)
        except OSError as error:
            if str(error) != self._problem:
                _log.error("%s: what its guard says cannot be written: %s", told.domain, error)
            self._problem = str(error)
            return False
        self._told, self._problem = told, ""
        return True
