"""The parts, in the order in which they are made: what needs the landscape as the playbooks leave it comes first."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lab.trials.part import Part
from lab.trials.parts.backup_dies import BACKUP_DIES
from lab.trials.parts.converge import CONVERGE
from lab.trials.parts.doubt import DOUBT
from lab.trials.parts.experiment import EXPERIMENT
from lab.trials.parts.failback import FAILBACK
from lab.trials.parts.failover import FAILOVER
from lab.trials.parts.first_copy import BEFORE_FIRST_COPY
from lab.trials.parts.forecast import FORECAST
from lab.trials.parts.heartbeat import HEARTBEAT
from lab.trials.parts.held_output import HELD_OUTPUT
from lab.trials.parts.interval_change import INTERVAL_CHANGE
from lab.trials.parts.intervals import INTERVALS
from lab.trials.parts.judges import JUDGES
from lab.trials.parts.killed import KILLED
from lab.trials.parts.one_live_copy import ONE_LIVE_COPY
from lab.trials.parts.soak import SOAK
from lab.trials.parts.stop import STOP
from lab.trials.parts.store_away import STORE_AWAY
from lab.trials.parts.training import TRAINING
from lab.trials.parts.upkeep import UPKEEP

_ORDERED: Final = (
    CONVERGE,
    INTERVAL_CHANGE,
    INTERVALS,
    FORECAST,
    DOUBT,
    FAILOVER,
    BEFORE_FIRST_COPY,
    STOP,
    BACKUP_DIES,
    FAILBACK,
    KILLED,
    ONE_LIVE_COPY,
    STORE_AWAY,
    TRAINING,
    UPKEEP,
    SOAK,
    HEARTBEAT,
    HELD_OUTPUT,
    JUDGES,
    EXPERIMENT,
)
PARTS: Final[Mapping[str, Part]] = MappingProxyType({part.name: part for part in _ORDERED})
"""All parts by name."""
