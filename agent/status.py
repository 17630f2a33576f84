"""How an agent does, seen from outside: in, its settings; out, spool, orders and holds, and what is wrong with them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from agent import hold, lock
from agent.clock import Now, boot_id
from agent.order import Order, OrderError, effective_interval_ms, order_path, read
from agent.protection import Protection, protection_path
from agent.protection import read as read_protection
from agent.service import lock_path, primary_of
from agent.settings import AgentSettings
from agent.spool_file import set_aside
from agent.spool_state import SpoolState, read_state
from telemetry.store import StoreError
from telemetry.units import NS_PER_S

_LATE_S = 60
"""Points that wait for so long wait for a store that does not take them."""

_RECENT_S = 86_400
"""Points refused within so long want somebody to look at them."""


@dataclass(frozen=True)
class DomainStatus:
    """A domain's interval in force, how long the order (0: none stands) and the hold (0: none stands) still do."""

    domain: str
    is_primary: bool
    interval_ms: int
    order_left_s: float
    hold_ms: int | None
    hold_left_s: float
    protection: Protection | None
    """None where nothing is known."""


@dataclass(frozen=True)
class Status:
    """Everything worth telling; nothing in `problems` means that all is well."""

    running: bool
    spool: SpoolState | None
    domains: tuple[DomainStatus, ...]
    problems: tuple[str, ...]


def status(settings: AgentSettings, now: Now) -> Status:
    """Look at the agent's files; it is not asked itself."""
    problems: list[str] = []
    running = lock.is_held(lock_path(settings))
    if not running:
        problems.append("the agent is not running; start it with: hefery-agent run")
    spool: SpoolState | None = None
    if settings.spool.path.exists():
        try:
            spool = read_state(settings.spool.path)
            problems += _spool_problems(spool, now)
            problems += [f"{name} fails, and is tried again: {said}" for name, said in spool.failing.items() if running]
        except StoreError as error:
            problems.append(str(error))
    problems += [
        f"{path}: a damaged spool was set aside; save its points with sqlite3 {path} .recover, then delete it"
        for path in sorted(set_aside(settings.spool.path))
    ]
    domains = tuple(_domains(settings, now, problems))
    return Status(running, spool, domains, tuple(problems))


def _spool_problems(spool: SpoolState, now: Now) -> Iterator[str]:
    if spool.trouble:
        yield f"points wait in the spool: {spool.trouble}"
    elif spool.oldest_ns is not None and now.wall_ns - spool.oldest_ns > _LATE_S * NS_PER_S:
        yield f"the oldest of {spool.points} points waits for {_ago(spool.oldest_ns, now)}; is the agent overloaded?"
    refused = spool.newest_quarantined
    if refused is not None and now.wall_ns - refused.refused_ns < _RECENT_S * NS_PER_S:
        yield f"the store refused a point {_ago(refused.refused_ns, now)} ago: {refused.reason}: {refused.body}"


def _domains(settings: AgentSettings, now: Now, problems: list[str]) -> Iterator[DomainStatus]:
    """The domains that are replicated from here, or have an order or a hold here."""
    here = primary_of(settings.governor).domains() if settings.governor.enabled else frozenset[str]()
    known = {path.parent.name for name in ("order", "hold") for path in settings.run_dir.glob(f"*/{name}")}
    boot, protective_ms = boot_id(), settings.governor.protective_interval_ms
    for domain in sorted(here | known):
        text = read(order_path(settings.run_dir, domain))
        order_left_s = _order_left_s(text, now)
        if domain in here and not order_left_s:
            problems.append(f"{domain}: no order stands, so it is at {protective_ms} ms; is there a fresh decision?")
        try:
            held = hold.read(hold.hold_path(settings.run_dir, domain))
        except hold.HoldError as error:
            held = None
            problems.append(str(error))
        hold_left_s = 0.0 if held is None else max(0.0, held.left_ns(now, boot) / NS_PER_S)
        protection = read_protection(protection_path(settings.run_dir, domain), now.monotonic_ns)
        if protection is not None and not protection.protected:
            problems.append(f"{domain}: unprotected, no checkpoint arrives; look at journalctl -u remus@{domain}")
        yield DomainStatus(
            domain,
            domain in here,
            effective_interval_ms(text, now.monotonic_ns, protective_ms),
            order_left_s,
            held.interval_ms if held is not None and hold_left_s else None,
            hold_left_s,
            protection,
        )


def _order_left_s(text: str | None, now: Now) -> float:
    try:
        order = Order.parse(text or "")
    except OrderError:
        return 0.0
    return (order.deadline_monotonic_ns - now.monotonic_ns) / NS_PER_S if order.stands(now.monotonic_ns) else 0.0


def as_json(told: Status) -> Mapping[str, object]:
    """The status, for programs to read."""
    spool = None if told.spool is None else asdict(told.spool)
    return {**asdict(told), "spool": spool}


def table(told: Status, now: Now) -> str:
    """The status, for people to read."""
    lines = [f"agent     {'running' if told.running else 'not running'}"]
    if (spool := told.spool) is not None:
        oldest = "" if spool.oldest_ns is None else f", the oldest for {_ago(spool.oldest_ns, now)}"
        last = "never" if spool.last_sent_ns is None else f"{_ago(spool.last_sent_ns, now)} ago"
        dropped = ", ".join(f"{count} {cause}" for cause, count in spool.dropped.items())
        lines += [
            f"spool     {spool.points} points wait ({spool.bytes} bytes){oldest}",
            f"sent      {spool.sent}, last {last}",
            f"dropped   {dropped or 'none'}",
            f"refused   {spool.quarantined}",
        ]
    lines += [_domain_line(domain) for domain in told.domains]
    return "\n".join(lines + [f"PROBLEM   {problem}" for problem in told.problems])


def _domain_line(domain: DomainStatus) -> str:
    order = f"order for {domain.order_left_s:.1f} s more" if domain.order_left_s else "no order"
    held = f", held to {domain.hold_ms} ms for {domain.hold_left_s:.0f} s more" if domain.hold_ms else ""
    where = "" if domain.is_primary else ", not the primary"
    return f"domain    {domain.domain}: {domain.interval_ms} ms ({order}{held}{where}), {_protected(domain.protection)}"


def _protected(told: Protection | None) -> str:
    if told is None:
        return "protection unknown"
    rate, pause_ms = told.figures.get("rate_per_s", 0.0), told.figures.get("pause_ms")
    pause = "" if pause_ms is None else f", {pause_ms:.0f} ms pause"
    return f"protected: {rate:.1f} checkpoints/s{pause}" if told.protected else "unprotected"


def _ago(time_ns: int, now: Now) -> str:
    return f"{max(0, now.wall_ns - time_ns) / NS_PER_S:.1f} s"
