"""What a copy's gate knows, sees and asks: the words between its rules (claim.py) and the process around them."""

from dataclasses import dataclass
from enum import Enum

from failover import guard_state
from failover.gate import Verdict
from failover.guard_state import Ask
from failover.guard_store import Armed
from failover.lease_record import Record


class Begin(Enum):
    """Why to look at the lease, which alone decides."""

    CALM = "the primary seems well"
    CEDED = "the guest is to be taken over"
    ENDED = "the stream has ended"
    SILENT_HOST = "the primary's host is silent"
    SILENT_STREAM = "the stream is silent"
    """As it is between two checkpoints, and where the guest stands still because its host cannot renew its lease."""


@dataclass(frozen=True)
class Asked:
    """A question, and what was so when it was put."""

    ask: Ask
    epoch: int
    has_won: bool
    """An epoch since the copy came: then the record names this host by the copy's own word."""
    is_final: bool
    """The stream had ended: a record that tells of another copy now will not tell of this one later."""


@dataclass(frozen=True)
class Limits(guard_state.Limits):
    """Those of this host's guard, and of its copy."""

    mark: str

    def is_named(self, record: Record, *, has_won: bool) -> bool:
        """Whether the copy here may become the guest, or is it already."""
        return record.backup == self.mark or (has_won and record.runner == self.host)


@dataclass(frozen=True)
class Claim:
    """What the gate knows; the first one knows nothing. Times are those of clock.now_ns()."""

    epoch: int = 0
    """Held, as far as is known; 0 for none."""
    deadline_ns: int = 0
    """From when on the guest must not run in it."""
    won_ns: int = 0
    has_won: bool = False
    is_fenced: bool = False
    is_taken: bool = False
    burnt_epoch: int = 0
    """Over, and to be given back; 0 for none."""
    ask_ns: int = 0
    """When the lease is to be asked next."""
    claim_ns: int = 0
    """Before which it is not claimed."""
    beat: int = -1
    """The newest that was seen of its holder; none is 0."""
    beat_ns: int = 0
    """When it was first seen."""
    named_ns: int | None = None
    """When the record was last heard, and told of this copy; None where the last question had another answer."""
    free_ns: int = 0
    """When it may be free, where its holder renews no more."""
    fence_ask_ns: int = 0
    fence_answered_ns: int | None = None
    fence_silence: str = ""
    """Why it is not known to answer; empty where it does."""
    is_superseded: bool = False
    reason: str = "nobody has told who holds the lease"
    """Why the copy does not run, but for the fence."""


@dataclass(frozen=True)
class Sight:
    """What the gate sees of its copy, its stream and its host, and what it still waits for."""

    begins: Begin
    is_whole: bool
    has_ended: bool
    """The stream."""
    is_drained: bool
    """All that it has brought is with xl."""
    number: int | None = None
    """The copy's, in Xen."""
    is_guard_awake: bool = True
    is_lease_asked: bool = False
    is_fence_asked: bool = False
    is_armed: bool = False
    """This host's guard was told to go on with the lease."""
    is_guarded: bool = False
    """It has."""


@dataclass(frozen=True)
class Step:
    """What is to be done now."""

    verdict: Verdict
    reason: str
    asks: tuple[Ask, ...] = ()
    epoch: int = 0
    armed: Armed | None = None
    """What this host's guard is to be told."""
    is_ready: bool = False
    """Whether the copy would be the guest at once if the lease was given back."""
