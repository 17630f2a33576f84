"""The fence's configuration: in, a JSON file; out, a checked Settings."""

import ipaddress
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PLAIN_PATH: Final = re.compile(r"/[A-Za-z0-9._/-]+")
"""Without what exports(5) and mountinfo would have to quote."""


class BadSettings(Exception):
    """The configuration cannot be used; says why, and where."""


class Settings(NamedTuple):
    """Paths are absolute and plain. No dataclass, whose import would be a fifth of a call's time."""

    hosts: Mapping[str, str]
    """A Xen host's name and the address that it mounts from."""
    guests: tuple[str, ...]
    images_path: Path
    """One folder for each guest, exported by nobody else."""
    views_path: Path
    """One mount of a guest's folder for each host: the only thing that this host may mount."""
    state_path: Path
    exports_path: Path
    etab_path: Path
    nfsd_path: Path
    limit_s: float
    """How long to wait for another call, and for the losers' writes."""

    def view(self, host: str, guest: str) -> Path:
        """Where `host` sees the disk of `guest`."""
        return self.views_path / host / guest


def load(path: Path) -> Settings:
    """Raises BadSettings."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return _checked(values)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BadSettings(f"{path}: {error}") from error


def _checked(values: Any) -> Settings:
    known = set(Settings._fields)
    if wrong := sorted(set(values) ^ known):
        raise ValueError(f"unknown or missing: {', '.join(wrong)}")
    hosts = {_name(host): str(ipaddress.ip_address(address)) for host, address in values["hosts"].items()}
    if len(set(hosts.values())) != len(hosts):
        raise ValueError("hosts: two have the same address, so the server cannot tell them apart")
    paths = {name: _path(name, values[name]) for name in known if name.endswith("_path")}
    images, views = paths["images_path"], paths["views_path"]
    if images.is_relative_to(views) or views.is_relative_to(images):
        raise ValueError("images_path and views_path: neither may be inside the other")
    limit_s = float(values["limit_s"])
    if not 0 < limit_s <= 3600:
        raise ValueError("limit_s: not between 0 and 3600")
    return Settings(hosts=hosts, guests=tuple(map(_name, values["guests"])), limit_s=limit_s, **paths)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name: letters, digits, '.', '_' and '-' are allowed")
    return text


def _path(name: str, text: str) -> Path:
    if not _PLAIN_PATH.fullmatch(text):
        raise ValueError(f"{name}: {text!r} is not an absolute path of letters, digits, '.', '_' and '-'")
    return Path(text)
