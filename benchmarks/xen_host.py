"""A Xen host without Xen: in, how many domains; out, the tools, replications and pacers that an agent meets there."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.checkpoints import SOCKET
from agent.reports import VERSION
from telemetry.point import Point, Value
from telemetry.store import Store
from telemetry.units import NS_PER_MS
from tests.agent.fake_xenstored import xenstored

_ROOT: Final = Path(__file__).parents[1]
_CAPTURE: Final = _ROOT / "tests" / "data" / "xentop-4.17-replicating-200ms.txt"
CHECKPOINTS_A_SECOND: Final = 8
_REPORT: Final = {
    "version": VERSION,
    "kind": "checkpoint",
    "sequence": 0,
    "interval_ms": 100,
    "period_ms": 125.0,
    "pause_ms": 15.2,
    "send_ms": 9.8,
}


@dataclass(frozen=True)
class XenHost:
    """Its domains are protected, with pacers that report to sockets in `run_dir`; `environment` has its tools."""

    domains: tuple[str, ...]
    run_dir: Path
    environment: Mapping[str, str]

    def decide(self, store: Store) -> None:
        """What the predictor does: a decision for every domain."""
        now_ns = time.time_ns()
        fields: dict[str, Value] = {
            "interval_ms": 2_000.0,
            "reason": "calm",
            "mode": "default",
            "sequence": now_ns // NS_PER_MS,
            "valid_for_s": 20.0,
        }
        store.append([Point("decision", {"domain": domain}, fields, now_ns) for domain in self.domains])


@contextmanager
def xen_host(domains: int, folder: Path) -> Iterator[XenHost]:
    """The host, its files in `folder`; everything that was started is ended with it."""
    names = tuple(f"guest-{n:03d}" for n in range(domains))
    tools, run_dir, stop = folder / "bin", folder / "run", threading.Event()
    for directory in (tools, *(run_dir / name for name in names)):
        directory.mkdir(parents=True)
    _write_tool(tools / "xentop", f'exec "{sys.executable}" -m benchmarks.fake_xentop "{_CAPTURE}" {domains} "$@"')
    with ExitStack() as stack:
        stack.enter_context(xenstored(folder / "xenstored", _Sayings(names)))
        program = str(shutil.copy(str(shutil.which("yes")), folder / "xl"))
        for name in names:
            stack.enter_context(_replication(program, name))
        pacers = threading.Thread(target=_report, args=(run_dir, names, stop))
        pacers.start()
        stack.callback(pacers.join)
        stack.callback(stop.set)
        mine = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(_ROOT),
            "XENSTORED_PATH": str(folder / "xenstored"),
        }
        yield XenHost(names, run_dir, os.environ | mine)


def _write_tool(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


class _Sayings(dict[str, str]):
    """The guests' nodes in xenstore; the uptime is another each time."""

    def __init__(self, names: tuple[str, ...]) -> None:
        for number, name in enumerate(names, start=1):
            self[f"/local/domain/{number}/name"] = name
            self[f"/local/domain/{number}/data/hefery/memory"] = "1048576 524288"

    def __getitem__(self, path: str) -> str:
        value = super().__getitem__(path)
        return f"{value} {time.monotonic():.0f}" if path.endswith("/memory") else value


@contextmanager
def _replication(program: str, domain: str) -> Iterator[None]:
    """A process that looks like one: `yes`, stuck in a full pipe."""
    with subprocess.Popen(["xl", "remus", domain, "backup"], executable=program, stdout=subprocess.PIPE) as process:
        try:
            yield
        finally:
            process.kill()


def _report(run_dir: Path, names: tuple[str, ...], stop: threading.Event) -> None:
    """Report checkpoints as the pacers do: never waiting, dropped when nobody listens."""
    report = json.dumps(_REPORT).encode()
    pause_s = 1 / CHECKPOINTS_A_SECOND / len(names)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        due_s = time.monotonic()
        while True:
            for name in names:
                due_s += pause_s
                if stop.wait(max(0.0, due_s - time.monotonic())):
                    return
                try:
                    sender.sendto(report, str(run_dir / name / SOCKET))
                except OSError:  # as a pacer does: the next one comes soon
                    continue
