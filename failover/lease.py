"""Who may run a guest: in, contenders; out, at most one holder at any time, each with a higher epoch than the last.

Two keys in etcd: `owner` is written when the lease is won, and the revision of that is the epoch; `beat` is written at
each renewal, and is there while the lease is held. A contender that has seen the same beat for the holder's whole time
to live writes both, if neither has changed by then. Nothing rests on what a clock shows, nor on etcd's: only on this,
that the holder's and the contender's run equally fast, to 2 %. The holder counts from when it *sent* its last renewal,
the contender from when it *heard* of that, which was later. A holder whose time is over, and whom nobody has followed,
holds the lease again by its next renewal.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from failover.endpoint import EtcdError
from failover.etcd import Condition, Etcd, Pairs, Written
from failover.settings import LONGEST_TTL_S
from telemetry.units import NS_PER_S

_OWNER: Final = "owner"
_BEAT: Final = "beat"
_NONCE_BYTES: Final = 16
_CLOCKS_DIFFER: Final = 1.02


@dataclass(frozen=True)
class Record:
    """What etcd has of a lease: `epoch` is 0 where nobody ever held it, `beat` where nobody does."""

    epoch: int = 0
    beat: int = 0
    holder: str = ""
    """The host of that epoch, the last one."""
    ttl_s: float = 0.0
    nonce: str = ""

    @property
    def is_held(self) -> bool:
        """Whether `holder` has won it and not given it back; he may be dead."""
        return self.beat > 0


@dataclass(frozen=True)
class Held:
    """It is ours, certainly until `until_ns` (CLOCK_MONOTONIC); `epoch` is the fencing token."""

    epoch: int
    until_ns: int


@dataclass(frozen=True)
class Refused:
    """It is another's, or of another epoch; `free_in_s` is None where waiting does not help."""

    record: Record
    free_in_s: float | None = None


@dataclass(frozen=True)
class Released:
    """It is not ours any more."""


@dataclass(frozen=True)
class Unknown:
    """No answer: what was asked may have been done, or be done yet. It counts as a no, until asking again tells."""

    reason: str


class Lease:
    """One guest's lease, for one host. A call takes one to three questions of lease.call_timeout_s at most each."""

    def __init__(self, etcd: Etcd, guest: str, host: str, ttl_s: float) -> None:
        """`guest` and `host` are names that the settings have checked."""
        self._etcd, self._host, self._ttl_s = etcd, host, ttl_s
        self._prefix = f"/hefery/guest/{guest}/"
        self._nonce = os.urandom(_NONCE_BYTES).hex()
        self._seen, self._seen_ns = Record(), 0

    def look(self) -> Record | Unknown:
        """Who holds it. A contender looks often: it waits from the moment when it first saw the newest beat."""
        try:
            return self._noted(self._etcd.read(self._prefix))
        except EtcdError as error:
            return Unknown(str(error))

    def acquire(self, after: int | None = None) -> Held | Refused | Unknown:
        """Win it where it is free, or its holder was silent for its time to live; where it is ours, renew it.

        With `after`, only if that is the last epoch: the one that the guest's memory here is of.
        """
        record = self.look()
        if isinstance(record, Unknown):
            return record
        if self._is_ours(record):
            return self.renew(record.epoch)
        if after is not None and record.epoch != after:
            return Refused(record)
        if free_in_s := self._free_in_s(record):
            return Refused(record, free_in_s)
        return self._win(Condition(_OWNER, "EQUAL", record.epoch), Condition(_BEAT, "EQUAL", record.beat))

    def take(self, epoch: int) -> Held | Refused | Unknown:
        """Win it from the holder of that epoch at once: he has ended the guest and said so, or is dead for sure."""
        return self._win(Condition(_OWNER, "EQUAL", epoch))

    def renew(self, epoch: int) -> Held | Refused | Unknown:
        """Hold it for another time to live; done as long as nobody has followed, however late it is."""
        mine = Condition(_OWNER, "EQUAL", epoch), Condition(_BEAT, "GREATER", 0)
        sent_ns = time.monotonic_ns()
        answer = self._write(mine, {_BEAT: self._nonce})
        if isinstance(answer, Record):
            return Refused(answer)
        return self._held(epoch, sent_ns) if isinstance(answer, Written) else answer

    def release(self, epoch: int) -> Released | Unknown:
        """Give it back, unless it is of another epoch already; the guest has ended here."""
        answer = self._write([Condition(_OWNER, "EQUAL", epoch)], {}, [_BEAT])
        return answer if isinstance(answer, Unknown) else Released()

    def _win(self, *conditions: Condition) -> Held | Refused | Unknown:
        owner = json.dumps({"holder": self._host, "ttl_s": self._ttl_s, "nonce": self._nonce})
        sent_ns = time.monotonic_ns()
        answer = self._write(conditions, {_OWNER: owner, _BEAT: self._nonce})
        if isinstance(answer, Written):
            return self._held(answer.revision, sent_ns)
        if isinstance(answer, Record):
            # ours by a try whose answer was lost: nobody can tell when that was done
            return self.renew(answer.epoch) if self._is_ours(answer) else Refused(answer, self._free_in_s(answer))
        return answer

    def _write(
        self, conditions: Sequence[Condition], puts: Mapping[str, str], deletes: Sequence[str] = ()
    ) -> Written | Record | Unknown:
        try:
            answer = self._etcd.write(self._prefix, conditions, puts, deletes)
            return answer if isinstance(answer, Written) else self._noted(answer)
        except EtcdError as error:
            return Unknown(str(error))

    def _held(self, epoch: int, sent_ns: int) -> Held:
        return Held(epoch, sent_ns + int(self._ttl_s * NS_PER_S))

    def _is_ours(self, record: Record) -> bool:
        return record.is_held and record.nonce == self._nonce

    def _free_in_s(self, record: Record) -> float:
        """How long a contender still has to see this beat and no other."""
        if not record.is_held:
            return 0.0
        seen_s = (time.monotonic_ns() - self._seen_ns) / NS_PER_S
        return max(0.0, record.ttl_s * _CLOCKS_DIFFER - seen_s)

    def _noted(self, pairs: Pairs) -> Record:
        """What the pairs say; called when they have just been heard. Raises EtcdError."""
        record = _record(pairs)
        if record != self._seen:
            self._seen, self._seen_ns = record, time.monotonic_ns()
        return record


def _record(pairs: Pairs) -> Record:
    if _OWNER not in pairs:
        if pairs:
            raise EtcdError(f"the lease has {', '.join(sorted(pairs))} and no owner: who wrote that?")
        return Record()
    owner, beat = pairs[_OWNER], pairs.get(_BEAT)
    try:
        said = json.loads(owner.value)
        holder, ttl_s, nonce = str(said["holder"]), float(said["ttl_s"]), str(said["nonce"])
    except (KeyError, TypeError, ValueError) as error:
        raise EtcdError(f"the lease's owner is not one that Hefery wrote: {owner.value[:80]!r}") from error
    if not 0 < ttl_s <= LONGEST_TTL_S:  # NaN is not
        raise EtcdError(f"the lease of {holder} has a time to live of {ttl_s!r} s")
    return Record(owner.revision, beat.revision if beat else 0, holder, ttl_s, nonce)
