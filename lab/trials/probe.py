"""On a Xen host, by its own Python: in, intervals to order; out, what was ordered and what the pacer reports.

usage: probe.py DIRECTORY, where order and report.sock of the domain are. Only the standard library is used, as this
file is sent to the host as it is. It takes the agent's place, so no agent may run there meanwhile.

Each line of standard input is `INTERVAL_MS VALID_S`, or `raw TEXT`, or `remove`. Each line of standard output is a
JSON object: `ns` (CLOCK_MONOTONIC here), and `ordered` (the sequence) or `report` (a pacer's, as it came).
"""

import json
import os
import selectors
import socket
import sys
import time
from pathlib import Path

_LONGEST = 1024


def tell(what: dict[str, object], time_ns: int) -> None:
    """One line, whole."""
    sys.stdout.write(json.dumps({"ns": time_ns, **what}) + "\n")
    sys.stdout.flush()


def replace(path: Path, text: str) -> int:
    """Put a file in place as the governor does, by a rename; the time of the rename."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(0o600)
    fresh.rename(path)
    return time.monotonic_ns()


def order(directory: Path, sequence: int, words: list[str]) -> int:
    """Write the order file as the line says, or remove it; the time when that was done."""
    path = directory / "order"
    if words[0] == "remove":
        path.unlink(missing_ok=True)
        return time.monotonic_ns()
    if words[0] == "raw":
        return replace(path, " ".join(words[1:]))
    deadline_ns = time.monotonic_ns() + int(float(words[1]) * 1e9)
    line = {"version": 1, "sequence": sequence, "interval_ms": int(words[0]), "deadline_monotonic_ns": deadline_ns}
    return replace(path, json.dumps(line) + "\n")


def listen(directory: Path) -> socket.socket:
    """A socket where the pacer's reports arrive, in place of any that is there."""
    inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    fresh = directory / "report.probe"
    fresh.unlink(missing_ok=True)
    inbox.bind(str(fresh))
    fresh.chmod(0o600)
    fresh.rename(directory / "report.sock")
    return inbox


def main(directory: Path) -> None:
    """Serve until standard input ends."""
    inbox = listen(directory)
    sequence = time.monotonic_ns() // 10**6  # ahead of any before, also of those of an earlier probe
    selector = selectors.DefaultSelector()
    selector.register(inbox, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    tell({"listening": str(directory)}, time.monotonic_ns())
    left = b""
    while True:
        for key, _ in selector.select():
            if key.fileobj is inbox:
                report = inbox.recv(_LONGEST)
                tell({"report": json.loads(report)}, time.monotonic_ns())
                continue
            read = os.read(0, _LONGEST)
            *lines, left = (left + read).split(b"\n")
            for line in lines:
                sequence += 1
                tell({"ordered": sequence}, order(directory, sequence, line.decode().split(" ")))
            if not read:
                return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
