"""What there is of a guest on a host: in, its name; out, its state there, and that of a copy that is on its way."""

from dataclasses import asdict, dataclass

from failover import caller, xl
from failover.settings import INCOMING, DomainSettings, RemusSettings
from failover.wire import Session


@dataclass(frozen=True)
class Presence:
    """States as `xl list` has them; empty where there is none."""

    guest: str
    copy: str


def here(domain: str) -> Presence:
    """On this host; raises XlError."""
    there = xl.domains()
    guest, copy = (there.get(name) for name in (domain, domain + INCOMING))
    return Presence(guest.state if guest else "", copy.state if copy else "")


def at_peer(settings: RemusSettings, domain: DomainSettings) -> Presence:
    """On the other; raises Unreachable or Refused."""
    session, answer = caller.call(settings, domain, "look")
    session.connection.close()
    return Presence(str(answer.get("guest")), str(answer.get("copy")))


def tell(_: RemusSettings, domain: DomainSettings, session: Session) -> int:
    """The other's part of that; raises XlError."""
    session.tell({"ok": True, **asdict(here(domain.name))})
    return 0
