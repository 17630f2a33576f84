"""Which collectors: in, settings; out, those that they enable, each told what the others know."""

from agent.checkpoints import CheckpointCollector
from agent.collector import Collector
from agent.guest_memory import GuestMemory
from agent.host import guest_collector, host_collector
from agent.responses import ResponseCollector
from agent.settings import AgentSettings
from agent.xen import XentopCollector


def collectors(settings: AgentSettings, *, listen: bool = True) -> list[Collector]:
    """The collectors that the settings enable, none running yet; without `listen`, not the one that pacers talk to."""
    return [*_of_xen(settings, listen=listen), *_of_this_machine(settings)]


def _of_xen(settings: AgentSettings, *, listen: bool) -> list[Collector]:
    """Domains need to know how long they were let run; who listens to pacers needs to know which domains run here."""
    memory = GuestMemory()
    domains = XentopCollector(
        settings.host,
        period_s=settings.xen.period_s,
        domains=settings.xen.domains or None,
        ran_share=lambda domain: checkpoints.ran_share(domain),  # noqa: PLW0108 - it is made below: the two know each other
        memory_ratio=memory.ratio,
    )
    checkpoints = CheckpointCollector(
        settings.host,
        run_dir=settings.run_dir,
        period_s=settings.checkpoints.period_s,
        runs_here=domains.runs_here if settings.xen.enabled else lambda _: True,
    )
    enabled: list[tuple[bool, Collector]] = [
        (settings.xen.enabled, domains),
        (settings.xen.enabled and settings.xen.guest_memory, memory),
        (settings.checkpoints.enabled and listen, checkpoints),
    ]
    return [collector for is_enabled, collector in enabled if is_enabled]


def _of_this_machine(settings: AgentSettings) -> list[Collector]:
    machine, guest, load, found = settings.machine, settings.guest, settings.responses, list[Collector]()
    if machine.enabled:
        found.append(host_collector(settings.host, period_s=machine.period_s, interfaces=machine.interfaces or None))
    if guest.enabled and guest.domain is not None:
        found.append(
            guest_collector(settings.host, guest.domain, period_s=guest.period_s, interfaces=guest.interfaces or None)
        )
    if load.enabled and load.domain is not None:
        found.append(
            ResponseCollector(
                load.path,
                load.domain,
                window_s=load.window_s,
                period_s=load.period_s,
                history_s=load.history_s,
            )
        )
    return found
