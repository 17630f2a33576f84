"""What the acts on a domain's own host have in common: in, its name; out, the domain going on, replicated no more."""

import json
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final

from failover import libxl, locks, processes, xl
from failover.errors import FailoverError
from failover.settings import DomainSettings, RemusSettings

_log = logging.getLogger(__name__)

_ACT_LIMIT_S: Final = 180.0
_END_LIMIT_S: Final = 60.0


class ActError(FailoverError):
    """The act cannot be done, or not finished; the text says where things stand, and the remedy."""


def alone(settings: RemusSettings, domain: DomainSettings) -> AbstractContextManager[None]:
    """Hold this while acting: two acts on one domain at a time would undo each other."""
    return locks.held(settings.host.run_dir / "acts" / domain.name, _ACT_LIMIT_S)


def await_end(name: str) -> None:
    """Wait until `xl remus` has ended, as it does where its stream breaks; raises ActError."""
    if not processes.wait_until(lambda: not processes.remus_of(name), _END_LIMIT_S):
        raise ActError(f"xl remus of {name} does not end; the guest may stand still: look at xl list and the journal")


def set_going(name: str) -> str:
    """The domain's state, after it was resumed where xl has left it suspended; raises XlError or LibxlError."""
    domain = xl.domains().get(name)
    if domain is not None and domain.is_suspended:
        _log.warning("%s was left suspended by a checkpoint: it is resumed", name)
        libxl.resume(domain.number)
        domain = xl.domains().get(name)
    return "absent" if domain is None else domain.state


def tell(evidence: Mapping[str, object]) -> None:
    """Print what an act has shown, for playbooks."""
    print(json.dumps(evidence))
