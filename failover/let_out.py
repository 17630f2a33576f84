"""Output that is held: in, a domain whose replication has ended; out, it is let out once no copy may take over (R3).

A copy that takes over knows nothing of it: with a lease it is certain that none may only once the record says so.
"""

import logging
import subprocess
from pathlib import Path
from typing import Final

from failover import backup, primary, processes, xl
from failover.primary import ActError
from failover.settings import DomainSettings, RemusSettings

_log = logging.getLogger(__name__)

_RELEASE_LIMIT_S: Final = 30.0


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """Let it out, or raise ActError where a copy may still take over. It tells nobody: it is tried again and again."""
    name = domain.name
    with primary.alone(settings, domain):
        if processes.remus_of(name):
            raise ActError(f"{name} is still replicated from here")
        if not once_alone(settings, name):
            raise ActError(f"{name}: a copy of it may still take over, so what it has sent stays held")
    return 0


def once_alone(settings: RemusSettings, name: str) -> bool:
    """Have no copy take over any more, and let out what is held; whether no copy may. Raises XlError."""
    is_alone = settings.lease is None or name not in xl.domains() or backup.forget(settings, name)
    if is_alone and is_held(settings.host.run_dir, name):
        try:
            subprocess.run(["hefery-output", "release", name], check=True, timeout=_RELEASE_LIMIT_S)
        except (OSError, subprocess.SubprocessError) as error:  # hefery-output@.service tries again
            _log.error("%s: its output is still held: %s", name, error)
    return is_alone


def is_held(run_dir: Path, name: str) -> bool:
    """Whether it is, by what hefery-output notes down."""
    return (run_dir / f"{name}.output").exists()
