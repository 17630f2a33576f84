"""The end of copies here: in, a domain, or none; out, nothing left of its copy, or of those whose receivers died."""

import argparse
import os
import socket
from contextlib import suppress
from dataclasses import asdict

from failover import giving_up, primary
from failover.settings import RemusSettings


def run(settings: RemusSettings, arguments: argparse.Namespace) -> int:
    """End one copy whatever its receiver does, or all whose receivers have died (ExecStopPost of each of them)."""
    if arguments.domain is None:
        _hang_up()
        return giving_up.clean(settings.host.run_dir)
    given_up = giving_up.give_up(settings.host.run_dir, arguments.domain)
    primary.tell({"act": "clean", "domain": arguments.domain, "host": settings.host.name, **asdict(given_up)})
    return 0


def _hang_up() -> None:
    """End the dead receiver's connection, which is standard input in ExecStopPost (systemd.exec(5)).

    systemd keeps it open until this command has ended, and meanwhile the guest waits for it on the other side.
    """
    if "SERVICE_RESULT" not in os.environ:
        return
    with suppress(OSError), socket.socket(fileno=0) as connection:
        connection.shutdown(socket.SHUT_RDWR)
