"""After `xl remus` has ended somehow: in, a domain; out, nothing left of it, and the guest not standing still."""

from typing import Final

from failover import let_out, primary, processes
from failover.primary import ActError
from failover.settings import DomainSettings, RemusSettings

_WATCH_S: Final = 5.0
"""A guest suspends some 0.1 s after it was asked to, on an emulated host; xl may have been killed in between."""


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """End what outlives an xl that was killed, and have the guest go on; raises ActError or LibxlError."""
    name = domain.name
    with primary.alone(settings, domain):
        if processes.remus_of(name):
            raise ActError(f"{name} is still replicated from here: hefery-remus release --domain {name} ends that")
        left = processes.kill([*processes.helpers_of(name), *processes.sender_of(name)])
        is_alone = let_out.once_alone(settings, name)  # first, as clients wait for what is held
        state = primary.set_going(name, _WATCH_S)
    if left:
        raise ActError(f"{name} is {state}, but processes {[process.pid for process in left]} do not end by SIGKILL")
    if not is_alone and state != "absent":
        raise ActError(f"{name} is {state}, but a copy of it may still take over: its guard has not yet told otherwise")
    primary.tell({"act": "settle", "domain": name, "host": settings.host.name, "state": state})
    return 0
