"""The agent's own cost: in, a host of many domains; out, CPU and memory that the real agent takes to watch them."""

import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import psutil

from agent.order import order_path
from benchmarks.rows import Goal, Row
from benchmarks.scratch import scratch_folder
from benchmarks.xen_host import CHECKPOINTS_A_SECOND, XenHost, xen_host
from telemetry.settings import SqliteSettings
from telemetry.sqlite import SqliteStore
from telemetry.units import NS_PER_S

_LIMIT_S: Final = 30.0
_STEP_S: Final = 5.0
_SETTLE_S: Final = 3.0
_LATELY_NS: Final = 5 * NS_PER_S
_MIB: Final = 2**20
_QUEUE_LENGTH: Final = 512
"""Of a socket of datagrams, on every host under systemd; the kernel's own 10 make the agent read more often."""
_CONFIG: Final = """
host = "host-0"
run_dir = '{run_dir}'
store = {{ kind = "sqlite", path = '{folder}/store.sqlite' }}
spool = {{ path = '{folder}/spool.db' }}
"""


@dataclass(frozen=True)
class Plan:
    """How many domains to watch once a second, and for how long: each run gives a figure."""

    domains: int
    runs: int
    run_s: float
    goal: Goal | None = None


@dataclass(frozen=True)
class Usage:
    """CPU that the agent's threads, by their names, have used so far; memory that is resident now."""

    at_s: float
    threads_s: Counter[str]
    rss_bytes: int

    @property
    def cpu_s(self) -> float:
        """All threads together."""
        return self.threads_s.total()


FULL: Final = (Plan(10, runs=4, run_s=15.0, goal=Goal("ours", 1.0)), Plan(100, runs=4, run_s=10.0))
QUICK: Final = (Plan(10, runs=2, run_s=3.0),)


def rows(*, quick: bool) -> Iterator[Row]:
    """Rows for a host of the usual size, and for ten times as many domains: what a sample costs, what the rest."""
    for plan in QUICK if quick else FULL:
        yield from measured(plan)


def measured(plan: Plan) -> Iterator[Row]:
    """CPU as a share and by the sample, and memory."""
    usages = _observe(plan)
    cpu_s = [after.cpu_s - before.cpu_s for before, after in pairwise(usages)]
    elapsed_s = [after.at_s - before.at_s for before, after in pairwise(usages)]
    shares = [100 * cpu / elapsed for cpu, elapsed in zip(cpu_s, elapsed_s, strict=True)]
    samples = [cpu / (elapsed * plan.domains / 1_000) for cpu, elapsed in zip(cpu_s, elapsed_s, strict=True)]
    note = f"{_conditions()}; {_threads(usages[0], usages[-1])}"
    case = f"{plan.domains} domains"
    yield Row("agent", case, "% of a core", "less", tuple(shares), goal=plan.goal, note=note)
    yield Row("agent", case, "CPU s per 1,000 samples", "less", tuple(samples))
    yield Row("agent", case, "MiB resident", "less", tuple(usage.rss_bytes / _MIB for usage in usages[1:]))


def _conditions() -> str:
    queue = f"{_QUEUE_LENGTH}, as under systemd" if _like_systemd() else "as many as this machine says"
    return f"at 1 Hz, {CHECKPOINTS_A_SECOND} checkpoints a second and domain, datagrams that a socket keeps: {queue}"


def _threads(before: Usage, after: Usage) -> str:
    spent = after.threads_s - before.threads_s
    elapsed_s = after.at_s - before.at_s
    return ", ".join(f"{name} {100 * cpu_s / elapsed_s:.2f} %" for name, cpu_s in spent.most_common())


def _observe(plan: Plan) -> list[Usage]:
    """What the agent has used at the beginning and after each run."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        # in memory as /run is, and with a path that is short enough for a socket's
        run_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hefery-", dir="/dev/shm")))
        host = stack.enter_context(xen_host(plan.domains, run_dir))
        store = SqliteStore(SqliteSettings(kind="sqlite", path=folder / "store.sqlite"))
        stack.callback(store.close)
        stack.enter_context(_predictor(host, store))
        process = stack.enter_context(_running_agent(host, folder))
        _wait_until_at_work(host, store)
        time.sleep(_SETTLE_S)
        usages = [_usage(process)]
        for _ in range(plan.runs):
            time.sleep(plan.run_s)
            usages.append(_usage(process))
        _wait_until_at_work(host, store)
    return usages


@contextmanager
def _predictor(host: XenHost, store: SqliteStore) -> Iterator[None]:
    """Decides on every domain at every step."""
    stop = threading.Event()

    def decide() -> None:
        host.decide(store)
        while not stop.wait(_STEP_S):
            host.decide(store)

    thread = threading.Thread(target=decide)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def _running_agent(host: XenHost, folder: Path) -> Iterator[psutil.Process]:
    """The agent with its defaults; raises RuntimeError where it does not end well."""
    config, log = folder / "agent.toml", folder / "agent.log"
    config.write_text(_CONFIG.format(folder=folder, run_dir=host.run_dir), encoding="utf-8")
    command = [*_like_systemd(), sys.executable, "-m", "benchmarks.named_agent", "run", "--config", str(config)]
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(command, env=host.environment, stdout=output, stderr=output) as process,
    ):
        try:
            yield psutil.Process(process.pid)
            process.terminate()
            process.wait(_LIMIT_S)
        finally:
            process.kill()
    if process.returncode:
        raise RuntimeError(f"the agent ended with {process.returncode}: {log.read_text(encoding='utf-8')}")


def _like_systemd() -> list[str]:
    """What, before a command, gives its sockets the queue that systemd gives all; nothing where that is not allowed."""
    script = f'echo {_QUEUE_LENGTH} >/proc/sys/net/unix/max_dgram_qlen && exec "$@"'
    prefix = ["unshare", "--net", "sh", "-c", script, "sh"]
    try:
        return prefix if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0 else []
    except FileNotFoundError:
        return []


def _wait_until_at_work(host: XenHost, store: SqliteStore) -> None:
    """Return when every domain is measured, its checkpoints as well, and has an order; raises RuntimeError if not."""
    end_s = time.monotonic() + _LIMIT_S
    while missing := _missing(host, store):
        if time.monotonic() > end_s:
            raise RuntimeError(f"the agent has no {missing} of all {len(host.domains)} domains")
        time.sleep(0.2)


def _missing(host: XenHost, store: SqliteStore) -> str:
    """The first thing that the agent owes lately."""
    since_ns = time.time_ns() - _LATELY_NS
    for measurement in ("domain", "checkpoint"):
        seen = {point.tags["domain"] for point in store.latest(measurement, since_ns=since_ns)}
        if not seen.issuperset(host.domains):
            return measurement
    return "" if all(order_path(host.run_dir, domain).exists() for domain in host.domains) else "order"


def _usage(process: psutil.Process) -> Usage:
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    threads_s = Counter({(thread / "comm").read_text(encoding="utf-8").strip(): _cpu_s(thread) for thread in threads})
    return Usage(time.monotonic(), threads_s, process.memory_info().rss)


def _cpu_s(thread: Path) -> float:
    """User and system time, to the nanosecond (proc's stat has hundredths): the scheduler's first figure."""
    return int((thread / "schedstat").read_text(encoding="ascii").split()[0]) / NS_PER_S
