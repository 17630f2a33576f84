"""requirements.yml: the collections that the roles use, in versions that this project is tried with."""

import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
MODULE = re.compile(r"^ *(?:- )?([a-z]+\.[a-z_]+)\.[a-z0-9_]+:(?: |$)", re.MULTILINE)


def required() -> dict[str, str]:
    said: list[dict[str, str]] = yaml.safe_load((ROOT / "requirements.yml").read_text())["collections"]
    return {one["name"]: one["version"] for one in said}


def test_the_collections_that_are_used_are_required() -> None:
    texts = [path.read_text() for folder in ("roles", "playbooks") for path in (ROOT / folder).rglob("*.yml")]
    used = {name for text in texts for name in MODULE.findall(text)}
    assert used - {"ansible.builtin"} == set(required())


def test_those_of_the_lock_file_will_do() -> None:
    for name, versions in required().items():
        # not by importlib.resources: Ansible's own importer, once another test has loaded it, does not know of files
        manifest = distribution("ansible").locate_file(f"ansible_collections/{name.replace('.', '/')}/MANIFEST.json")
        held: Any = yaml.safe_load(Path(str(manifest)).read_text())
        assert SpecifierSet(versions).contains(held["collection_info"]["version"])
