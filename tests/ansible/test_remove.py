"""playbooks/remove.yml: nothing that a role puts on a host is forgotten, and nothing else is taken away."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from agent.settings import SpoolSettings
from tests.ansible.acts import GUEST, host, living, replicating
from tests.ansible.footprint import Removal, changing_shells, footprint, removal
from tests.ansible.playing import LOCAL, own_plays, play
from tests.ansible.plugins import ROLES, load
from tests.ansible.rendering import ROOT

HOSTS = {"xen": "a", "nfs": "f", "lease": "f", "clients": "c", "monitoring": "m"}
"""Each group's host in the inventories."""
LANDSCAPE = f"{LOCAL}[xen]\na\nb\n[nfs]\nf\n[lease]\nf\n[clients]\nc\n[monitoring]\nm\n"
VENDORED = {
    "influxdb": {"influxdb": "build/influxd"},
    "grafana": {"grafana": "grafana.tar.gz"},
    "jmeter": {"jmeter": "jmeter.tar.gz", "java": "java.tar.gz"},
}
"""What roles install by the role vendor, and of which file."""
BY_SHELL: dict[str, dict[str, list[str]]] = {
    "guest": {
        "Give up the disks that were attached without a fence": [],
        "Attach the disks": [],  # the unit does, and its stop undoes it
        "Start the guest": [],
    },
    "influxdb": {
        "Copy the store and all else": ["/var/backups/hefery"],
        "Put the backup in force, and remove those that are too old": ["/var/backups/hefery"],
        "Lay the store aside and unpack the backup": ["/var/lib/influxdb", "/var/lib/influxdb.before"],
        "Put back what was there before": ["/var/lib/influxdb"],
    },
    "agent": {"See whether the agent is configured and runs": [], "Restart the agent": []},
    "jmeter": {"Start the load": ["/var/lib/hefery-load/run.jtl"]},
    "python_app": {
        "Install Hefery": ["/opt/hefery/venv/application", "/usr/local/bin/hefery-agent", "/etc/hefery"],
        "Make the virtual environment": ["/opt/hefery/venv", "/var/tmp/hefery-wheels.tar"],
        "Reload the units": [],
    },
    "remus": {
        "See whether replication is configured and runs": [],
        "End the guards of guests that are gone": [],
        "Restart the heartbeat": ["/run/hefery/heartbeat.old"],
        "Restart the guards": ["/run/hefery/guards.old"],
        "Restart the socket": [],
    },
    "vendor": {"Unpack the program": ["/opt/hefery/influxdb-2.9.1-00000000/.complete"]},
    "xen_host": {"Write GRUB's menu": []},  # which is GRUB's own
}
"""What the tasks of a shell write that may change a host; where a test names a new one, it belongs here."""


def roles_of(playbook: str) -> dict[str, list[tuple[str, str]]]:
    """By group, the roles that a playbook applies, and their entry points."""
    found: dict[str, list[tuple[str, str]]] = {}
    for each in own_plays(playbook):
        roles = [(role["role"], "main") for role in each.get("roles", [])]
        imported = [task.get("ansible.builtin.import_role", {}) for task in each.get("tasks", [])]
        roles += [(role["name"], role.get("tasks_from", "main")) for role in imported if role]
        found.setdefault(each["hosts"], []).extend(roles)
    return found


def installed() -> list[tuple[str, str]]:
    """Each group, and each role that playbooks put on its hosts."""
    site = yaml.safe_load((ROOT / "site.yml").read_text())
    playbooks = [Path(one["ansible.builtin.import_playbook"]).name for one in site]
    found = {
        (group, role)
        for playbook in playbooks
        for group, roles in roles_of(playbook).items()
        for role, entry in roles
        if entry == "main" and role != "act"
    }
    return sorted(found)


def taken(group: str) -> Removal:
    """What playbooks/remove.yml takes away from a host of the group."""
    gone = Removal()
    for role, entry in roles_of("remove.yml")[group]:
        gone.add(removal(role, HOSTS[group], entry))
    return gone


@pytest.mark.parametrize(("group", "role"), installed())
def test_nothing_is_forgotten(group: str, role: str) -> None:
    left, gone = footprint(role, HOSTS[group]), taken(group)
    assert left.paths | left.users
    for vendored, file in VENDORED.get(role, {}).items():
        given = {"vendor_name": vendored, "vendor_version": "1", "vendor_file_path": file}
        left.paths |= footprint("vendor", HOSTS[group], **given).paths
    left.paths |= {path for paths in BY_SHELL.get(role, {}).values() for path in paths}
    assert sorted(path for path in left.paths if not gone.knows(path)) == []
    assert left.delegated <= taken("nfs").data
    assert left.users <= gone.users
    assert all(any(beginning in key for beginning in gone.keys) for key in left.keys)


@pytest.mark.parametrize("role", sorted({role for _, role in installed()} | {"vendor"}))
def test_what_a_shell_writes_is_known(role: str) -> None:
    assert changing_shells(role) == set(BY_SHELL.get(role, {}))


@pytest.mark.parametrize("group", ["xen", "clients", "monitoring"])
def test_an_agent_s_spool_is_data(group: str) -> None:
    assert f"{SpoolSettings().path}*" in taken(group).data


def test_every_package_that_stays_is_named() -> None:
    for group, role in installed():
        if any("ansible.builtin.apt:" in path.read_text() for path in (ROLES / role / "tasks").glob("*.yml")):
            assert any(name.startswith("package") for name in taken(group).stays), role


def take_away(folder: Path, *words: str, **variables: Any) -> str:
    """What Ansible prints where the role `remove` takes a small program away from below `folder`."""
    for name, text in {"systemctl": f'echo "$@" >>{folder}/did', "userdel": f"rm {folder}/users/$1"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    (folder / "getent").write_text(f"#!/bin/sh\n[ -e {folder}/users/$2 ]\n")
    (folder / "getent").chmod(0o755)
    given = {
        "__remove_units_path": f"{folder}/units",
        "remove_units": ["tidy.service", "tidy@.service"],
        "remove_paths": [f"{folder}/etc/tidy.*", f"{folder}/etc/two words"],
        "remove_data_paths": [f"{folder}/var/tidy"],
        "remove_folders": [f"{folder}/etc", f"{folder}/var"],
        "remove_users": ["tidy"],
        "remove_stays": [{"name": f"{folder}/boot", "why": "boots the host", "by_hand": "rm it"}],
        **variables,
    }
    import_role = [
        {"ansible.builtin.import_role": {"name": "remove", "tasks_from": entry}} for entry in ("main", "report")
    ]
    plays = [{"hosts": "all", "gather_facts": False, "tasks": import_role}]
    ran = play(folder, f"{LOCAL}[all]\nx\n", plays, given, *words)
    assert ran.returncode == variables.get("code", 0), ran.stdout + ran.stderr
    return ran.stdout


def lay_out(folder: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """What is to go, what is data, and what is none of it."""
    gone = [
        "units/tidy.service",
        "units/tidy@.service",
        "units/tidy.service.d/mine.conf",
        "etc/two words",
        "etc/tidy.key",
    ]
    gone += ["units/multi-user.target.wants/tidy@one.service", "units/other.service.requires/tidy.service"]
    kept = ["units/tidyx.service", "units/multi-user.target.wants/other.service", "etc/tidy", "boot", "two", "words"]
    made = [[folder / name for name in names] for names in (gone, ["var/tidy/file", "users/tidy"], kept)]
    for path in (path for paths in made for path in paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return made[0], made[1], made[2]


def test_what_a_role_has_put_there_goes_and_nothing_else(tmp_path: Path) -> None:
    gone, data, kept = lay_out(tmp_path)
    rehearsed = " ".join(take_away(tmp_path, "--check").split())  # YAML breaks long lines at blanks
    assert "changed=1" in rehearsed
    assert f"{tmp_path}/etc/two words" in rehearsed
    assert all(path.exists() for path in (*gone, *data, *kept))

    told = " ".join(take_away(tmp_path).split())
    assert [path for path in gone if path.exists()] == []
    assert [path for path in (*data, *kept) if not path.exists()] == []
    assert f"{tmp_path}/var/tidy is data: with -e remove_data=true it goes, too" in told
    assert f"{tmp_path}/boot boots the host: rm it" in told
    did = (tmp_path / "did").read_text().splitlines()
    assert did[:2] == ["stop tidy.service tidy@*.service", "daemon-reload"]
    assert "changed=0" in take_away(tmp_path)


def test_data_goes_where_that_is_said_and_its_owner_with_it(tmp_path: Path) -> None:
    _, data, kept = lay_out(tmp_path)
    take_away(tmp_path, remove_data=True)
    assert [path for path in data if path.exists()] == []
    assert not (tmp_path / "var").exists()
    assert [path for path in kept if not path.exists()] == []
    assert "changed=0" in take_away(tmp_path, remove_data=True)


@pytest.mark.parametrize("path", ["/srv", "/", "srv/hefery", "/srv/hefery/", "/srv/../etc", "/srv/hefery/.."])
def test_a_path_that_is_not_hefery_s_alone_is_not_removed(path: str, tmp_path: Path) -> None:
    gone, _, _ = lay_out(tmp_path)
    take_away(tmp_path, remove_data_paths=[path], code=2)
    assert all(one.exists() for one in gone)


PRESENCE = load("act/filter_plugins/act_presence.py")


def refused(look: dict[str, Any] | None, *given: str, guests: tuple[str, ...] = ("web1",)) -> str:
    known = {"stdout_lines": list(given)} if look is not None else {"unreachable": True}
    answer = {"__act_asked_host": "a"} | ({"look": look} if look is not None else {})
    reasons = PRESENCE.act_presence({"results": [known]}, {"results": [answer]}, [{"name": name} for name in guests])
    return " ".join(reasons)


def test_a_guest_that_lives_or_is_replicated_is_in_the_way() -> None:
    stop = "ansible-playbook playbooks/stop-replication.yml -e guest=web1"
    assert refused(host()) == ""
    assert refused(living()) == "web1 lives on a: `xl shutdown -w web1` there"
    assert refused(replicating()) == f"web1 lives on a: {stop}, then `xl shutdown -w web1` there"
    assert refused(host(incoming=["web1"])) == f"a has a copy of web1: {stop}"
    assert refused(host(units={"web1": "deactivating"})) == f"a still replicates web1: {stop}"
    assert refused(replicating(), guests=()).startswith("web1 lives on a: declare web1 again, then ")


def test_a_host_that_does_not_tell_is_in_the_way() -> None:
    assert refused(None).startswith("a did not answer")
    assert refused(host(xen=False)).startswith("`xl list` fails on a")
    assert refused(host(xen=False), "without xen") == ""


def test_guests_are_asked_for_that_are_declared_no_more() -> None:
    given = {
        "results": [{"stdout_lines": ["/etc/xen/old.cfg"]}, {"unreachable": True}, {"stdout_lines": ["without xen"]}]
    }
    assert PRESENCE.act_names(given, [GUEST]) == ["old", "web1"]


@pytest.mark.parametrize(("limit", "asked"), [("b", "b"), ("a,b,c,m", "ab"), ("f", "ab"), ("c,m", ""), ("all", "ab")])
def test_all_are_asked_before_a_server_goes(limit: str, asked: str, tmp_path: Path) -> None:
    """The Xen hosts cannot be reached here, and the refusal names who was asked."""
    hosts = f"{LANDSCAPE}[xen:vars]\nansible_connection=ssh\nansible_host=127.0.0.1\nansible_port=1\n"
    ran = play(tmp_path, hosts, own_plays("remove.yml")[:1], {"act_guests": [GUEST]}, "--limit", limit)
    said = set(re.findall(r"(\w) did not answer", " ".join(ran.stdout.split())))
    assert said == set(asked), ran.stdout
    assert (ran.returncode == 0) is (not asked)


def test_a_server_stays_while_a_guest_lives(tmp_path: Path) -> None:
    """Both Xen hosts are this machine, on which a stand-in of `xl` tells of a guest."""
    for name, text in {"cat": "echo xen", "xl": "printf 'Name\\nweb1 3 128 1 -b---- 7.0\\n'"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    ran = play(tmp_path, LANDSCAPE, own_plays("remove.yml")[:1], {"act_guests": [GUEST]}, "--limit", "f")
    said = " ".join(ran.stdout.split())
    assert ran.returncode == 2
    assert all(f"web1 lives on {host}: `xl shutdown -w web1` there" in said for host in "ab")
