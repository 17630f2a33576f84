"""Who may run a guest: in, contenders; out, at most one holder at any time, each with a higher epoch than the last.

A contender that has seen the same beat (lease_record.py) for the holder's whole time to live writes `owner` and `beat`,
if nothing has changed by then. Nothing rests on what a clock shows, nor on etcd's: only on this, that the holder's and
the contender's run equally fast, to 2 %. The holder counts from when it *sent* its last renewal, the contender from
when it *heard* of that, which was later. A holder whose time is over, and whom nobody has followed, holds the lease
again by its next renewal.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from failover.clock import now_ns
from failover.endpoint import EtcdError
from failover.etcd import Condition, Etcd, Pairs, Written
from failover.lease_record import BEAT, GUEST, OWNER, Record, read
from telemetry.units import NS_PER_S

_NONCE_BYTES: Final = 16
_CLOCKS_DIFFER: Final = 1.02
_LOOK_AGAIN_S: Final = 0.05


@dataclass(frozen=True)
class Held:
    """It is ours, certainly until `until_ns` of `now_ns`; `epoch` is the fencing token."""

    epoch: int
    until_ns: int


@dataclass(frozen=True)
class OtherTerm:
    """It is ours, but was won for another time to live, which contenders count with: it cannot be renewed for this."""

    epoch: int
    ttl_s: float


@dataclass(frozen=True)
class Refused:
    """It is another's, or of another epoch; `free_in_s` is None where waiting does not help."""

    record: Record
    free_in_s: float | None = None


@dataclass(frozen=True)
class Noted:
    """It is written, and was under an epoch that was the newest then."""


@dataclass(frozen=True)
class Released:
    """It is not ours any more."""


@dataclass(frozen=True)
class Unknown:
    """No answer: what was asked may have been done, or be done yet. It counts as a no, until asking again tells."""

    reason: str


class Lease:
    """One guest's lease, for one host. A call takes one to three questions of lease.call_timeout_s at most each.

    An epoch in which something is asked that may be done late, other than a renewal, is not used again: acquire wins
    another then, at once, which makes etcd refuse what was asked in the old one.
    """

    def __init__(self, etcd: Etcd, guest: str, host: str, ttl_s: float) -> None:
        """`guest` and `host` are names that the settings have checked."""
        self._etcd, self._host, self._ttl_s = etcd, host, ttl_s
        self._prefix = f"/hefery/guest/{guest}/"
        self._nonce = os.urandom(_NONCE_BYTES).hex()
        self._seen, self._seen_ns = Record(), 0
        self._burnt = 0
        self._own = 0
        """The newest epoch that is known to be for this time to live."""
        self._told = 0
        """The revision of what this process has told of the guest last."""

    def look(self) -> Record | Unknown:
        """Who holds it. A contender looks often: it waits from the moment when it first saw the newest beat."""
        try:
            return self._noted(self._etcd.read(self._prefix))
        except EtcdError as error:
            return Unknown(str(error))

    def look_within(self, limit_s: float) -> Record | Unknown:
        """The same, asked again where there is no answer: a first connection may take longer than a call."""
        deadline_ns = now_ns() + int(limit_s * NS_PER_S)
        while isinstance(answer := self.look(), Unknown) and now_ns() < deadline_ns:
            time.sleep(_LOOK_AGAIN_S)
        return answer

    @property
    def seen(self) -> Record:
        """What etcd has said last; who has just acquired knows by it whose copy is the guest, and of which backup."""
        return self._seen

    def acquire(self, mark: str = "", *, starts: bool = False) -> Held | Refused | Unknown:
        """Win it where it is free, or its holder was silent for its time to live; where it is ours, renew it.

        Refused for good where the guest is another host's and the copy here, of that mark, no backup of it; unless this
        host `starts` the guest, of which nobody has a copy.
        """
        record = self.look()
        return record if isinstance(record, Unknown) else self.acquire_as_seen(record, mark, starts=starts)

    def acquire_as_seen(self, record: Record, mark: str = "", *, starts: bool = False) -> Held | Refused | Unknown:
        """The same for who has just looked; what has changed since is refused."""
        if self._is_ours(record) and record.epoch > self._burnt:
            return self._renew(record.epoch)
        if record.supersedes(self._host, mark) and not starts:
            return Refused(record)
        if not self._is_ours(record) and (free_in_s := self._free_in_s(record)):
            return Refused(record, free_in_s)
        return self._win(record)

    def renew(self, epoch: int) -> Held | OtherTerm | Refused | Unknown:
        """Hold it for another time to live; done as long as nobody has followed, however late it is.

        One that another process has won is looked at first: its settings may have been others.
        """
        obstacle = None if epoch <= self._own else self._obstacle(epoch)
        return obstacle or self._renew(epoch)

    def _renew(self, epoch: int) -> Held | Refused | Unknown:
        sent_ns = now_ns()
        answer = self._write_as_holder(epoch, {BEAT: self._nonce})
        return self._held(epoch, sent_ns) if isinstance(answer, Written) else answer

    def note(self, epoch: int, backup: str = "") -> Noted | Refused | Unknown:
        """Tell that this host's copy is the guest, and the mark of its backup, if any. Unknown burns the epoch.

        It takes the place of what is known to be told, and of nothing else: what an endpoint did not answer in time and
        another has done must not be done again, late, when more has been told.
        """
        answer = self._tell(epoch, backup)
        if isinstance(answer, Unknown):
            self._burn(epoch)
        return answer

    def end(self, epoch: int) -> Released | Refused | Unknown:
        """Tell that no copy may take over, as the guest has ended, and release it.

        Asked again for as long as nobody else may have it: else its backup would bring the guest back.
        """
        deadline_ns = now_ns() + int(self._ttl_s * NS_PER_S)
        while isinstance(answer := self._tell(epoch, ""), Unknown) and now_ns() < deadline_ns:
            time.sleep(_LOOK_AGAIN_S)
        if isinstance(answer, Noted):
            return self.release(epoch)
        self._burn(epoch)
        return answer

    def _tell(self, epoch: int, backup: str) -> Noted | Refused | Unknown:
        if epoch <= self._burnt:
            return Refused(self._seen)
        answer = self._tell_once(epoch, backup)
        if isinstance(answer, Refused) and answer.record.is_held and answer.record.epoch == epoch:
            answer = self._tell_once(epoch, backup)  # another process of this host has told something meanwhile
        return answer

    def _tell_once(self, epoch: int, backup: str) -> Noted | Refused | Unknown:
        guest = json.dumps({"runner": self._host, "epoch": epoch, "backup": backup})
        known = Condition(GUEST, "EQUAL", max(self._told, self._seen.noted))
        answer = self._write_as_holder(epoch, {GUEST: guest}, known)
        if isinstance(answer, Written):
            self._told = answer.revision
            return Noted()
        if isinstance(answer, Refused) and answer.record.is_told(epoch, self._host, backup):
            return Noted()  # by an endpoint whose answer was lost
        return answer

    def release(self, epoch: int) -> Released | Unknown:
        """Give it back, unless it is of another epoch already; the guest stands still here. It burns the epoch."""
        self._burn(epoch)
        answer = self._write([Condition(OWNER, "EQUAL", epoch)], {}, [BEAT])
        return answer if isinstance(answer, Unknown) else Released()

    def _win(self, record: Record) -> Held | Refused | Unknown:
        owner = json.dumps({"holder": self._host, "ttl_s": self._ttl_s, "nonce": self._nonce})
        revisions = {OWNER: record.epoch, BEAT: record.beat, GUEST: record.noted}
        unchanged = [Condition(key, "EQUAL", revision) for key, revision in revisions.items()]
        sent_ns = now_ns()
        answer = self._write(unchanged, {OWNER: owner, BEAT: self._nonce})
        if isinstance(answer, Written):
            self._own = answer.revision
            return self._held(answer.revision, sent_ns)
        if isinstance(answer, Record):
            if self._is_ours(answer) and answer.epoch > self._burnt:
                return self._renew(answer.epoch)  # by a try whose answer was lost: nobody can tell when that was done
            return Refused(answer, self._free_in_s(answer))
        return answer

    def _write_as_holder(self, epoch: int, puts: Mapping[str, str], *more: Condition) -> Written | Refused | Unknown:
        if epoch <= self._burnt:
            return Refused(self._seen)
        answer = self._write([Condition(OWNER, "EQUAL", epoch), Condition(BEAT, "GREATER", 0), *more], puts)
        return Refused(answer) if isinstance(answer, Record) else answer

    def _burn(self, epoch: int) -> None:
        self._burnt = max(self._burnt, epoch)

    def _write(
        self, conditions: Sequence[Condition], puts: Mapping[str, str], deletes: Sequence[str] = ()
    ) -> Written | Record | Unknown:
        try:
            answer = self._etcd.write(self._prefix, conditions, puts, deletes)
            return answer if isinstance(answer, Written) else self._noted(answer)
        except EtcdError as error:
            return Unknown(str(error))

    def _obstacle(self, epoch: int) -> OtherTerm | Refused | Unknown | None:
        """To renew what another process has won."""
        record = self.look()
        if isinstance(record, Unknown):
            return record
        if record.epoch != epoch:
            return Refused(record)
        if record.ttl_s != self._ttl_s:
            return OtherTerm(epoch, record.ttl_s)
        self._own = epoch
        return None

    def _held(self, epoch: int, sent_ns: int) -> Held:
        return Held(epoch, sent_ns + int(self._ttl_s * NS_PER_S))

    def _is_ours(self, record: Record) -> bool:
        return record.is_held and record.nonce == self._nonce

    def _free_in_s(self, record: Record) -> float:
        """How long a contender still has to see this beat and no other."""
        if not record.is_held:
            return 0.0
        seen_s = (now_ns() - self._seen_ns) / NS_PER_S
        return max(0.0, record.ttl_s * _CLOCKS_DIFFER - seen_s)

    def _noted(self, pairs: Pairs) -> Record:
        """What the pairs say; called when they have just been heard. Raises EtcdError."""
        record = read(pairs)
        if record != self._seen:
            self._seen, self._seen_ns = record, now_ns()
        return record
