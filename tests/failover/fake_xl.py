"""A stand-in for `xl`, with its bad habits: its receiver wakes the copy at whatever end of its input, but for one in
libxl's part of a checkpoint, after which it never ends.

The domains of a host are a file in $FAKE_XEN: a line each, name and state.
"""

import contextlib
import ctypes.util
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.failover import stream

XEN = Path(os.environ["FAKE_XEN"])
BANNER = b"xl migration receiver ready, send binary domain data.\n"
PERIOD_S = 0.05


@contextlib.contextmanager
def changed() -> Iterator[dict[str, str]]:
    """The domains, locked until they are written back."""
    with (XEN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = XEN / "domains"
        there = dict(line.rsplit(" ", 1) for line in path.read_text().splitlines())
        yield there
        new = XEN / "domains.new"
        new.write_text("".join(f"{name} {state}\n" for name, state in there.items()))
        new.replace(path)


def helper() -> "subprocess.Popen[bytes]":
    """Copy and original end where it does."""
    return subprocess.Popen(["libxl-save-helper", "300"], executable="/bin/sleep", stdin=subprocess.DEVNULL)


def listed() -> int:
    with changed() as there:
        print("Name                                        ID   Mem VCPUs\tState\tTime(s)")
        for number, (name, state) in enumerate({"Domain-0": "r-----", **there}.items()):
            print(f"{name:<40} {number:5d} {128:5d} {1:5d}     {state} {1.5:9.1f}")
    return 0


def destroy(name: str) -> int:
    with changed() as there:
        if there.pop(name, None) is None:
            print(f"{name} is an invalid domain identifier (rc=-6)", file=sys.stderr)
            return 255
    while (XEN / "slow").exists():  # the domain is gone, the command has not ended
        time.sleep(PERIOD_S)
    return 0


def migrate_receive() -> int:
    os.write(1, BANNER)
    head = b""
    while b"}}" not in head:
        data = os.read(0, 65536)
        if not data:
            return 1
        head += data
    name = json.loads(head[48 : head.index(b"}}") + 2])["c_info"]["name"]
    with changed() as there:
        there[f"{name}--incoming"] = "--p---"
    child, received = helper(), len(head)
    while data := read_while(lambda: child.poll() is None):
        received += len(data)
        head = (head + data)[-8:]
    while head == stream.record(0xE) and child.poll() is None:
        time.sleep(PERIOD_S)
    if child.poll() is not None:
        destroy(f"{name}--incoming")
        return 1
    (XEN / "received").write_text(str(received))
    time.sleep(float(os.environ.get("FAKE_WAKE_S", "0")))
    with changed() as there:
        del there[f"{name}--incoming"]
        there[name] = "r-----"
        number = list(there).index(name) + 1
    if "FAKE_XENCTRL" in os.environ:
        unpause(number)
    child.kill()
    return 0


def unpause(number: int) -> None:
    """By the stand-in for Xen, where there is one, which may count more pauses than xl's (fake_xenctrl.py)."""
    xen = ctypes.CDLL(ctypes.util.find_library("xenctrl"))
    xen.xc_interface_open(None, None, 0)
    xen.xc_domain_unpause(None, number)


def read_while(alive: Callable[[], bool]) -> bytes:
    while alive():
        if select.select([0], [], [], 0.05)[0]:
            return os.read(0, 1 << 20)
    return b""


def remus(name: str, command: str) -> int:
    child = subprocess.Popen(["sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin
    assert child.stdout
    if child.stdout.read(len(BANNER)) != BANNER:
        print("migration child stdout: unexpected end", file=sys.stderr)
        return 1
    saving = helper()
    try:
        child.stdin.write(stream.header(name))
        child.stdin.flush()
        time.sleep(float(os.environ.get("FAKE_FIRST_COPY_S", "0")))
        child.stdin.write(stream.checkpoint(stream.FULL_COPY_PAGES))
        while child.poll() is None and saving.poll() is None:
            with changed() as there:
                if name not in there:
                    return 0
                there[name] = "---ss-"
            child.stdin.write(stream.checkpoint())
            child.stdin.flush()
            time.sleep(PERIOD_S / 2)
            with changed() as there:
                if name not in there:
                    return 0
                there[name] = "-b----"
            time.sleep(PERIOD_S / 2)
    except BrokenPipeError:
        pass
    print("Remus: Backup failed? resuming domain at primary.", file=sys.stderr)
    with changed() as there:
        there[name] = "-b----"
    saving.kill()
    return 1


def main(words: list[str]) -> int:
    match words:
        case ["list"]:
            return listed()
        case ["destroy", name]:
            return destroy(name)
        case ["migrate-receive", "-r"]:
            return migrate_receive()
        case ["remus", "-s", "", name, command]:
            return remus(name, command)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
