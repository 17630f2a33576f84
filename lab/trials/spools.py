"""What agents have measured and not yet sent: in, hosts; out, each one's spool, read beside the agent that owns it."""

import json
import tomllib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from agent.rows import decode
from agent.settings import AgentSettings
from lab.landscape import Host
from lab.trials.children import feed
from lab.trials.site import Site
from telemetry.point import Point

_CONFIG: Final = "/etc/hefery/agent.toml"
_PYTHON: Final = "nice -n 10 /opt/hefery/venv/bin/python"
READ: Final = """\
import json, sqlite3, sys
from dataclasses import asdict
from agent.spool_state import state_of
file = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, isolation_level=None)
file.execute("BEGIN")
print(json.dumps(asdict(state_of(file))))
for (body,) in file.execute("SELECT body FROM point ORDER BY number"):
    print(body)
"""
"""Read-only: a writer that is slow would keep the agent's own points waiting."""


@dataclass(frozen=True)
class Spool:
    """What waited in it at one moment; the counts are since it was made."""

    points: tuple[Point, ...]
    sent: int
    dropped: int
    quarantined: int

    @classmethod
    def of(cls, printed: str) -> Self:
        """Understand what READ prints. Raises ValueError."""
        first, *bodies = printed.splitlines()
        state = json.loads(first)
        points = tuple(decode(body) for body in bodies)
        return cls(points, state["sent"], sum(state["dropped"].values()), state["quarantined"])


def settings(site: Site, host: Host) -> AgentSettings:
    """What the agent of a host is told."""
    return AgentSettings.model_validate(tomllib.loads(site.run(host, f"cat {_CONFIG}")))


def read(site: Site, paths: Mapping[Host, Path]) -> dict[str, Spool]:
    """The spools of hosts by their names, each at its path. Raises LabError, ValueError."""
    with ThreadPoolExecutor() as pool:
        printed = pool.map(lambda host: feed(site.lab, host, f"{_PYTHON} - {paths[host]}", READ), paths)
    return {host.name: Spool.of(text) for host, text in zip(paths, printed, strict=True)}
