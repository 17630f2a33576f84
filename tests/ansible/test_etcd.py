"""The role etcd: its module against a real server, its configuration and its unit."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from failover.endpoint import EtcdError
from failover.etcd import Etcd
from failover.lease import Held, Lease, Noted, Released
from failover.lease_settings import LeaseSettings
from tests.ansible.playing import LOCAL, play
from tests.ansible.plugins import load
from tests.ansible.rendering import evaluate, render
from tests.certificates import make_tls
from tests.etcd import Member, frozen, running_etcd, settings_for

ROLE = Path(__file__).parents[2] / "roles" / "etcd"
PASSWORD = "only-for-tests-and-long"


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """The module, which Ansible copies to the host as a single file."""
    return load("etcd/library/etcd_site.py")


@pytest.fixture
def member(tmp_path: Path) -> Iterator[Member]:
    with running_etcd(tmp_path, tls=make_tls(tmp_path)) as (only,):
        yield only


@pytest.fixture
def wanted(member: Member) -> dict[str, Any]:
    """What the role asks of a server that is not set up."""
    assert member.tls is not None
    users = {
        "a": {"password": f"a-{PASSWORD}", "guests": ["web1", "web2"]},
        "b": {"password": f"b-{PASSWORD}", "guests": ["web1"]},
    }
    return {
        "url": member.url,
        "ca_file": str(member.tls.authority),
        "root_password": PASSWORD,
        "users": users,
        "start_limit_s": 20,
    }


def settings(member: Member, user: str, password: str) -> LeaseSettings:
    assert member.tls is not None
    file = member.folder / f"{user}.password"
    file.touch(mode=0o600)
    file.write_text(password)
    return settings_for([member], user=user, password_file=file, ca_file=member.tls.authority)


def may_write(member: Member, user: str, guest: str, password: str = "") -> bool:
    with Etcd(settings(member, user, password or f"{user}-{PASSWORD}")) as etcd:
        try:
            etcd.write(f"/hefery/guest/{guest}/", [], {"owner": ""})
        except EtcdError as error:
            if "permission denied" in str(error) or "authentication failed" in str(error):
                return False
            raise
        return True


def test_set_up_once_then_kept(module: ModuleType, member: Member, wanted: dict[str, Any]) -> None:
    rehearsal = module.Site(wanted, dry_run=True)
    rehearsal.settle()
    assert member.call("auth/user/list", {}).get("users", []) == []

    first = module.Site(wanted)
    assert first.settle() == settings_for([member]).cluster_id
    assert first.changes == rehearsal.changes
    assert first.changes[-1] == "authentication"
    for dry_run in (False, True):
        again = module.Site(wanted, dry_run=dry_run)
        again.settle()
        assert again.changes == []

    pairs = [("a", "web1"), ("a", "web2"), ("b", "web1"), ("b", "web2"), ("a", "web10"), ("a", "web")]
    assert [may_write(member, *pair) for pair in pairs] == [True, True, True, False, False, False]


def test_what_has_changed_is_corrected(module: ModuleType, member: Member, wanted: dict[str, Any]) -> None:
    module.Site(wanted).settle()
    moved = {
        **wanted,
        "users": {
            "a": {"password": f"new-{PASSWORD}", "guests": ["web2"]},
            "c": {"password": f"c-{PASSWORD}", "guests": ["web1"]},
        },
    }
    rehearsal, change = module.Site(moved, dry_run=True), module.Site(moved)
    rehearsal.settle()
    change.settle()

    assert change.changes == rehearsal.changes
    assert {"password of a", "right of a withdrawn", "user c", "user b removed", "role b removed"} <= set(
        change.changes
    )
    assert may_write(member, "a", "web2", f"new-{PASSWORD}")
    assert not may_write(member, "a", "web2", f"a-{PASSWORD}")
    assert not may_write(member, "a", "web1", f"new-{PASSWORD}")
    assert not may_write(member, "b", "web1")
    assert may_write(member, "c", "web1")


@pytest.mark.parametrize("users", [{"a": ["web2"], "b": ["web1"]}, {"b": ["web1"]}])
def test_who_holds_a_lease_keeps_the_right_to_it(
    module: ModuleType, member: Member, wanted: dict[str, Any], users: dict[str, list[str]]
) -> None:
    """Or a guest that was taken out of the inventory would stand still."""
    module.Site(wanted).settle()
    fewer = {
        **wanted,
        "users": {name: {"password": f"{name}-{PASSWORD}", "guests": guests} for name, guests in users.items()},
    }
    with guarding(member, "a") as (lease, held):
        refused = module.Site(fewer)
        with pytest.raises(module.Refused, match="web1 is declared for a no more, which holds its lease"):
            refused.settle()
        assert refused.changes == []
        assert may_write(member, "a", "web2")
        assert isinstance(lease.renew(held.epoch), Held)
        assert isinstance(lease.release(held.epoch), Released)
    module.Site(fewer).settle()
    assert not may_write(member, "a", "web1")


@contextmanager
def guarding(member: Member, host: str, ttl_s: float = 2.0) -> Iterator[tuple[Lease, Held]]:
    """The host holds the lease of web1, and renews it as its guard does."""
    end = threading.Event()
    with Etcd(settings(member, host, f"{host}-{PASSWORD}")) as etcd:
        lease = Lease(etcd, "web1", host, ttl_s)
        held = lease.acquire()
        assert isinstance(held, Held)

        def renew() -> None:
            with Etcd(settings(member, host, f"{host}-{PASSWORD}")) as own:
                again = Lease(own, "web1", host, ttl_s)
                while not end.wait(ttl_s / 4):
                    again.renew(held.epoch)

        thread = threading.Thread(target=renew)
        thread.start()
        try:
            yield lease, held
        finally:
            end.set()
            thread.join()


def test_a_lease_that_nobody_renews_is_not_held(module: ModuleType, member: Member, wanted: dict[str, Any]) -> None:
    """As a crash leaves it."""
    module.Site(wanted).settle()
    with Etcd(settings(member, "a", f"a-{PASSWORD}")) as etcd:
        lease = Lease(etcd, "web1", "a", 0.3)
        held = lease.acquire()
        assert isinstance(held, Held)
        assert isinstance(lease.note(held.epoch, "mark"), Noted)
    wanted["users"]["a"]["guests"] = ["web2"]
    module.Site(wanted).settle()
    assert not may_write(member, "a", "web1")


def test_a_backup_keeps_the_right_to_take_over(module: ModuleType, member: Member, wanted: dict[str, Any]) -> None:
    """It may be moved to another host once its replication has ended."""
    module.Site(wanted).settle()
    wanted["users"] |= {
        "b": {"password": f"b-{PASSWORD}", "guests": []},
        "c": {"password": f"c-{PASSWORD}", "guests": ["web1"]},
    }
    with guarding(member, "a") as (lease, held):
        assert isinstance(lease.note(held.epoch, "mark"), Noted)
        refused = module.Site(wanted)
        with pytest.raises(module.Refused, match="web1 is declared for b no more, which may have its backup"):
            refused.settle()
        assert refused.changes == []
        assert isinstance(lease.note(held.epoch, ""), Noted)
        module.Site(wanted).settle()
    assert not may_write(member, "b", "web1")
    assert may_write(member, "c", "web1")


def test_another_may_lose_the_right_to_a_lease_that_is_held(
    module: ModuleType, member: Member, wanted: dict[str, Any]
) -> None:
    module.Site(wanted).settle()
    wanted["users"]["a"]["guests"] = ["web2"]
    with guarding(member, "b"):
        module.Site(wanted).settle()
    assert not may_write(member, "a", "web1")


def test_a_set_up_that_broke_off_goes_on(module: ModuleType, member: Member, wanted: dict[str, Any]) -> None:
    member.call("auth/user/add", {"name": "root", "password": "another"})
    member.call("auth/role/add", {"name": "a"})
    member.call("auth/user/add", {"name": "b", "password": "another"})
    module.Site(wanted).settle()
    again = module.Site(wanted)
    again.settle()
    assert again.changes == []
    assert may_write(member, "a", "web1")
    assert may_write(member, "b", "web1")


def test_another_root_password_is_refused(module: ModuleType, wanted: dict[str, Any]) -> None:
    module.Site(wanted).settle()
    with pytest.raises(module.Refused, match="authentication failed"):
        module.Site({**wanted, "root_password": "another"}).settle()


def test_no_server_is_waited_for_and_foreseen(
    module: ModuleType, member: Member, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REQUEST_LIMIT_S", 0.1)
    with frozen(member), pytest.raises(module.Refused, match=r"timed out>?; is hefery-etcd"):
        module.Site({**wanted, "start_limit_s": 0.3}).settle()
    member.kill()
    with pytest.raises(module.Refused, match="Connection refused"):
        module.Site({**wanted, "start_limit_s": 0.3}).settle()
    rehearsal = module.Site(wanted, dry_run=True)
    assert (rehearsal.settle(), rehearsal.changes) == ("", ["authentication"])


GUESTS = [
    {"name": "web1", "primary": "a", "backup": "b"},
    {"name": "db", "primary": "b", "backup": "a"},
    {"name": "x", "primary": "b", "backup": "c"},
]


def test_hosts_may_hold_their_own_guests(tmp_path: Path) -> None:
    inputs = {"etcd_hosts": ["a", "b", "c", "d"], "etcd_guests": GUESTS, "etcd_secrets_path": str(tmp_path)}
    users = evaluate("__etcd_users", "etcd", **inputs)
    assert {name: user["guests"] for name, user in users.items()} == {
        "a": ["db", "web1"],
        "b": ["db", "web1", "x"],
        "c": ["x"],
        "d": [],
    }
    assert len({user["password"] for user in users.values()}) == 4
    assert users == evaluate("__etcd_users", "etcd", **inputs)


def test_a_dry_run_of_a_new_landscape_makes_no_secrets(tmp_path: Path) -> None:
    """By root's password the next run would take etcd for one that has lost its data."""
    tasks = [{"ansible.builtin.import_role": {"name": "etcd", "tasks_from": "users"}}]
    plays = [{"hosts": "lease", "gather_facts": False, "tasks": tasks}]
    secrets = tmp_path / "secrets"
    told = {"etcd_address": "127.0.0.1", "etcd_client_port": 1, "etcd_secrets_path": str(secrets)}
    told |= {"etcd_hosts": ["a", "b", "c"], "etcd_guests": GUESTS}
    ran = play(tmp_path, f"{LOCAL}[lease]\nf\n", plays, told, "--check")
    assert ran.returncode == 0, ran.stdout
    assert not secrets.exists()


@pytest.mark.parametrize(
    ("said", "is_refused"),
    [
        ([], False),
        (["running", "serves https://10.0.0.1:2379"], False),
        (["running", "serves https://10.0.0.1:2380"], True),
        (["running", "serves https://10.0.0.2:2379"], True),
        (["serves https://10.0.0.2:2379"], False),
    ],
)
def test_etcd_does_not_move_away_from_the_guards_that_ask_it(said: list[str], is_refused: bool) -> None:
    tasks = yaml.safe_load((ROLE / "tasks" / "preflight.yml").read_text())
    (condition,) = (item["good"] for task in tasks for item in task.get("loop", []) if "__etcd_served" in item["good"])
    told = {"etcd_address": "10.0.0.1", "etcd_client_port": 2379, "__etcd_probe": {"stdout_lines": said}}
    assert evaluate(condition.strip("{} "), "etcd", **told) is not is_refused


def test_what_etcd_serves_is_read_from_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "etcd.env").write_text(render("lab", "f", "etcd", "etcd.env.j2"))
    probe = yaml.safe_load((ROLE / "tasks" / "preflight.yml").read_text())[0]["ansible.builtin.shell"]
    (line,) = (line for line in probe.splitlines() if "serves" in line)
    shell = line.replace("{{ __etcd_folder }}", str(tmp_path))
    said = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout.split()
    assert said == ["serves", evaluate("__etcd_url", "etcd", etcd_address="10.77.0.13", etcd_client_port=2379)]


def environment(inventory: str, **more: Any) -> dict[str, str]:
    text = render(inventory, "f", "etcd", "etcd.env.j2", __etcd_folder="/etc/hefery-etcd", **more)
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def test_configuration() -> None:
    single = environment("lab")
    assert single["ETCD_INITIAL_CLUSTER"] == "f=https://10.77.0.13:2380"
    assert single["ETCD_LISTEN_CLIENT_URLS"] == single["ETCD_ADVERTISE_CLIENT_URLS"] == "https://10.77.0.13:2379"
    assert single["ETCD_INITIAL_CLUSTER_STATE"] == "existing"
    assert single["ETCD_PRE_VOTE"] == "true"
    assert single["ETCD_QUOTA_BACKEND_BYTES"] == str(1 << 30)
    assert not [key for key in single if not key.startswith("ETCD_")]


def test_an_etcd_that_lost_its_data_does_not_begin_anew(tmp_path: Path) -> None:
    with running_etcd(tmp_path) as (only,):
        pass
    again = [
        only.program,
        f"--name={only.name}",
        f"--data-dir={tmp_path / 'empty'}",
        "--initial-cluster-state=existing",
    ]
    again += [f"--listen-peer-urls={only.peer_url}", f"--initial-advertise-peer-urls={only.peer_url}"]
    again += [f"--initial-cluster={only.name}={only.peer_url}", f"--listen-client-urls={only.url}"]
    again += [f"--advertise-client-urls={only.url}", "--logger=zap"]
    done = subprocess.run(again, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "cannot fetch cluster info from peer urls" in done.stderr
    assert not (tmp_path / "empty" / "member" / "wal").exists()


def test_the_unit_is_sound(tmp_path: Path) -> None:
    text = render("lab", "f", "etcd", "hefery-etcd.service.j2", __etcd_folder="/etc/hefery-etcd")
    unit = tmp_path / "hefery-etcd.service"
    unit.write_text(text.replace("/usr/bin/etcd", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    assert unit.name not in subprocess.run(command, capture_output=True, text=True, check=True).stderr
    # a later file has the last word
    assert text.index("EnvironmentFile=/etc/") < text.index("EnvironmentFile=-/run/hefery-etcd-first.env")
    # without its data it starts only where it is told to
    assert "\nAssertPathExistsGlob=|/var/lib/hefery-etcd/member/wal/*.wal\n" in text
    assert "\nAssertPathExists=|/run/hefery-etcd-first.env\n" in text
