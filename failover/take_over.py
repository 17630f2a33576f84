"""An operator's word that the other host is dead: in, a domain; out, its copy here woken, once its lease allows it."""

import logging
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from failover import primary
from failover.control import Answer, Control, NoReceiver
from failover.settings import DomainSettings, RemusSettings

_log = logging.getLogger(__name__)

_ORDER_LIMIT_S: Final = 180.0
_ANSWER_LIMIT_S: Final = 5.0
_LOOK_S: Final = 1.0


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """Order it, or with a lease announce it; raises NoReceiver."""
    with closing(Control(settings.host.run_dir, domain.name)) as receiver:
        if settings.lease is None:
            answer = receiver.ask("take-over", _ORDER_LIMIT_S)
        else:
            answer = _once_the_lease_is_won(receiver, settings.host.run_dir, domain.name)
    primary.tell({"act": "take-over", "domain": domain.name, "host": settings.host.name, **answer})
    return 0 if answer.get("ok") is True else 1


def _once_the_lease_is_won(receiver: Control, run_dir: Path, name: str) -> Answer:
    """Say what the receiver waits for, whenever that changes; an order would stand when its reason has gone."""
    _log.warning("%s: its lease decides who may run it: --force takes it from nobody", name)
    announced = receiver.ask("prepare", _ANSWER_LIMIT_S)
    if announced.get("ok") is not True:
        return announced
    deadline_s, said = time.monotonic() + _ORDER_LIMIT_S, ""
    while time.monotonic() < deadline_s:
        if (answer := receiver.hear(_LOOK_S)) is not None:
            return answer
        with suppress(NoReceiver):  # it wakes the copy, and answers soon
            waits_for = _waits_for(run_dir, name)
            if waits_for != said:
                _log.info("%s: waits: %s", name, waits_for)
            said = waits_for
    return {"ok": False, "error": f"not yet: {said}; where that changes, the copy takes over without this command"}


def _waits_for(run_dir: Path, name: str) -> str:
    with closing(Control(run_dir, name)) as looking:
        return str(looking.ask("status", _ANSWER_LIMIT_S).get("waits_for"))
