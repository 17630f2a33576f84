"""Guards of the guest: in, a host and a time; out, how often they made it stand still since then."""

from typing import Final

from lab.landscape import Host
from lab.trials.site import Site
from telemetry.units import NS_PER_S

_PAUSED: Final = "journalctl --no-pager --output cat --since @{since} --unit 'hefery-guard@*' --unit 'hefery-minder@*'"


def pauses(site: Site, host: Host, since_ns: int) -> list[str]:
    """The reason of each pause by guard or minder, as their journal has it; nothing where no lease decides."""
    told = site.run(host, _PAUSED.format(since=since_ns // NS_PER_S))
    return reasons(told, site.guest.name)


def reasons(journal: str, guest: str) -> list[str]:
    """Those in the text of a journal."""
    words = f"{guest}: paused: "
    return [line.partition(words)[2] for line in journal.splitlines() if words in line]
