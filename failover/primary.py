"""What the acts on a domain's own host have in common: in, its name; out, the domain going on, replicated no more."""

import json
import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final

from failover import events, libxl, locks, processes, xl
from failover.errors import FailoverError
from failover.libxl import LibxlError
from failover.settings import DomainSettings, RemusSettings

_log = logging.getLogger(__name__)

_ACT_LIMIT_S: Final = 180.0
_END_LIMIT_S: Final = 60.0
_LOOK_S: Final = 0.5
_REMEDIES: Final = {
    "sc": "it has crashed: xl destroy {name}, then site.yml creates it again",
    "ss": "it is still suspended: hefery-remus settle --domain {name} tries again to resume it",
    "s": "it has shut down: xl destroy {name}, then site.yml creates it again",
    "d": "it is being destroyed: see in xl list whether it ends",
    "p": "it is paused: where hefery-remus status tells of no lease, xl unpause {name} lets it go on",
}
"""By what the state holds; the first that fits."""


class ActError(FailoverError):
    """The act cannot be done, or not finished; the text says where things stand, and the remedy."""


def alone(settings: RemusSettings, domain: DomainSettings) -> AbstractContextManager[None]:
    """Hold this while acting: two acts on one domain at a time would undo each other."""
    return locks.held(settings.host.run_dir / "acts" / domain.name, _ACT_LIMIT_S)


def await_end(name: str) -> None:
    """Wait until `xl remus` has ended, as it does where its stream breaks; raises ActError."""
    if not processes.wait_until(lambda: not processes.remus_of(name), _END_LIMIT_S):
        raise ActError(f"xl remus of {name} does not end; the guest may stand still: look at xl list and the journal")


def set_going(name: str, watch_s: float = 0.0) -> str:
    """The state of a domain that goes on, or `absent`; it is resumed where xl has left it suspended.

    A guest that was asked to suspend does so even when who asked it is dead: until `watch_s` are over it is waited for.
    Raises XlError; LibxlError or ActError, and tells of it, where the domain stands still after all.
    """
    try:
        return _gone_on(name, time.monotonic() + watch_s)
    except (LibxlError, ActError) as error:
        events.tell("stands_still", name, str(error))
        raise


def _gone_on(name: str, deadline_s: float) -> str:
    domain = xl.domains().get(name)
    while domain is not None and domain.is_running and time.monotonic() < deadline_s:
        time.sleep(_LOOK_S)
        domain = xl.domains().get(name)
    if domain is not None and domain.is_suspended:
        _log.warning("%s was left suspended by a checkpoint: it is resumed", name)
        libxl.resume(domain.number)
        domain = xl.domains().get(name)
    if domain is None:
        return "absent"
    if not domain.is_running:
        raise ActError(f"{name} STANDS STILL (xl list: {domain.state}): {_remedy(domain)}")
    return domain.state


def _remedy(domain: xl.Domain) -> str:
    words = next(words for sign, words in _REMEDIES.items() if sign in domain.state)
    return words.format(name=domain.name)


def tell(evidence: Mapping[str, object]) -> None:
    """Print what an act has shown, for playbooks."""
    print(json.dumps(evidence))
