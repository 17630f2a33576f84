"""What operators do to the monitoring host: in, a protected landscape; out, whether it is whole after each act.

Whole is also that nobody has told a secret: not the logs of the playbooks, nor the hosts' processes and logs.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from lab.commands import run
from lab.errors import LabError
from lab.landscape import HOSTS, Host
from lab.processes import wait
from lab.trials import base, freeze, grafana_stand_in, loop, playbooks, secrecy, store, verified
from lab.trials.part import Outcome, Part, Trial, Turn, faults
from lab.trials.report import Row
from lab.trials.site import Site
from telemetry.units import NS_PER_S

_MONITOR: Final = HOSTS["m"]
_EXCUSED: Final = ("no load client measured", "folds its points")
"""In remedies of panels that this landscape has nothing to show on: it has no load, and may be minutes old."""
_verified: Final = partial(verified.verified, excused=_EXCUSED)
_WINDOW_S: Final = 30
_BETWEEN_S: Final = 15
"""From a backup to its restore: what comes then has to be gone."""
_PATIENCE_S: Final = 60
_MOST_SPOOLED_S: Final = 10.0
_TOKENS: Final = "sha256sum /etc/hefery/*.token"
_NO_GRAFANA: Final = (
    "systemctl disable --now grafana-server.service; rm /etc/systemd/system/grafana-server.service && "
    "systemctl daemon-reload"
)


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    base.begin(site, "protected")
    with loop.quick_predictor(site):
        _await_spools(site)
        yield lambda turn: _trial(site, turn)


def _await_spools(site: Site) -> None:
    """Until each agent has told of its spool again: in what it said first its points are as old as the snapshot."""
    for host in site.both():
        is_drained = store.await_point(
            site,
            "agent",
            time.time_ns(),
            2 * _PATIENCE_S,
            lambda p: p.fields["spool_oldest_s"] < _MOST_SPOOLED_S,
            of={"host": host.name},
        )
        if is_drained is None:
            raise LabError(f"the spool of {host.name} is not drained")


def _trial(site: Site, turn: Turn) -> Outcome:
    act = tuple(_ACTS)[turn.number - 1]
    began_s = time.monotonic()
    found = _ACTS[act](site, turn.folder)
    took_s = round(time.monotonic() - began_s, 1)
    is_protected = wait(site.is_protected, _PATIENCE_S, every_s=1)
    failed, checks = _verified(turn.folder / "verify.json")
    told = _told(site, turn.folder)
    wrong = {**found, "the guest is not protected": not is_protected, **dict.fromkeys([*failed, *told], True)}
    return Outcome({"act": act, "act_s": took_s, "checks": checks}, faults(wrong))


def _told(site: Site, folder: Path) -> list[str]:
    """Where secrets are that anybody may see; those in force, which a rotation has just made."""
    secrets = secrecy.known(site)
    logs = {path: secrecy.told(path.read_text(encoding="utf-8"), secrets) for path in sorted(folder.glob("*.json"))}
    return [f"{path} has {name}" for path, names in logs.items() for name in names] + secrecy.shown(site, secrets)


def _verify(_: Site, __: Path) -> dict[str, bool]:
    """As each trial does after its act."""
    return {}


def _backup_and_restore(site: Site, folder: Path) -> dict[str, bool]:
    until_ns = time.time_ns() - _WINDOW_S * NS_PER_S
    window = (until_ns - _WINDOW_S * NS_PER_S, until_ns)
    before = store.points(site, "domain", *window)
    playbooks.insist("playbooks/backup.yml", folder / "backup.json")
    copied_ns = time.time_ns()
    time.sleep(_BETWEEN_S)
    begun_ns = time.time_ns()
    playbooks.insist("playbooks/restore.yml", folder / "restore.json")
    restored_ns = time.time_ns()
    newer = store.points(site, "forecast", copied_ns, begun_ns)
    after = store.await_point(site, "domain", restored_ns, _PATIENCE_S, lambda _: True)
    return {
        "there was nothing to copy": not before,
        "a sample from before the backup is not there": store.points(site, "domain", *window) != before,
        f"{len(newer)} forecasts from after the backup are there": bool(newer),
        "no sample came after the restore": after is None,
    }


def _rotate(site: Site, folder: Path) -> dict[str, bool]:
    freeze.forget(site)  # the hosts have their tokens from before in the snapshots
    before = {host: site.run(host, _TOKENS) for host in (*site.both(), _MONITOR, *_load_clients(site))}
    playbooks.insist("playbooks/rotate-tokens.yml", folder / "rotate.json")
    return {f"{host.name} has its tokens from before": site.run(host, _TOKENS) == was for host, was in before.items()}


def _load_clients(site: Site) -> tuple[Host, ...]:
    """There is one where JMeter was built when site.yml was run."""
    client = HOSTS["c"]
    return (client,) if site.has(client, "/etc/hefery/agent.token") else ()


def _upgrade(_: Site, folder: Path) -> dict[str, bool]:
    """To the versions that run already, which is all of the way that can be gone here."""
    counts = playbooks.play("playbooks/upgrade.yml", folder / "upgrade.json")
    return dict.fromkeys(verified.failed(counts), True)


def _grafana(site: Site, folder: Path) -> dict[str, bool]:
    """By a stand-in, as Grafana's own archive cannot be had here: its role does all that it would do with that one."""
    archive = folder / "grafana-stand-in.tar.gz"
    grafana_stand_in.pack(archive)
    told = {"grafana_source": "file", "grafana_file_path": str(archive), "grafana_version": "stand-in"}
    words = ("--extra-vars", json.dumps(told))
    logs = (folder / "grafana.json", folder / "grafana-again.json")
    try:
        first, again = (playbooks.play("playbooks/monitoring.yml", log, "--tags", "grafana", *words) for log in logs)
        failed, _ = _verified(folder / "verify-grafana.json", *words)
    finally:
        site.run(_MONITOR, _NO_GRAFANA)
    return {
        f"{first.broken} failed: {'; '.join(first.tasks[-3:])}": first.broken > 0,
        f"{again.changed} changed again: {'; '.join(again.tasks[:3])}": again.changed > 0,
        **dict.fromkeys(failed, True),
    }


def _tls(site: Site, folder: Path) -> dict[str, bool]:
    """The store speaks TLS alone, and plain HTTP again after it."""
    freeze.forget(site)  # the hosts' clocks and spools go on
    words = ("--extra-vars", json.dumps(_certified(folder)))
    logs = (folder / "tls.json", folder / "tls-again.json")
    try:
        first, again = (playbooks.play("site.yml", log, *words) for log in logs)
        loop.follow(site)
        since_ns = time.time_ns()
        came = [store.await_point(site, name, since_ns, _PATIENCE_S, lambda _: True) for name in ("domain", "forecast")]
        plain = site.run(_MONITOR, f"curl --silent http://{_MONITOR.address}:8086/health || true")
        failed, _ = _verified(folder / "verify-tls.json", *words)
    finally:
        over = playbooks.play("site.yml", folder / "tls-over.json")
        loop.follow(site)
    return {
        f"{first.broken} failed with TLS: {'; '.join(first.tasks[-3:])}": first.broken > 0,
        f"{again.changed} changed again with TLS: {'; '.join(again.tasks[:3])}": again.changed > 0,
        f"{over.broken} failed without TLS again: {'; '.join(over.tasks[-3:])}": over.broken > 0,
        "no sample, or no forecast, came with TLS": None in came,
        f"plain HTTP was answered: {plain}": '"pass"' in plain,
        **dict.fromkeys(failed, True),
    }


def _certified(folder: Path) -> dict[str, str]:
    """An authority and a certificate of the monitoring host, as docs/monitoring.md makes them."""
    files = {name: str(folder / name) for name in ("authority.pem", "authority.key", "store.pem", "store.key")}
    new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "30")
    by = ("-CA", files["authority.pem"], "-CAkey", files["authority.key"])
    name = ("-subj", "/CN=store", "-addext", f"subjectAltName=IP:{_MONITOR.address}")
    run(*new, "-subj", "/CN=authority", "-keyout", files["authority.key"], "-out", files["authority.pem"])
    run(*new, *by, *name, "-keyout", files["store.key"], "-out", files["store.pem"])
    told = {"certificate": "store.pem", "key": "store.key", "authority": "authority.pem"}
    return {f"hefery_tls_{name}": files[file] for name, file in told.items()}


_ACTS: Final[Mapping[str, Callable[[Site, Path], dict[str, bool]]]] = MappingProxyType(
    {
        "verify": _verify,
        "backup, restore": _backup_and_restore,
        "rotate tokens": _rotate,
        "upgrade": _upgrade,
        "a stand-in for grafana": _grafana,
        "tls": _tls,
    }
)


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "trials": len(rows),
        "whole": sum(row.passed for row in rows),
        "act_s": {row.measured["act"]: row.measured["act_s"] for row in rows if "act" in row.measured},
    }


UPKEEP: Final = Part("upkeep", "upkeep", 1, len(_ACTS), _session, _summary, fixed=True)
