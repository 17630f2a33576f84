"""docs/production.md: it names what a person has to edit, and nothing that there is not."""

import re
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

ROOT = Path(__file__).parents[2]
INVENTORY = ROOT / "inventory" / "production"
PAGE = (ROOT / "docs" / "production.md").read_text()
EXAMPLE = "192.0.2."
"""How addresses begin that are nobody's (RFC 5737)."""


def described() -> set[str]:
    """All inputs of all roles, and those of a guest."""
    found: set[str] = set()
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text())["argument_specs"].values():
            for name, option in entry["options"].items():
                found |= {name, *option.get("options", {})}
    return found


def test_every_file_with_an_address_that_is_nobodys_is_to_be_edited() -> None:
    edited = [path for path in INVENTORY.rglob("*.yml") if EXAMPLE in path.read_text()]
    assert len(edited) > 1
    assert all(f"`{path.relative_to(INVENTORY)}`" in PAGE for path in edited)


def test_every_secret_is_to_be_made() -> None:
    wanted = {name for path in INVENTORY.rglob("*.yml") for name in re.findall(r"\bvault_\w+", path.read_text())}
    assert wanted == set(re.findall(r"^    (vault_\w+): ", PAGE, re.MULTILINE))


def test_what_a_guest_must_have_is_to_be_said() -> None:
    (guest,) = yaml.safe_load((INVENTORY / "group_vars" / "all.yml").read_text())["hefery_guests"]
    to_be_said = {name for name in guest if name not in {"type", "primary", "backup"}}
    assert all(f"`{name}`" in PAGE for name in to_be_said)


def test_every_variable_is_one() -> None:
    roles = "|".join(path.name for path in (ROOT / "roles").iterdir())
    named = set(re.findall(rf"`((?:{roles})_\w+)[`:]", PAGE))
    assert named
    assert named <= described()


def test_every_playbook_is_one() -> None:
    named = set(re.findall(r"playbooks/(\w[\w-]*\.yml)", PAGE))
    assert named <= {path.name for path in (ROOT / "playbooks").iterdir()}
