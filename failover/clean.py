"""The end of copies here: in, a domain, or none; out, nothing left of its copy, or of those whose receivers died."""

import argparse
from dataclasses import asdict

from failover import giving_up, primary
from failover.settings import RemusSettings


def run(settings: RemusSettings, arguments: argparse.Namespace) -> int:
    """End one copy whatever its receiver does, or all whose receivers have died (ExecStopPost of each of them)."""
    if arguments.domain is None:
        return giving_up.clean(settings.host.run_dir)
    given_up = giving_up.give_up(settings.host.run_dir, arguments.domain)
    primary.tell({"act": "clean", "domain": arguments.domain, "host": settings.host.name, **asdict(given_up)})
    return 0
