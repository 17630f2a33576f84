"""The peer's side of ssh: in, a call on standard input and output; out, the same at the receiver's socket here."""

import argparse
import socket
from contextlib import suppress

from failover.relay import Broken, Relay
from failover.settings import RemusSettings


def run(settings: RemusSettings, _: argparse.Namespace) -> int:
    """Relay until either side ends; what the stream's end means is the receiver's to judge."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(settings.receiver.socket))
        with suppress(Broken):
            Relay(0, connection, 1, settings.receiver.stall_timeout_s).run()
    return 0
