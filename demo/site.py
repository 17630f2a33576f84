"""A run folder with all that Hefery needs: in, its path; out, configuration files, and the settings they hold."""

import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import jinja2
import psutil

from agent.order import order_path
from agent.settings import AgentSettings
from predictor.settings import PredictorSettings
from telemetry.settings import load

DOMAIN: Final = "local"
PROTECTIVE_MS: Final = 25
CALM_MS: Final = 500
CONFIG_FILES: Final = ("agent.toml", "predictor.toml")

TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=jinja2.select_autoescape(["html.j2"], default=False),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Site:
    """This machine as the domain `local`: its files, all in one `folder`, and its settings."""

    folder: Path
    agent: AgentSettings
    predictor: PredictorSettings

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Write the configuration files and read them as agent and predictor do; raises OSError, ConfigError."""
        values = {
            "folder": folder.resolve(),
            "host": socket.gethostname(),
            "domain": DOMAIN,
            "interfaces": sorted(psutil.net_if_addrs()),
            "protective_ms": PROTECTIVE_MS,
            "calm_ms": CALM_MS,
        }
        for name in CONFIG_FILES:
            text = TEMPLATES.get_template(f"{name}.j2").render(values)
            (folder / name).write_text(text, encoding="utf-8")
        return cls(
            folder, load(folder / "agent.toml", AgentSettings), load(folder / "predictor.toml", PredictorSettings)
        )

    @cached_property
    def order_file(self) -> Path:
        """Where the pacer of the domain would look."""
        return order_path(self.agent.run_dir, DOMAIN)
