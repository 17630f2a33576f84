"""The process that guards a domain: in, its lease's server and fence; out, the domain running only while it may here.

What it does is in guard_steps.py; here it begins and ends.
"""

import signal

from failover import fence_command, guard_board, locks, memory, patience, relief
from failover.config import ConfigError
from failover.etcd import Etcd
from failover.guard_steps import Guard
from failover.lease import Lease
from failover.settings import DomainSettings, RemusSettings
from telemetry.notify import Notifier


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """Guard it until the process is ended, which pauses it, or followed by another, which does not.

    Raises FailoverError, OSError where it cannot go on.
    """
    if settings.lease is None:
        raise ConfigError("there is no [lease] in the configuration: nothing says who may run a guest")
    is_following = relief.is_following()
    with Etcd(settings.lease) as etcd:
        lease = Lease(etcd, domain.name, settings.host.name, settings.lease.ttl_s)
        fence = fence_command.of(settings, domain.name)
        guard = Guard(settings, domain.name, patience.limits(settings.host.name, settings.lease), lease, fence)
        memory.lock()
        signal.signal(signal.SIGHUP, guard.relief.want)
        if is_following:
            relief.say_ready(lease)
        lock = guard_board.directory(settings.host.run_dir, domain.name) / "lock"
        with locks.held(lock, relief.FOLLOW_LIMIT_S if is_following else 0.0):
            if is_following:
                relief.say_nothing_more()
            guard.take_up()
            _guard(guard)
    return 0


def _guard(guard: Guard) -> None:
    """Until another follows."""
    guard.step()
    notifier = Notifier()
    notifier.ready()
    while not guard.is_relieved:
        guard.wait()
        guard.step()
        notifier.alive()
    guard.leave()
    notifier.main_is(guard.relief.pid)
