"""What roles put on a host and what they take away again: in, their task files; out, paths, users and keys."""

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from tests.ansible.plugins import ROLES
from tests.ansible.rendering import ROOT, told

Task = dict[str, Any]

INVENTORY = "production"
WRITERS = {
    "ansible.builtin.copy": "dest",
    "ansible.builtin.file": "path",
    "ansible.builtin.get_url": "dest",
    "ansible.builtin.known_hosts": "path",
    "ansible.builtin.template": "dest",
    "ansible.posix.mount": "path",
    "community.crypto.openssh_keypair": "path",
}
"""Modules that write a file, and which argument names it."""
SHELLS = {"ansible.builtin.command", "ansible.builtin.raw", "ansible.builtin.shell"}
FLOW = ("assert", "debug", "fail", "import_role", "import_tasks", "include_role", "include_tasks", "meta", "set_fact")
ASKING = ("apt", "async_status", "find", "pause", "reboot", "slurp", "stat", "uri")
HARMLESS = {f"ansible.builtin.{name}" for name in (*FLOW, *ASKING)} | {
    "ansible.builtin.unarchive"  # of a backup, which has what was there
}
"""Modules that leave no file of Hefery's; a package is Debian's or a vendor's, and stays."""
DIRECTORIES = {"State": "/var/lib", "Runtime": "/run", "Cache": "/var/cache", "Logs": "/var/log"}
"""Where systemd makes directories for a unit (systemd.exec(5))."""
ONLY_A_RUN_KNOWS: Mapping[str, Any] = {
    "__influxdb_backup": "20260101T000000Z",
    "__act_phase": {"name": "fixed"},
    "__vendor_checksum": "0" * 64,
    "__guest_there": {"stdout_lines": []},
    "__fence_mounted": {"stdout_lines": []},
}


@dataclass
class Footprint:
    """What a role leaves on a host; `keys` are the options of its lines in authorized_keys."""

    paths: set[str] = field(default_factory=set)
    delegated: set[str] = field(default_factory=set)
    """Paths on the other host that a task is delegated to."""
    users: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)


@dataclass
class Removal:
    """What a role takes away: patterns of paths, folders where they are empty, and what stays, with its reason."""

    paths: set[str] = field(default_factory=set)
    data: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    stays: dict[str, str] = field(default_factory=dict)

    def add(self, other: "Removal") -> None:
        """Take away what the other does, too."""
        for name in vars(self):
            getattr(self, name).update(getattr(other, name))

    def knows(self, path: str) -> bool:
        """Whether it, or a folder that it is in, goes, or stays with a reason."""
        known = self.paths | self.data | set(self.stays)
        return path in self.folders or any(
            fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, f"{pattern}/*") for pattern in known
        )


def changing_shells(role: str) -> set[str]:
    """The names of tasks that may change a host by a shell."""
    found = (task for path in _installing(role) for task in _tasks(path) if SHELLS & set(task))
    return {task["name"] for task in found if task.get("changed_when") is not False}


def footprint(role: str, host: str, **more: Any) -> Footprint:
    """What the role's tasks leave on the host, and what systemd makes for its units; not what a shell writes."""
    left = Footprint()
    for task in (task for path in _installing(role) for task in _tasks(path)):
        if task.get("delegate_to") != "localhost":
            _add(left, task, role, host, more)
    for template in (ROLES / role / "templates").glob("*.j2"):
        found = re.findall(r"^(\w+)Directory=(\S+)$", template.read_text(), re.MULTILINE)
        left.paths |= {f"{DIRECTORIES[kind]}/{name}" for kind, name in found if kind in DIRECTORIES}
    return left


def removal(role: str, host: str, entry: str = "remove", **more: Any) -> Removal:
    """What the role's entry point takes away from the host, with those that it imports."""
    gone = Removal()
    for task in _tasks(ROLES / role / "tasks" / f"{entry}.yml"):
        given = task.get("vars", {})
        imported = task.get("ansible.builtin.import_role", {})
        if "ansible.builtin.import_tasks" in task:
            gone.add(removal(role, host, Path(task["ansible.builtin.import_tasks"]).stem, **more))
        elif imported.get("name") == "remove":
            gone.add(_removed(given, role, host, more))
        elif imported:
            gone.add(removal(imported["name"], host, imported["tasks_from"], **more, **given))
        elif line := task.get("ansible.builtin.lineinfile"):
            gone.keys.add(line["search_string"])
    return gone


def _removed(given: Mapping[str, Any], role: str, host: str, more: Mapping[str, Any]) -> Removal:
    values = {name: _value(value, role, host, more) for name, value in given.items()}
    units = {f"/etc/systemd/system/{unit.replace('@.', '@*.')}" for unit in values.get("remove_units", [])}
    return Removal(
        paths=units | set(values.get("remove_paths", [])),
        data=set(values.get("remove_data_paths", [])),
        folders=set(values.get("remove_folders", [])),
        users=set(values.get("remove_users", [])),
        stays={one["name"]: one["why"] for one in values.get("remove_stays", [])},
    )


def _add(left: Footprint, task: Task, role: str, host: str, more: Mapping[str, Any]) -> None:
    module = next((name for name in task if "." in name), "")
    arguments = task.get(module, {})
    if module == "ansible.posix.authorized_key":
        left.keys.add(arguments["key_options"])
    elif module == "ansible.builtin.user":
        left.users.add(arguments["name"])
    elif module == "ansible.builtin.systemd_service":
        left.paths |= {f"/etc/systemd/system/{arguments['name']}"} if arguments.get("masked") is True else set()
    elif module in WRITERS and arguments.get("state") != "absent":
        for values in _items(task, role, host, more):
            paths = left.delegated if "delegate_to" in task else left.paths
            path = _path(arguments, WRITERS[module], role, host, values)
            paths |= {path, f"{path}.pub"} if module.endswith("keypair") else {path}
    elif module and module not in SHELLS | HARMLESS | set(WRITERS):
        raise AssertionError(f"{task['name']}: say in {Path(__file__).name} what {module} leaves on a host")


def _path(arguments: Task, name: str, role: str, host: str, values: Mapping[str, Any]) -> str:
    """The file that a module writes; to a folder it copies a file of its own name."""
    path = str(_value(arguments[name], role, host, values))
    return path + Path(_value(arguments["src"], role, host, values)).name if path.endswith("/") else path


def _items(task: Task, role: str, host: str, more: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The variables for each turn of a task's loop."""
    name = task.get("loop_control", {}).get("loop_var", "item")
    for item in _value(task.get("loop", [None]), role, host, more):
        values = {**more, name: item}
        # of the vendor's tasks, which one installs what depends on the file
        asked = str(task.get("when", ""))
        if "__vendor_is_archive" not in asked or _value(f"{{{{ {asked} }}}}", role, host, values):
            yield values


def _value(value: Any, role: str, host: str, more: Mapping[str, Any]) -> Any:
    context = {"role_path": str(ROLES / role), "playbook_dir": str(ROOT / "playbooks"), **ONLY_A_RUN_KNOWS}
    return told(value, INVENTORY, host, role, **{**context, **more})


def _installing(role: str) -> list[Path]:
    files = [*(ROLES / role / "tasks").glob("*.yml"), *(ROLES / role / "handlers").glob("*.yml")]
    return [path for path in files if not path.name.startswith("remove") and path.name != "unguard.yml"]


def _tasks(path: Path) -> Iterator[Task]:
    yield from _flat(yaml.safe_load(path.read_text()) or [], {})


def _flat(found: Sequence[Task], handed: Task) -> Iterator[Task]:
    """Those of blocks, too, which hand down where they run."""
    for task in found:
        inner = {**handed, **{name: task[name] for name in ("delegate_to",) if name in task}}
        for part in ("block", "rescue", "always"):
            yield from _flat(task.get(part, []), inner)
        if "block" not in task:
            yield {**inner, **task}
