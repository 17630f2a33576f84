"""The gate of a copy by lease and fence: in, what is seen of its stream; out, a verdict, once all has been asked.

Workers ask; a step never waits (rules C of model/README.md, decided in claim.py).
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Final

from failover import claim, claim_answers, fence_command, guard_store, patience, xl
from failover.claim_shares import Shares
from failover.claim_state import Asked, Claim, Limits, Sight
from failover.clock import now_ns
from failover.etcd import Etcd
from failover.gate import Decision, Evidence, Verdict
from failover.guard_board import Board, Slot
from failover.guard_state import OF_FENCE, Answer, Ask
from failover.guard_store import Armed
from failover.guard_workers import Mailbox, Worker, of_fence, of_lease
from failover.lease import Lease, Refused, Unknown
from failover.lease_settings import LeaseSettings
from failover.settings import INCOMING, DomainSettings, RemusSettings
from telemetry.units import NS_PER_S

_log = logging.getLogger(__name__)

_HINT_PERIODS: Final = 3
"""Heartbeats that stay away before the lease is looked at: from then on its time to live is counted."""
_AGAIN_NS: Final = NS_PER_S
"""Until xl is asked again for the copy's number, or the guard is told again."""


class Claiming:
    """One copy's gate; it ends with the process."""

    def __init__(self, settings: RemusSettings, at: LeaseSettings, domain: DomainSettings, mark: str) -> None:
        """Raises FailoverError where files that the settings name cannot be used, OSError."""
        self._run_dir, self._domain = settings.host.run_dir, domain.name
        self._lease = Lease(Etcd(at), domain.name, settings.host.name, at.ttl_s)
        self._fence = fence_command.of(settings, domain.name)
        self._limits = Limits(**asdict(patience.limits(settings.host.name, at)), mark=mark)
        self._hint_ns = int(_HINT_PERIODS * settings.heartbeat.period_s * NS_PER_S)
        self._board = Board(self._run_dir, self._domain)
        self._done = Mailbox()
        self.descriptors: Sequence[int] = (self._done.descriptor,)
        self._of_lease, self._of_fence, self._of_xl = (Worker(self._done) for _ in range(3))
        self._claim, self._shares = Claim(), Shares()
        self._number: int | None = None
        self._search_ns = self._arm_ns = 0
        self._armed: Armed | None = None

    def judge(self, evidence: Evidence) -> Decision:
        """Hear, look, decide, ask, and tell the guard, in this order."""
        self._hear()
        sight = self._look(evidence)
        self._claim, step = claim.decide(self._claim, now_ns(), sight, self._limits)
        for ask in step.asks:
            self._ask(ask, step.epoch, is_final=sight.has_ended)
        self._arm(step.armed)
        self._shares.note(self._claim, sight, evidence)
        if step.verdict is Verdict.TAKE_OVER:
            return Decision(step.verdict, f"{step.reason}: {self._shares}")
        return Decision(step.verdict, step.reason, step.is_ready)

    def _hear(self) -> None:
        for asked, answer in self._done.taken():
            if isinstance(asked, Asked):
                self._claim = claim_answers.heard(self._claim, asked, answer, now_ns(), self._limits)
            else:
                self._number = answer

    def _look(self, evidence: Evidence) -> Sight:
        if evidence.is_complete and self._number is None and not self._of_xl.is_busy and now_ns() >= self._search_ns:
            self._search_ns = now_ns() + _AGAIN_NS
            self._of_xl.ask("number", partial(xl.number_of, self._domain + INCOMING))
        return Sight(
            begins=claim.begins(evidence, self._hint_ns),
            is_whole=evidence.is_complete,
            has_ended=evidence.stream_ended_ns is not None,
            is_drained=evidence.is_drained,
            number=self._number,
            is_guard_awake=self._board.is_guard_awake(now_ns()),
            is_lease_asked=self._of_lease.is_busy,
            is_fence_asked=self._of_fence.is_busy,
            is_armed=self._armed is not None,
            is_guarded=self._is_guarded(),
        )

    def _ask(self, ask: Ask, epoch: int, *, is_final: bool) -> None:
        asked = Asked(ask, epoch, self._claim.has_won, is_final)
        if ask in OF_FENCE:
            self._of_fence.ask(asked, partial(of_fence, self._fence, ask, epoch))
        else:
            self._of_lease.ask(asked, partial(_of_lease, self._lease, asked, self._limits))

    def _arm(self, armed: Armed | None) -> None:
        """Tell the guard, and tell it again until it has heard: it may just be started anew."""
        self._armed = self._armed or armed
        if self._armed is not None and not self._is_guarded() and now_ns() >= self._arm_ns:
            self._arm_ns = now_ns() + _AGAIN_NS
            try:
                guard_store.arm(self._run_dir, self._domain, self._armed)
            except OSError as error:  # the copy is the guest by now: a full disk must not be its end
                _log.error("%s: its guard cannot be told yet: %s", self._domain, error)

    def _is_guarded(self) -> bool:
        """Whether the guard goes on with the lease, or with one that it has won since."""
        armed, board = self._armed, self._board
        is_its = armed is not None and board[Slot.NUMBER] == armed.number and board[Slot.EPOCH] >= armed.epoch
        return is_its and now_ns() < board[Slot.DEADLINE]


def _of_lease(lease: Lease, asked: Asked, limits: Limits) -> Answer:
    """One to three questions to etcd."""
    if asked.ask is not Ask.CLAIM:
        return of_lease(lease, asked.ask, asked.epoch, "")
    record = lease.look()
    if isinstance(record, Unknown):
        return record
    is_named = limits.is_named(record, has_won=asked.has_won)
    return lease.acquire_as_seen(record, limits.mark) if is_named else Refused(record)
