"""Hefery's own programs as a person would call them: in, a site; out, command lines."""

import sys
from pathlib import Path

from demo.site import Site


def agent_run(site: Site) -> list[str]:
    """The agent, until it is told to stop."""
    return [_script("hefery-agent"), "run", "--config", str(site.folder / "agent.toml")]


def predictor(site: Site, *words: str) -> list[str]:
    """A verb of the predictor."""
    return [_script("hefery-predictor"), "--config", str(site.folder / "predictor.toml"), *words]


def _script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
