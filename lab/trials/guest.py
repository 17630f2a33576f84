"""The guest under trial: in, the lab's inventory; out, what trials need to know of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from lab.landscape import HOSTS, ROOT, Host

_INVENTORY: Final = ROOT / "inventory" / "lab" / "group_vars" / "all.yml"


@dataclass(frozen=True)
class Guest:
    """The first guest that the inventory declares."""

    name: str
    address: str
    mac: str
    primary: Host
    backup: Host

    @classmethod
    def declared(cls, inventory: Path = _INVENTORY) -> Self:
        """Read the inventory. Raises OSError, or KeyError where it declares no guest in full."""
        said = yaml.safe_load(inventory.read_text(encoding="utf-8"))["hefery_guests"][0]
        return cls(said["name"], said["address"], said["mac"], HOSTS[said["primary"]], HOSTS[said["backup"]])

    @property
    def directory(self) -> str:
        """Where the order and the report socket of its pacer are."""
        return f"/run/hefery/{self.name}"

    @property
    def unit(self) -> str:
        """The unit that replicates it."""
        return f"remus@{self.name}.service"
