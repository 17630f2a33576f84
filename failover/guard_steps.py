"""The guard of a domain: in, its lease and fence; out, the domain running only while this host may run it.

It looks four times a second, and at each order, answer, deadline and end of a domain; workers do what takes longer
(rules G of model/README.md).
"""

import logging
import select
from enum import Enum
from functools import partial
from typing import Any, Final

from failover import guard_board, guard_heritage, guard_store, pausing, xl
from failover.bell import Bell
from failover.clock import now_ns
from failover.ends import Ends
from failover.events import Seldom
from failover.guard_answers import hand_over, heard, unanswered
from failover.guard_board import Board, Slot
from failover.guard_rules import decide
from failover.guard_sight import Sight
from failover.guard_state import OF_FENCE, Act, Ask, Decision, Evidence, Limits, State
from failover.guard_store import BackupOrder, GuardFileError, Told
from failover.guard_teller import Teller
from failover.guard_workers import Fence, Mailbox, Worker, of_fence, of_lease
from failover.hypervisor import Hypervisor, HypervisorError
from failover.lease import Lease, Unknown
from failover.relief import Relief
from failover.settings import RemusSettings
from telemetry.units import NS_PER_MS, NS_PER_S

_log = logging.getLogger(__name__)

_LOOK_NS: Final = NS_PER_S // 4
"""Each look is a wake-up and some system calls, which an emulated host takes ten milliseconds for."""
_DESTROY_AGAIN_NS: Final = 10 * NS_PER_S


class Chore(Enum):
    """What xl is asked for."""

    SEARCH = "search"
    DESTROY = "destroy"


class Guard:
    """One step at a time; a step never waits."""

    def __init__(self, settings: RemusSettings, domain: str, limits: Limits, lease: Lease, fence: Fence) -> None:
        """Raises HypervisorError, OSError."""
        self._domain, self._limits, self._lease, self._fence = domain, limits, lease, fence
        self._run_dir = settings.host.run_dir
        self._xen, self._board = Hypervisor(), Board(self._run_dir, domain)
        self._sight = Sight(domain, self._xen, self._board)
        self._state, self.relief = State(), Relief()
        self._done, self._bell = Mailbox(), Bell(guard_board.directory(self._run_dir, domain))
        self._ends = Ends()
        self._of_lease = Worker(self._done)
        self._of_fence, self._of_xl = (Worker(self._done, at_leisure=True) for _ in range(2))
        self._destroy_ns = 0
        self._teller = Teller(self._run_dir)
        self._order: BackupOrder | None = None
        self._events = Seldom(domain)

    def take_up(self) -> None:
        """What the guard before this one has left; it must have ended."""
        self._state = guard_heritage.adopted(self._run_dir, self._domain, self._board, now_ns())

    @property
    def is_relieved(self) -> bool:
        """Whether the next guard is ready, and nothing is under way that it could not know of."""
        return self._is_leaving() and not self._of_lease.is_busy

    def leave(self) -> None:
        """The next one takes over: what was kept back is told."""
        self._events.tell_all()

    def step(self) -> None:
        """Hear, look, decide, act, ask, and tell, in this order."""
        self.relief.look()
        self._hear()
        self._ends.hear()
        if self._bell.has_rung():
            self._take_orders()
        evidence = self._look()
        self._state, decision = decide(self._state, now_ns(), evidence, self._limits)
        self._write_down()
        self._act(decision)
        for ask in decision.asks:
            self._ask(ask, decision)
        if self._sight.must_search and not self._of_xl.is_busy and not self._may_leave():
            self._sight.must_search = False
            self._of_xl.ask(Chore.SEARCH, self._sight.search)
        self._tell(decision)
        self._events.catch_up()

    def wait(self) -> None:
        """For an answer, an order, the end of a domain, the deadline, the next question, or the next look."""
        state, at_ns = self._state, now_ns()
        times_ns = (state.deadline_ns, state.ask_ns, state.fence_ask_ns, state.claim_ns, at_ns + _LOOK_NS)
        left_ns = min(time_ns for time_ns in times_ns if time_ns > at_ns) - at_ns
        # not poll(2), which counts in milliseconds
        ready = [
            self._done.descriptor,
            *self._bell.descriptors,
            *self._ends.descriptors,
            *self.relief.descriptors,
        ]
        select.select(ready, [], [], left_ns / NS_PER_S)

    def _may_leave(self) -> bool:
        """What is to be given back is this guard's to do: the next one knows nothing of it."""
        return self.relief.is_ready and not self._state.burnt_epoch

    def _is_leaving(self) -> bool:
        """What takes long is over; until then the lease is renewed."""
        return self._may_leave() and not self._of_fence.is_busy and not self._of_xl.is_busy

    def _hear(self) -> None:
        for asked, answer in self._done.taken():
            if isinstance(asked, Ask):
                self._hear_answer(asked, answer)
            elif asked is Chore.SEARCH:
                self._sight.found(answer)

    def _hear_answer(self, ask: Ask, answer: Any) -> None:
        if isinstance(answer, Unknown):
            self._state = unanswered(self._state, ask, answer.reason, now_ns(), self._limits)
        else:
            self._state = heard(self._state, answer, now_ns(), self._limits)

    def _take_orders(self) -> None:
        """Each by itself: one that cannot be read keeps no other from being heard."""
        for take in (self._take_arms, self._take_hand_over, self._take_backup):
            try:
                take()
            except GuardFileError as error:
                _log.error("%s", error)
            except OSError as error:
                _log.error("an order cannot be read yet: %s", error)
                self._bell.ring()

    def _take_arms(self) -> None:
        if armed := guard_store.armed(self._run_dir, self._domain):
            self._state = guard_heritage.armed(armed, self._board, self._state)

    def _take_hand_over(self) -> None:
        if epoch := guard_store.handed_over(self._run_dir, self._domain):
            self._state = hand_over(self._state, epoch, now_ns())

    def _take_backup(self) -> None:
        self._order = guard_store.backup_order(self._run_dir, self._domain)

    def _look(self) -> Evidence:
        domain, is_known = self._sight.look()
        return Evidence(
            domain,
            is_known,
            pausing.is_ours(self._board),
            self._sight.has_halted,
            self._of_lease.is_busy or self._is_leaving(),
            self._of_fence.is_busy or self._may_leave(),
            self._order.in_epoch(self._state.epoch) if self._order else None,
        )

    def _write_down(self) -> None:
        """For the minder, and for the next guard."""
        is_ready = self._state.is_ready
        self._board[Slot.MOST_LEFT] = self._limits.pause_ns
        self._board[Slot.EPOCH] = self._state.epoch if is_ready else 0
        self._board[Slot.DEADLINE] = self._state.deadline_ns if is_ready else 0
        self._board[Slot.GUARD_TICK] = now_ns()

    def _act(self, decision: Decision) -> None:
        try:
            if decision.act is Act.PAUSE and pausing.pause(self._xen, self._board, Slot.GUARD_PAUSED):
                self._events.tell("paused", decision.reason + self._after_deadline())
            elif decision.act is Act.UNPAUSE and pausing.unpause(self._xen, self._board):
                self._events.tell("goes_on", decision.reason)
        except HypervisorError as error:
            _log.error("%s: %s", self._domain, error)
        if decision.act is Act.DESTROY and not self._of_xl.is_busy and now_ns() >= self._destroy_ns:
            self._destroy_ns = now_ns() + _DESTROY_AGAIN_NS
            self._events.tell("superseded", f"the copy here is destroyed: {decision.reason}")
            self._of_xl.ask(Chore.DESTROY, partial(xl.destroy, str(self._board[Slot.NUMBER])))

    def _after_deadline(self) -> str:
        late_ns = now_ns() - self._state.deadline_ns
        return f" ({late_ns / NS_PER_MS:.1f} ms after its deadline)" if self._state.epoch and late_ns > 0 else ""

    def _ask(self, ask: Ask, decision: Decision) -> None:
        if ask in OF_FENCE:
            self._of_fence.ask(ask, partial(of_fence, self._fence, ask, decision.epoch))
            return
        if ask is Ask.TELL:
            self._board[Slot.TELLING] = decision.epoch
        self._of_lease.ask(ask, partial(of_lease, self._lease, ask, decision.epoch, decision.mark))

    def _tell(self, decision: Decision) -> None:
        epoch, number = self._board[Slot.EPOCH], self._board[Slot.NUMBER]
        backup, ordered_ns = self._state.backup if epoch else None, self._order.ordered_ns if self._order else 0
        told = Told(self._domain, number, epoch, pausing.is_ours(self._board), decision.reason, backup, ordered_ns)
        if self._teller.is_told(told) and self._state.telling is None:  # a guard that follows this one finds it there
            self._board[Slot.TELLING] = 0
