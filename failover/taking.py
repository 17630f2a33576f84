"""The planned failover, where the guest is to go: in, the primary's call; out, the copy here awake, or why not."""

import logging
import select
import socket
import time
from contextlib import closing
from typing import Final

from failover.control import Answer, Control
from failover.errors import FailoverError
from failover.settings import DomainSettings, RemusSettings
from failover.wire import Session

_log = logging.getLogger(__name__)

_ORDER_LIMIT_S: Final = 180.0
_ANSWER_LIMIT_S: Final = 5.0
_LOOK_S: Final = 0.1
_CALLS: Final = 3
"""Of the fence, which may be heard for the first time now."""
_READY_LIMIT_S: Final = 45.0
"""The primary hears no answer after a minute (caller.py)."""


class NotOrdered(FailoverError):
    """The primary has not said that its own copy is destroyed."""


def serve(settings: RemusSettings, domain: DomainSettings, session: Session) -> int:
    """Announced, then ordered when the primary has destroyed its own copy.

    With a lease it is only a reason to look at that, which the primary gives back, and destroys nothing before: first
    it hears whether this host would win it.
    """
    with closing(Control(settings.host.run_dir, domain.name)) as orders:
        prepared = orders.ask("prepare", _ANSWER_LIMIT_S)
        if settings.lease is not None:
            prepared = _once_ready(orders, prepared, settings.fence.limit_s if settings.fence else _ANSWER_LIMIT_S)
        session.tell(prepared)
        if prepared.get("ok") is not True or (settings.lease is not None and not prepared.get("ready")):
            return 1
        order = session.hear(_ORDER_LIMIT_S)
        if settings.lease is not None:
            return _await_waking(orders, session)
        if order.get("destroyed") is not True:
            raise NotOrdered(f"the order is {dict(order)!r}, which says of no copy destroyed")
        session.tell(orders.ask("take-over", _ORDER_LIMIT_S))
        return 0


def _once_ready(orders: Control, prepared: Answer, call_s: float) -> Answer:
    """How it stands once the copy would follow at once; or when it has not come to that in time, or never will."""
    deadline_s = time.monotonic() + min(_CALLS * call_s, _READY_LIMIT_S)
    while prepared.get("ok") is True and not prepared.get("ready") and not prepared.get("stream_ended"):
        if time.monotonic() >= deadline_s:
            break
        time.sleep(_LOOK_S)
        prepared = orders.ask("status", _ANSWER_LIMIT_S)
    return prepared


def _await_waking(orders: Control, session: Session) -> int:
    """Nothing is ordered, as an order stands for good: where the guest goes on at the primary, that hangs up."""
    waiting: list[Control | socket.socket] = [orders, session.connection]
    ready, _, _ = select.select(waiting, [], [], _ORDER_LIMIT_S)
    answer = orders.hear(_ANSWER_LIMIT_S) if orders in ready else None
    if answer is None:
        _log.warning("the primary does not wait for its guest to wake here any more")
        return 1
    session.tell(answer)
    return 0
