"""Templates as Ansible renders them: in, inventory, host and role; out, the text."""

from functools import cache
from pathlib import Path
from typing import Any

from ansible.inventory.manager import InventoryManager  # type: ignore[import-untyped]  # Ansible ships no types
from ansible.parsing.dataloader import DataLoader  # type: ignore[import-untyped]  # as above
from ansible.plugins.loader import init_plugin_loader  # type: ignore[import-untyped]  # as above
from ansible.template import Templar  # type: ignore[import-untyped]  # as above
from ansible.vars.hostvars import HostVars  # type: ignore[import-untyped]  # as above
from ansible.vars.manager import VariableManager  # type: ignore[import-untyped]  # as above

ROOT = Path(__file__).parents[2]


def defaults(role: str) -> dict[str, Any]:
    """What a role's variables are where nobody says otherwise."""
    found: dict[str, Any] = DataLoader().load_from_file(str(ROOT / "roles" / role / "defaults" / "main.yml")) or {}
    return found


def evaluate(expression: str, role: str, **more: Any) -> Any:
    """An expression of the variables in `role`'s vars/main.yml and of `more`."""
    _load_plugins()
    loader = DataLoader()
    variables = loader.load_from_file(str(ROOT / "roles" / role / "vars" / "main.yml"))
    return Templar(loader, variables | more).template(f"{{{{ {expression} }}}}")


def inventoried(expression: str, inventory: str, host: str, **more: Any) -> Any:
    """An expression of the variables that an inventory gives a host, and of `more`."""
    return Templar(_loader(), _variables(inventory, host) | more).template(f"{{{{ {expression} }}}}")


def render(inventory: str, host: str, role: str, template: str, **more: Any) -> str:
    """A template of `role` for `host`, by the role's defaults, the inventory's variables, the role's own and `more`."""
    templar = _templar(inventory, host, role, more)
    folder = ROOT / "roles" / role / "templates"
    templar.environment.loader.searchpath = [str(folder)]
    text: str = templar.template((folder / template).read_text(encoding="utf-8"), preserve_trailing_newlines=True)
    return text


def told(value: Any, inventory: str, host: str, role: str, **more: Any) -> Any:
    """A value of a task of `role` on `host`, by the same variables as a template."""
    return _templar(inventory, host, role, more).template(value)


def _templar(inventory: str, host: str, role: str, more: dict[str, Any]) -> Any:
    loader = _loader()
    own = ROOT / "roles" / role / "vars" / "main.yml"
    inner = loader.load_from_file(str(own)) if own.exists() else {}
    return Templar(
        loader, defaults(role) | _variables(inventory, host) | inner | {"ansible_managed": "by a test"} | more
    )


def _variables(inventory: str, host: str) -> dict[str, Any]:
    """As the inventory gives them to the host."""
    loader = _loader()
    hosts = InventoryManager(loader, sources=[str(ROOT / "inventory" / inventory)])
    manager = VariableManager(loader, hosts)
    HostVars(hosts, manager, loader)  # makes itself known to the manager
    variables: dict[str, Any] = manager.get_vars(host=hosts.get_host(host))
    return variables


def _loader() -> DataLoader:
    _load_plugins()
    loader = DataLoader()
    loader.set_basedir(str(ROOT))
    return loader


@cache
def _load_plugins() -> None:
    init_plugin_loader()
