"""An operator's word that the other host is dead: in, a domain; out, its copy here woken."""

from typing import Final

from failover import primary
from failover.control import Control
from failover.settings import DomainSettings, RemusSettings

_ORDER_LIMIT_S: Final = 180.0


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """Order it; raises NoReceiver."""
    answer = Control(settings.host.run_dir, domain.name).ask("take-over", _ORDER_LIMIT_S)
    primary.tell({"act": "take-over", "domain": domain.name, "host": settings.host.name, **answer})
    return 0 if answer.get("ok") is True else 1
