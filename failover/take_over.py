"""An operator's word that the other host is dead: in, a domain; out, its copy here woken, unless a lease forbids it."""

import logging
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from failover import primary
from failover.control import Answer, Control, NoReceiver
from failover.settings import DomainSettings, RemusSettings

_log = logging.getLogger(__name__)

_ORDER_LIMIT_S: Final = 180.0
_LOOK_S: Final = 1.0


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """Order it; raises NoReceiver."""
    order = Control(settings.host.run_dir, domain.name)
    if settings.lease is None:
        answer = order.ask("take-over", _ORDER_LIMIT_S)
    else:
        answer = _once_the_lease_is_won(order, settings.host.run_dir, domain.name)
    primary.tell({"act": "take-over", "domain": domain.name, "host": settings.host.name, **answer})
    return 0 if answer.get("ok") is True else 1


def _once_the_lease_is_won(order: Control, run_dir: Path, name: str) -> Answer:
    """Say what the receiver waits for, whenever that changes."""
    _log.warning("%s: its lease decides who may run it: --force takes it from nobody", name)
    order.tell("take-over")
    deadline_s, said = time.monotonic() + _ORDER_LIMIT_S, ""
    while time.monotonic() < deadline_s:
        if (answer := order.hear(_LOOK_S)) is not None:
            return answer
        with suppress(NoReceiver):  # it wakes the copy, and answers soon
            waits_for = _waits_for(run_dir, name)
            if waits_for != said:
                _log.info("%s: waits: %s", name, waits_for)
            said = waits_for
    return {"ok": False, "error": f"not yet, and it goes on without this command: {said}"}


def _waits_for(run_dir: Path, name: str) -> str:
    looking = Control(run_dir, name)
    try:
        return str(looking.ask("status", _LOOK_S).get("waits_for"))
    finally:
        looking.close()
