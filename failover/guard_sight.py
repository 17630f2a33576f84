"""Where a guard's domain is: in, its name; out, its state now, by the number under which Xen knows it.

Only `xl` knows numbers by names, and takes seconds on a slow host: it is asked where other numbers are there now.
"""

import logging
from typing import Final

from failover import xl
from failover.clock import now_ns
from failover.guard_board import Board, Slot
from failover.hypervisor import DomainState, Hypervisor, HypervisorError
from failover.xl import XlError
from telemetry.units import NS_PER_S

_log = logging.getLogger(__name__)

_SEARCH_NS: Final = 30 * NS_PER_S
"""And so often at least, as a domain keeps its number where xl gives it another name."""
_AGAIN_NS: Final = NS_PER_S
"""Where xl could not tell: what is here unseen runs unguarded."""


class Sight:
    """Follows one domain."""

    def __init__(self, domain: str, xen: Hypervisor, board: Board) -> None:
        self._domain, self._xen, self._board = domain, xen, board
        self._searched: frozenset[int] = frozenset()
        self._search_ns = 0
        self.has_halted = False
        """As it was last seen."""
        self.must_search = False

    def look(self) -> tuple[DomainState | None, bool]:
        """The domain's state, None where it is not here; and whether Xen could tell."""
        try:
            state = self._xen.state(number) if (number := self._board[Slot.NUMBER]) else None
            if state is None:
                self._miss()
        except HypervisorError as error:
            _log.error("%s", error)
            return None, False
        if state is not None:
            self.has_halted = state.has_halted
        return state, True

    def search(self) -> int | XlError | None:
        """Its number, or why that cannot be told. Takes long."""
        try:
            return xl.number_of(self._domain)
        except XlError as error:
            return error

    def found(self, number: int | XlError | None) -> None:
        """What a search has come to; another process may have told the same meanwhile."""
        if isinstance(number, XlError):
            _log.warning("%s", number)
            self._search_ns = now_ns() + _AGAIN_NS
        elif number and number != self._board[Slot.NUMBER]:
            self._board.find(number)
            self.has_halted = False

    def _miss(self) -> None:
        if self._board[Slot.NUMBER]:
            self._board.find(0)
        numbers, at_ns = self._xen.numbers(), now_ns()
        if numbers and (numbers != self._searched or at_ns >= self._search_ns):
            self.must_search, self._searched, self._search_ns = True, numbers, at_ns + _SEARCH_NS
