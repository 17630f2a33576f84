"""After `xl remus` has ended somehow: in, a domain; out, nothing left of it, and the guest not standing still."""

from failover import primary, processes
from failover.primary import ActError
from failover.settings import DomainSettings, RemusSettings


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """End helper and transport, which outlive an xl that was killed, and resume the guest; raises ActError."""
    name = domain.name
    with primary.alone(settings, domain):
        if processes.remus_of(name):
            raise ActError(f"{name} is still replicated from here: hefery-remus release --domain {name} ends that")
        processes.kill([*processes.helpers_of(name), *processes.sender_of(name)])
        state = primary.set_going(name)
    primary.tell({"act": "settle", "domain": name, "host": settings.host.name, "state": state})
    return 0
