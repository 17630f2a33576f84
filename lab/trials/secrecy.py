"""Secrets that must not be told: in, a lab; out, its secrets, and which of them texts, processes and logs have.

They go by their names: neither a command line nor a fault has one itself.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from lab.landscape import HOSTS, Host
from lab.trials import peek
from lab.trials.children import feed
from lab.trials.site import Site

_ON_HOSTS: Final = {"m": "/etc/influxdb/tokens/*", "a": "/etc/hefery/heartbeat.key"}
"""What the playbooks made there; it is the same wherever else it is."""
_PUBLIC: Final = ".pem"
_PEEK: Final = "/run/hefery-peek.py"
_LIMIT_S: Final = 300
"""For an emulated host to read its journal."""


def known(site: Site) -> dict[str, str]:
    """The secrets by name, those that there are: the inventory's, and those made on hosts. Raises LabError."""
    found = kept(site.lab.state / "secrets")
    for name, files in _ON_HOSTS.items():
        # not Site.run, whose error would have what was printed
        lines = feed(site.lab, HOSTS[name], f"grep --no-messages --with-filename . {files} || true", "").splitlines()
        found |= {f"{name}:{path}": secret for path, _, secret in (line.partition(":") for line in lines)}
    return found


def kept(folder: Path) -> dict[str, str]:
    """The secrets of a folder by their files' names; a private key is known by its first line, the last are public."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != _PUBLIC]
    lines = {
        str(path.relative_to(folder)): [line for line in path.read_text().splitlines() if not line.startswith("-----")]
        for path in files
    }
    return {name: said[0] for name, said in lines.items() if said}


def told(text: str, secrets: Mapping[str, str]) -> list[str]:
    """The names of those that the text has."""
    return [name for name, secret in secrets.items() if secret in text]


def shown(site: Site, secrets: Mapping[str, str]) -> list[str]:
    """Where on the lab's hosts anybody may see one: HOST, its name, and where. Raises LabError."""

    def ask(host: Host) -> list[str]:
        feed(site.lab, host, f"cat >{_PEEK}", Path(peek.__file__).read_text())
        found = feed(site.lab, host, f"python3 {_PEEK} /var/log", json.dumps(dict(secrets)), _LIMIT_S)
        return [f"{host.name} shows {line}" for line in found.splitlines()]

    with ThreadPoolExecutor() as pool:
        return [line for lines in pool.map(ask, HOSTS.values()) for line in lines]
