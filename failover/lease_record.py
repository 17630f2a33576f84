"""What etcd has of a guest's lease: in, pairs; out, holder, epoch and whose copy is the guest.

`owner` is written when the lease is won, and the revision of that is the epoch. `beat` is written at each renewal, and
is there while the lease is held. `guest`, which only the holder writes, stays when the lease ends.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from failover.endpoint import EtcdError
from failover.etcd import Pair, Pairs
from failover.lease_settings import LONGEST_TTL_S

OWNER: Final = "owner"
BEAT: Final = "beat"
GUEST: Final = "guest"


@dataclass(frozen=True)
class Record:
    """What etcd has of a lease: `epoch` is 0 where nobody ever held it, `beat` where nobody does."""

    epoch: int = 0
    beat: int = 0
    holder: str = ""
    """The host of that epoch, the last one."""
    ttl_s: float = 0.0
    nonce: str = ""
    noted: int = 0
    runner: str = ""
    """The host whose copy is the guest; none before it was first told."""
    runner_epoch: int = 0
    """In which that was told."""
    backup: str = ""
    """The mark of the one copy that may become the guest; none where nothing may."""

    @property
    def is_held(self) -> bool:
        """Whether `holder` has won it and not given it back; he may be dead."""
        return self.beat > 0

    def is_told(self, epoch: int, host: str, backup: str) -> bool:
        """Whether the holder of that epoch has it still, and has told just that in it."""
        is_its = self.is_held and self.epoch == self.runner_epoch == epoch
        return is_its and (self.runner, self.backup) == (host, backup)

    def supersedes(self, host: str, mark: str) -> bool:
        """Whether the copy of that mark on `host` is neither the guest nor its backup."""
        return self.runner not in {"", host} and (not mark or self.backup != mark)


def read(pairs: Pairs) -> Record:
    """The record in the pairs of one guest; raises EtcdError for what this module's users did not write."""
    if not pairs:
        return Record()
    try:
        owner, beat, guest = pairs[OWNER], pairs.get(BEAT), pairs.get(GUEST)
        record = _record(owner, beat, guest)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise EtcdError(f"the lease is not one that Hefery wrote: {error!r}") from error
    if not 0 < record.ttl_s <= LONGEST_TTL_S:  # NaN is not
        raise EtcdError(f"the lease of {record.holder} has a time to live of {record.ttl_s!r} s")
    return record


def _record(owner: Pair, beat: Pair | None, guest: Pair | None) -> Record:
    said: dict[str, Any] = json.loads(owner.value)
    noted: dict[str, Any] = json.loads(guest.value) if guest else {"runner": "", "epoch": 0, "backup": ""}
    return Record(
        epoch=owner.revision,
        beat=beat.revision if beat else 0,
        holder=str(said["holder"]),
        ttl_s=float(said["ttl_s"]),
        nonce=str(said["nonce"]),
        noted=guest.revision if guest else 0,
        runner=str(noted["runner"]),
        runner_epoch=int(noted["epoch"]),
        backup=str(noted["backup"]),
    )
