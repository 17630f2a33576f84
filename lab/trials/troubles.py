"""What goes wrong in a trial: in, kinds by name and their times; out, each of them struck, and undone where it ends."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final

from lab import machine, network, remote
from lab.errors import LabError
from lab.landscape import HOSTS, Host
from lab.monitor import Monitor
from lab.trials import victims
from lab.trials.site import Site

_LIMIT_S: Final = 40
"""For a command on a host; a frozen one goes on before."""
_STOP_S: Final = 180
_ALL: Final = ("b", "f", "c", "m")
_CUTS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        **{f"cut {one}-{other}": ((one, other), (other, one)) for one, other in ("ab", "af", "bf")},
        **{f"cut {one}>{other}": ((one, other),) for one, other in ("ab", "ba", "af", "fa", "bf", "fb")},
        "cut a-all": tuple(pair for other in _ALL for pair in (("a", other), (other, "a"))),
        "cut a>all": tuple(("a", other) for other in _ALL),
        "cut all>a": tuple((other, "a") for other in _ALL),
    }
)
"""Kind, and who cannot send to whom: not ssh and the client of the trials, who are on the bridge itself."""
_SERVICES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "guard a": ("a", "hefery-guard@{guest}"),
        "guard b": ("b", "hefery-guard@{guest}"),
        "minder a": ("a", "hefery-minder@{guest}"),
        "heartbeat a": ("a", "hefery-heartbeat"),
        "heartbeat b": ("b", "hefery-heartbeat"),
        "fence link b": ("b", "hefery-fence-link"),
        "etcd": ("f", "hefery-etcd"),
        "etcd a": ("a", "hefery-etcd"),
        "etcd b": ("b", "hefery-etcd"),
        "nfs": ("f", "nfs-server"),
    }
)
_KILLED: Final = ("guard a", "guard b", "minder a", "heartbeat b", "etcd")
_STOPPED: Final = ("guard a", "guard b", "heartbeat a", "fence link b", "etcd", "nfs")
_ENDED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "stop replication": ("a", "systemctl stop --no-block remus@{guest}"),
        "stop receivers": ("b", "systemctl stop --no-block 'hefery-receiver@*'"),
    }
)
_SHUT_DOWN: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        f"{kind} {host}": (host, verb)
        for host in "ab"
        for kind, verb in (("reboot", "reboot"), ("shut down", "poweroff"))
    }
)
"""Kind, host and what systemctl calls it."""
_ENDING: Final = "/run/hefery-trial-ends"
"""A file that the next boot knows nothing of."""
KINDS: Final = (
    *_CUTS,
    *(f"kill {victim}" for victim in victims.ALL),
    *(f"kill {name}" for name in _KILLED),
    *(f"stop {name}" for name in _STOPPED),
    *_ENDED,
    *(f"{verb} {host}" for verb in ("freeze", "stall") for host in "abf"),
    *(f"{verb} {host}" for verb in ("reset", "power off") for host in "ab"),
    *_SHUT_DOWN,  # last, so that the first trials keep the kinds that they had before there was this one
)
"""freeze: a machine and its clocks stand still; stall: its clocks go on."""

FOR_ALL: Final = frozenset({"kill etcd", "stop etcd", "stop nfs", "freeze f", "stall f"})
"""Meanwhile nobody has a quorum, where etcd is on one host, or the disk."""
NO_DISK: Final = FOR_ALL - {"kill etcd", "stop etcd"}
"""Meanwhile nobody has the disk."""


@dataclass(frozen=True)
class Trouble:
    """One kind, `after_s` from the trial's moment on, for `lasts_s` where it does not last for ever."""

    kind: str
    after_s: float
    lasts_s: float

    @property
    def lost(self) -> str:
        """The host whose memory is lost; empty for none."""
        return self.kind[-1] if self.kind in _SHUT_DOWN or self.kind.startswith(("reset", "power off")) else ""


@dataclass(frozen=True)
class Struck:
    """When it began and ended, by the wall clock; `missed` says why it could not strike."""

    kind: str
    began_ns: int
    ended_ns: int
    missed: str = ""


Undo = Callable[[], None]


@dataclass
class Cuts:
    """The cuts in force, each of which ends without the others."""

    site: Site
    _pairs: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, pairs: tuple[tuple[str, str], ...]) -> Undo:
        """Cut; what is returned heals it."""
        with self._lock:
            self._pairs += pairs
            self._apply(pairs)
        return partial(self._remove, pairs)

    def _remove(self, pairs: tuple[tuple[str, str], ...]) -> None:
        with self._lock:
            for pair in pairs:
                self._pairs.remove(pair)
            network.heal(self.site.lab)
            self._apply(tuple(self._pairs))

    def _apply(self, pairs: tuple[tuple[str, str], ...]) -> None:
        for source, target in pairs:
            network.cut(self.site.lab, HOSTS[source], HOSTS[target], one_way=True)


def strike(site: Site, troubles: tuple[Trouble, ...]) -> list[Struck]:
    """All of them, each at its time; returns when those that end are over."""
    cuts = Cuts(site)
    with ThreadPoolExecutor(len(troubles)) as pool:
        return list(pool.map(lambda trouble: _strike(site, cuts, trouble), troubles))


def is_over(site: Site, host: Host) -> bool:
    """Whether a host that was to lose its memory has: it has no power, or has booted anew."""
    if not site.has_power(host):
        return True
    try:
        return remote.answers(site.lab, host) and not site.run(host, f"ls {_ENDING} 2>/dev/null || true", _LIMIT_S)
    except LabError:  # its sshd has just ended
        return False


def _strike(site: Site, cuts: Cuts, trouble: Trouble) -> Struck:
    time.sleep(trouble.after_s)
    began_ns, missed = time.time_ns(), ""
    try:
        if undo := _begin(site, cuts, trouble.kind):
            time.sleep(trouble.lasts_s)
            undo()
    except LabError as error:  # the other trouble has come first: no such process, or no such host any more
        missed = " ".join(str(error).split())
    return Struck(trouble.kind, began_ns, time.time_ns(), missed)


def _begin(site: Site, cuts: Cuts, kind: str) -> Undo | None:
    """What undoes it; None where it does not last."""
    guest, unit = site.guest.name, site.guest.unit
    verb, _, name = kind.partition(" ")
    if kind in _CUTS:
        return cuts.add(_CUTS[kind])
    if kind in _SHUT_DOWN:
        host, verb = _SHUT_DOWN[kind]
        _shut_down(site, HOSTS[host], verb)
    elif kind in _ENDED:
        host, command = _ENDED[kind]
        site.run(HOSTS[host], command.format(guest=guest), _LIMIT_S)
    elif verb == "kill" and name in victims.ALL:
        host = "a" if name in victims.ON_PRIMARY else "b"
        site.run(HOSTS[host], f"timeout {_LIMIT_S // 2} sh -c '{victims.kill(name, unit)}'", _LIMIT_S)
    elif verb == "kill":
        host, service = _SERVICES[name]
        site.run(HOSTS[host], f"systemctl kill --signal=KILL {service.format(guest=guest)}", _LIMIT_S)
    elif verb == "stop":
        host, service = _SERVICES[name]
        return _stop(site, HOSTS[host], service.format(guest=guest))
    else:
        return _of_a_machine(site, verb, HOSTS[kind[-1]])
    return None


def _stop(site: Site, host: Host, service: str) -> Undo:
    site.run(host, f"systemctl stop {service}", _STOP_S)
    return lambda: _say_nothing(site.run(host, f"systemctl start {service}", _STOP_S))


def _shut_down(site: Site, host: Host, verb: str) -> None:
    """As an operator does, or what looks after the power supply: systemd ends all services first."""
    site.run(host, f"touch {_ENDING}", _LIMIT_S)
    try:
        refused = site.run(host, f"systemctl --no-block {verb} || echo refused", _LIMIT_S)
    except LabError:  # the connection has ended with the host
        return
    if refused:
        raise LabError(f"{host.name}: systemctl {verb} was refused")


def _of_a_machine(site: Site, verb: str, host: Host) -> Undo | None:
    if verb == "power":
        site.cut_power(host)
    elif verb == "reset":
        _tell(site, host, "system_reset")
    elif verb == "freeze":
        _tell(site, host, "stop")
        return partial(_tell, site, host, "cont")
    else:
        _signal(site, host, signal.SIGSTOP)
        return partial(_signal, site, host, signal.SIGCONT)
    return None


def _tell(site: Site, host: Host, command: str) -> None:
    with Monitor(site.lab.monitor(host), _LIMIT_S) as monitor:
        monitor.execute(command)


def _signal(site: Site, host: Host, number: signal.Signals) -> None:
    process = machine.find(site.lab, host)
    if process is None:
        raise LabError(f"{host.name} does not run")
    os.kill(process.pid, number)


def _say_nothing(_: str) -> None:
    """What a command has printed is of no interest."""
