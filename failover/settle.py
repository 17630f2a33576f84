"""After `xl remus` has ended somehow: in, a domain; out, nothing left of it, and the guest not standing still."""

import logging
import subprocess
from pathlib import Path
from typing import Final

from failover import backup, primary, processes, xl
from failover.primary import ActError
from failover.settings import DomainSettings, RemusSettings

_log = logging.getLogger(__name__)

_WATCH_S: Final = 5.0
"""A guest suspends some 0.1 s after it was asked to, on an emulated host; xl may have been killed in between."""


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """End what outlives an xl that was killed, and have the guest go on; raises ActError or LibxlError."""
    name = domain.name
    with primary.alone(settings, domain):
        if processes.remus_of(name):
            raise ActError(f"{name} is still replicated from here: hefery-remus release --domain {name} ends that")
        left = processes.kill([*processes.helpers_of(name), *processes.sender_of(name)])
        is_alone = settings.lease is None or name not in xl.domains() or backup.forget(settings, name)
        if is_alone:
            _let_out(settings.host.run_dir, name)
        state = primary.set_going(name, _WATCH_S)
    if left:
        raise ActError(f"{name} is {state}, but processes {[process.pid for process in left]} do not end by SIGKILL")
    if not is_alone and state != "absent":
        raise ActError(f"{name} is {state}, but a copy of it may still take over: its guard has not yet told otherwise")
    primary.tell({"act": "settle", "domain": name, "host": settings.host.name, "state": state})
    return 0


def _let_out(run_dir: Path, name: str) -> None:
    """What the guest has sent, where that was held; before its state is watched, for its clients wait.

    hefery-output@.service sees to what is left.
    """
    if not (run_dir / f"{name}.output").exists():
        return
    try:
        subprocess.run(["hefery-output", "release", name], check=True)
    except (OSError, subprocess.SubprocessError) as error:
        _log.error("%s: its output is still held: %s", name, error)
