"""What a guard knows, sees and does: the words between its rules (guard_rules.py) and the process around them."""

from dataclasses import dataclass
from enum import Enum

from failover.hypervisor import DomainState
from failover.lease import Held, Noted, OtherTerm, Refused, Released, Unknown


class Act(Enum):
    """What is to become of the domain now."""

    HOLD = "hold"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    DESTROY = "destroy"


class Ask(Enum):
    """What is to be asked of the lease, or of the fence, by a guard or by the gate of a copy."""

    LOOK = "see whether another has taken the guest"
    CLAIM = "claim the lease"
    RENEW = "renew it"
    TELL = "tell that this host's copy is the guest, and of which backup"
    END = "tell that no copy may take over, and release"
    RELEASE = "release it"
    PROBE = "ask the fence whether it answers"
    FENCE = "have the disk given to this epoch"


OF_FENCE = frozenset({Ask.PROBE, Ask.FENCE})


@dataclass(frozen=True)
class Won:
    """A claim was answered; `is_told` where etcd has it already that the guest is this host's, with that backup."""

    held: Held
    is_told: bool
    backup: str = ""


@dataclass(frozen=True)
class Answers:
    """The fence is there."""


@dataclass(frozen=True)
class Given:
    """The disk is this epoch's, whatever other hosts had under way."""

    epoch: int


@dataclass(frozen=True)
class Denied:
    """The fence knows of a higher epoch, or of another host in this one."""

    epoch: int
    reason: str


FenceAnswer = Answers | Given | Denied | Unknown
Answer = Won | Held | OtherTerm | Refused | Noted | Released | FenceAnswer
"""Unknown is silence, of which nothing follows."""


@dataclass(frozen=True)
class Limits:
    """Of this host and guest; times in nanoseconds."""

    host: str
    pause_ns: int
    """From the asking for the last renewal that was answered to the pause; less than the time to live."""
    margin_ns: int
    """From the pause to the end of the lease: both together are its time to live."""
    renew_ns: int
    away_ns: int
    """How long others may try, after a lease without its disk; different on each host."""

    @property
    def ttl_ns(self) -> int:
        """Of the lease."""
        return self.pause_ns + self.margin_ns


@dataclass(frozen=True)
class State:
    """What the guard knows; the first one knows nothing."""

    epoch: int = 0
    """Held, as far as is known; 0 for none."""
    deadline_ns: int = 0
    """From when on the guest must not run."""
    is_fenced: bool = False
    is_told: bool = False
    backup: str | None = None
    """The mark of the copy that may take over, as etcd has it; empty where none may. None where nobody can tell."""
    telling: str | None = None
    """The mark that is being written; None where nothing is."""
    last_epoch: int = 0
    """The highest that was held."""
    burnt_epoch: int = 0
    """Over for this host, though etcd may still have it as its own; 0 for none."""
    is_released: bool = False
    """Whether that is given back, as it is before another is claimed."""
    held_since_ns: int = 0
    ask_ns: int = 0
    """When the lease is to be asked next."""
    claim_ns: int = 0
    """Before which it is not claimed."""
    fence_ask_ns: int = 0
    fence_answered_ns: int | None = None
    is_superseded: bool = False
    reason: str = "no lease was won yet"
    """Why the guest would not run; none where the last renewal was answered."""

    @property
    def is_ready(self) -> bool:
        """Whether all is done under this epoch that comes before running."""
        return self.epoch > 0 and self.is_fenced and self.is_told and not self.is_superseded


@dataclass(frozen=True)
class Evidence:
    """What the guard sees of its guest, and what it still waits for."""

    domain: DomainState | None
    """None where it is not here."""
    is_known: bool = True
    """False where Xen could not tell: then `domain` says nothing."""
    is_paused_by_us: bool = False
    has_halted: bool = False
    """As it was last seen, before it went."""
    is_lease_asked: bool = False
    is_fence_asked: bool = False
    wanted: str | None = None
    """The mark of the copy that shall be its backup, empty for none; None where nobody has said."""


@dataclass(frozen=True)
class Decision:
    """The act, its reason, and what is to be asked under which epoch; `mark` is the backup's that is to be told."""

    act: Act
    reason: str
    asks: tuple[Ask, ...] = ()
    epoch: int = 0
    mark: str = ""
