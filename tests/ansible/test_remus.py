"""The role remus: what it writes is what hefery-remus reads, and the units hold what a takeover depends on."""

import configparser
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from failover.config import load
from failover.settings import RemusSettings
from tests.ansible.footprint import removal
from tests.ansible.plugins import ROLES
from tests.ansible.rendering import evaluate, render

CLUSTER = {"remus_lease_cluster_id": "cdf818194e3a8c32"}
"""What a running etcd tells: without it there is no [lease] to read."""


def settings(tmp_path: Path, inventory: str, host: str, **more: Any) -> RemusSettings:
    path = tmp_path / f"{host}.toml"
    path.write_text(render(inventory, host, "remus", "remus.toml.j2", **CLUSTER, **more))
    return load(path)


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_hosts_of_a_pair_know_each_other(inventory: str, tmp_path: Path) -> None:
    a, b = settings(tmp_path, inventory, "a"), settings(tmp_path, inventory, "b")

    assert a.domains == b.domains
    for here, there in ((a, b), (b, a)):
        assert [domain.name for domain in here.domains] == ["web1"]
        peer = here.peer_of(here.domains[0])
        assert (peer.name, peer.address) == (there.host.name, there.receiver.address)


def test_every_variable_arrives(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        "production",
        "a",
        remus_host="xen-a",
        remus_domains=[{"name": "db", "primary": "a", "backup": "b"}],
        remus_transport="ssh",
        remus_heartbeat_port=1,
        remus_heartbeat_period_s=0.2,
        remus_heartbeat_timeout_s=2,
        remus_receiver_port=3,
        remus_receiver_stall_timeout_s=9,
    )

    assert found.host.name == "xen-a"
    assert (found.heartbeat.port, found.heartbeat.period_s, found.heartbeat.timeout_s) == (1, 0.2, 2.0)
    assert (found.receiver.port, found.receiver.stall_timeout_s) == (3, 9.0)
    (domain,) = found.domains
    assert (domain.name, domain.peers, domain.transport) == ("db", ("xen-a", "b"), "ssh")
    assert domain.ssh_key == Path("/etc/hefery/replication.key")


def test_a_guest_of_other_hosts_is_left_out(tmp_path: Path) -> None:
    elsewhere = [{"name": "db", "primary": "b", "backup": "x"}]
    assert settings(tmp_path, "lab", "a", remus_domains=elsewhere).domains == ()


def unit(name: str, **more: Any) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, comment_prefixes=("#",), inline_comment_prefixes=None)
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # units are case-sensitive
    parser.read_string(render("lab", "a", "remus", f"{name}.j2", **more))
    return parser["Service" if name.endswith(".service") else "Socket"]


def test_no_end_of_a_receiver_is_a_takeover() -> None:
    service = unit("hefery-receiver@.service")
    assert (service["KillMode"], service["KillSignal"]) == ("process", "SIGKILL")
    assert service["StandardInput"] == "socket"
    assert service["StandardOutput"] == service["StandardError"] == "journal"
    assert service["ExecStopPost"].endswith("hefery-remus clean")


@pytest.mark.parametrize("name", ["remus@.service", "hefery-receiver@.service"])
def test_nothing_begins_again_by_itself(name: str) -> None:
    assert unit(name)["Restart"] == "no"
    assert "Install" not in render("lab", "a", "remus", f"{name}.j2")


def test_a_stop_lets_the_peer_give_up_first_and_does_not_kill_xl() -> None:
    service = unit("remus@.service")
    assert service["ExecStop"] == "/usr/local/bin/hefery-remus release --domain %i"
    assert service["ExecStopPost"] == "/usr/local/bin/hefery-remus settle --domain %i"
    assert service["KillSignal"] == "SIGCONT"


def test_memory_goes_over_tcp_only_where_that_is_said() -> None:
    assert "7760" not in render("production", "a", "remus", "hefery-receiver.socket.j2")
    assert "ListenStream=10.77.0.11:7760\n" in render("lab", "a", "remus", "hefery-receiver.socket.j2")


@pytest.mark.parametrize(
    ("active", "restarted"),
    [
        ("hefery-heartbeat.service", True),
        ("hefery-heartbeat.service remus@web1.service", False),
        ("hefery-heartbeat.service hefery-receiver@1.service", False),
        ("remus@web1.service", True),  # a heartbeat that is down anyway
        ("", True),
    ],
)
def test_heartbeat_is_not_restarted_under_a_replicated_guest(active: str, restarted: bool, tmp_path: Path) -> None:
    """A peer that hears nothing for a second takes over; a restart on a busy host took six."""
    (tmp_path / "hefery-heartbeat.service").touch()
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        f"""#!/bin/bash
[ "$1" = is-active ] || {{ echo "$1" >>{tmp_path}/did; exit; }}
for pattern in "${{@:3}}"; do for unit in {active}; do [[ $unit == $pattern ]] && exit 0; done; done
exit 3
"""
    )
    systemctl.chmod(0o755)
    handlers = yaml.safe_load((ROLES / "remus" / "handlers" / "main.yml").read_text())
    script = handlers[0]["ansible.builtin.raw"]
    beats = evaluate("__remus_beats_for_guests", "remus", remus_pacer_path="", remus_peers=[], inventory_hostname="a")
    script = script.replace("{{ __remus_beats_for_guests }}", beats)
    for folder in ("/etc/systemd/system", "/run/hefery"):
        script = script.replace(folder, str(tmp_path))
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", script], env=environment, check=True)
    assert ("restart" in (tmp_path / "did").read_text().split()) is restarted
    assert (tmp_path / "heartbeat.old").exists() is not restarted


SERVE = ["ssh", "-F", "/etc/hefery/fence.ssh", "-o", "ControlMaster=yes", "fence", "serve"]


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_lease_and_fence_are_those_of_the_inventory(inventory: str, tmp_path: Path) -> None:
    found = settings(tmp_path, inventory, "b")
    f = {"lab": "10.77.0.13", "production": "192.0.2.13"}[inventory]
    assert found.lease is not None
    assert found.fence is not None
    assert (found.lease.endpoints, found.lease.cluster_id, found.lease.user) == (
        (f"https://{f}:2379",),
        "cdf818194e3a8c32",
        "b",
    )
    assert found.fence.command == ("ssh", "-F", "/etc/hefery/fence.ssh", "fence")


@pytest.mark.parametrize(
    ("lease", "cluster", "is_dry", "is_refused"),
    [
        (True, "cdf8", False, False),
        (True, "", False, True),
        (True, "", True, False),
        (False, "", False, False),
    ],
)
def test_a_cluster_that_was_not_asked_is_named_before_anything_is_changed(
    lease: bool, cluster: str, is_dry: bool, is_refused: bool
) -> None:
    tasks = yaml.safe_load((ROLES / "remus" / "tasks" / "preflight.yml").read_text())
    (condition,) = (task["ansible.builtin.assert"]["that"] for task in tasks if task["name"].endswith("were not asked"))
    told = {"remus_lease": lease, "remus_lease_cluster_id": cluster, "ansible_check_mode": is_dry}
    assert evaluate(condition, "remus", **told) is not is_refused


@pytest.mark.parametrize(("lease", "name", "is_refused"), [(True, "a", False), (True, "x", True), (False, "x", False)])
def test_with_a_lease_a_host_has_the_name_that_the_fence_knows(lease: bool, name: str, is_refused: bool) -> None:
    tasks = yaml.safe_load((ROLES / "remus" / "tasks" / "preflight.yml").read_text())
    (condition,) = (task["ansible.builtin.assert"]["that"] for task in tasks if "Refuse a name" in task["name"])
    told = {"remus_lease": lease, "remus_host": name, "inventory_hostname": "a"}
    assert evaluate(condition, "remus", **told) is not is_refused


def test_without_a_lease_there_is_none(tmp_path: Path) -> None:
    found = settings(tmp_path, "lab", "a", remus_lease="false")
    assert (found.lease, found.fence) == (None, None)
    assert "guard" not in render("lab", "a", "remus", "remus@.service.j2", remus_lease="false")


def test_ssh_reads_how_to_call_the_fence(tmp_path: Path) -> None:
    path = tmp_path / "fence.ssh"
    path.write_text(render("lab", "a", "remus", "fence.ssh.j2"))
    command = ["ssh", "-F", str(path), "-G", "fence"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for line in (
        "hostname 10.77.0.13",
        "user root",
        "stricthostkeychecking true",
        "controlpath /run/hefery/fence.sock",
    ):
        assert line in said


def test_guard_and_minder_come_back_and_are_there_before_a_replication() -> None:
    for name in ("hefery-guard@.service", "hefery-minder@.service"):
        service = unit(name)
        assert (service["Type"], service["Restart"]) == ("notify", "always")
        assert (service["CPUSchedulingPolicy"], service["LimitMEMLOCK"]) == ("rr", "infinity")
        assert "PrivateDevices" not in service
        assert "After=hefery-minder@%i.service hefery-guard@%i.service" in render(
            "lab", "a", "remus", "remus@.service.j2"
        )


def test_each_guest_here_has_a_guard(tmp_path: Path) -> None:
    guests = [{"name": "db", "primary": "b", "backup": "a"}, {"name": "x", "primary": "b", "backup": "c"}]
    inputs = {"remus_domains": guests, "inventory_hostname": "a"}
    assert evaluate("__remus_guards", "remus", **inputs) == ["hefery-minder@db.service", "hefery-guard@db.service"]
    here = evaluate("__remus_has_guests", "remus", **inputs)
    xl = tmp_path / "xl"
    for lives, found in (("db--incoming", 0), ("dbx", 1)):
        xl.write_text(f'#!/bin/sh\n[ "$2" = {lives} ] && echo 7\n')
        xl.chmod(0o755)
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        assert subprocess.run(["sh", "-c", here], env=environment, check=False).returncode == found


@pytest.mark.parametrize(("serve", "program"), [([], "/usr/bin/ssh"), (SERVE, "/usr/local/bin/hefery-remus")])
def test_a_session_with_the_fence_is_kept_where_that_is_said(tmp_path: Path, serve: list[str], program: str) -> None:
    found = settings(tmp_path, "lab", "a", remus_fence_serve=serve)
    assert found.fence is not None
    assert found.fence.serve == tuple(serve)
    service = unit("hefery-fence-link.service", remus_fence_serve=serve)
    assert service["ExecStart"].split()[0] == program


def test_nothing_of_a_lease_is_left_where_it_is_switched_off() -> None:
    gone = removal("remus", "a", "unguard")
    units, files, run = "/etc/systemd/system", "/etc/hefery", "/run/hefery"
    lost = [*(f"{units}/hefery-{name}.service" for name in ("guard@", "minder@", "guard@web1", "fence-link"))]
    lost += [
        f"{files}/{name}" for name in ("lease-ca.pem", "lease.password", "fence.key", "fence.key.pub", "fence.ssh")
    ]
    lost += [
        f"{files}/fence_known_hosts",
        *(f"{run}/{name}" for name in ("guard/web1/state", "guards.old", "fence.sock")),
    ]
    kept = [f"{units}/remus@.service", f"{files}/remus.toml", f"{run}/heartbeat/b", f"{run}/web1/order"]
    assert [path for path in lost if not gone.knows(path)] == []
    assert [path for path in kept if gone.knows(path)] == []


def test_a_replication_is_stopped_while_its_guard_is_awake() -> None:
    """Units are stopped in the reverse of the order in which they are started (systemd.unit(5), Before=, After=)."""
    lines = render("lab", "a", "remus", "remus@.service.j2").splitlines()
    after = {name for line in lines if line.startswith("After=") for name in line.removeprefix("After=").split()}
    assert {"hefery-guard@%i.service", "hefery-minder@%i.service", "network-online.target"} <= after
    guard = render("lab", "a", "remus", "hefery-guard@.service.j2")
    assert "remus@" not in guard


def test_output_is_held_for_each_replication_or_there_is_none() -> None:
    held = unit("remus@.service", remus_hold_output=True)
    plain = unit("remus@.service")
    assert held["ExecStart"] == "/usr/local/sbin/hefery-output run %i " + plain["ExecStart"]
    assert {**held, "ExecStart": ""} == {**plain, "ExecStart": ""}  # a stop must not depend on what is held


def hold_output(folder: Path, *words: str, **programs: str) -> "subprocess.CompletedProcess[str]":
    """Run the script; what it calls writes down how, and does what `programs` say."""
    script = folder / "hefery-output"
    text = render("lab", "a", "remus", "hefery-output.j2")
    script.write_text(text.replace("/run/hefery", str(folder)).replace("/sys/class/net", f"{folder}/net"))
    usual = dict.fromkeys(("modprobe", "tc", "sleep", "systemctl", "hefery-remus"), "exit 0")
    usual |= {
        "xl": "[ $2 = web1 ] && echo 7",
        "ip": f"case $2 in add) mkdir -p {folder}/net/$3 ;; del) rmdir {folder}/net/$3 ;; esac",
        "remus": "echo plug $HEFERY_PACER_PLUG",
    }
    for name, does in {**usual, **programs}.items():
        (folder / name).write_text(f'#!/bin/sh\necho {name} "$@" >>{folder}/did\n{does}\n')
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    return subprocess.run(["sh", script, *words], env=environment, capture_output=True, text=True, check=False)


def did(folder: Path) -> list[str]:
    """What was called since the last time."""
    lines = (folder / "did").read_text().splitlines()
    (folder / "did").write_text("")
    return lines


def test_what_a_guest_sends_takes_a_detour_until_it_is_let_out(tmp_path: Path) -> None:
    done = hold_output(tmp_path, "run", "web1", "remus", "web1")
    assert (done.returncode, done.stdout) == (0, "plug hold7\n")
    assert did(tmp_path)[-4:] == [
        "tc filter add dev vif7.0 ingress matchall action mirred egress redirect dev hold7",
        "systemctl start --no-block hefery-output@web1.service",
        "systemctl is-active remus@web1.service",
        "remus web1",
    ]
    assert hold_output(tmp_path, "release", "web1").returncode == 0
    assert did(tmp_path) == [
        "tc qdisc change dev hold7 root plug release_indefinite",
        "tc qdisc del dev vif7.0 ingress",
        "sleep 0.1",
        "tc -s qdisc show dev hold7",
        "ip link del hold7",
    ]
    assert not (tmp_path / "web1.output").exists()
    assert hold_output(tmp_path, "release", "web1").returncode == 0


def test_a_replication_that_is_stopped_meanwhile_does_not_begin(tmp_path: Path) -> None:
    stopping = {"systemctl": "[ $1 != is-active ] || echo deactivating"}
    assert hold_output(tmp_path, "run", "web1", "remus", "web1", **stopping).returncode == 1
    assert "remus web1" not in did(tmp_path)
    assert not (tmp_path / "web1.output").exists()


@pytest.mark.parametrize("empty", [True, False])
def test_a_detour_is_taken_away_also_where_its_note_is_empty_or_it_is_gone(tmp_path: Path, empty: bool) -> None:
    (tmp_path / "web1.output").write_text("" if empty else "hold3\n")
    (tmp_path / "net").mkdir()
    assert hold_output(tmp_path, "release", "web1").returncode == 0
    assert not (tmp_path / "web1.output").exists()


@pytest.mark.parametrize("programs", [{"tc": '[ "$1" != filter ]'}, {"systemctl": "exit 1"}, {"xl": "exit 1"}])
def test_nothing_is_replicated_unheld(tmp_path: Path, programs: dict[str, str]) -> None:
    (tmp_path / "net").mkdir()
    assert hold_output(tmp_path, "run", "web1", "remus", "web1", **programs).returncode != 0
    assert "remus web1" not in did(tmp_path)
    assert not (tmp_path / "web1.output").exists()
    assert list((tmp_path / "net").iterdir()) == []


def test_a_second_card_is_no_way_out(tmp_path: Path) -> None:
    (tmp_path / "net" / "vif7.1").mkdir(parents=True)
    done = hold_output(tmp_path, "run", "web1", "remus", "web1")
    assert done.returncode == 1
    assert "more than one network card" in done.stderr


@pytest.mark.parametrize("may", [True, False])
def test_what_a_replication_before_has_left_is_not_let_out_unasked(tmp_path: Path, may: bool) -> None:
    note = tmp_path / "web1.output"
    note.write_text("hold7\n")
    (tmp_path / "net" / "hold7").mkdir(parents=True)
    released = f"rm {note}; rmdir {tmp_path}/net/hold7"
    programs = {"hefery-remus": released if may else "exit 1"}
    assert (hold_output(tmp_path, "run", "web1", "remus", "web1", **programs).returncode == 0) is may
    done = did(tmp_path)
    # the last try has ended by then: it would take the device away that is there after this
    assert done[:2] == ["systemctl stop hefery-output@web1.service", "hefery-remus let-out --domain web1"]
    assert ("remus web1" in done) is may
    assert done[2:] == ["systemctl start --no-block hefery-output@web1.service"] or may  # it goes on trying
    assert note.exists()


def test_what_is_held_is_let_out_when_the_replication_has_ended(tmp_path: Path) -> None:
    """Twice it cannot be yet, and once the replication goes on."""
    note, tries = tmp_path / "web1.output", tmp_path / "tries"
    note.write_text("hold7\n")
    try_again = f"echo >>{tries}; [ $(wc -l <{tries}) -lt 3 ] && exit 1; rm {note}"
    states = f"echo >>{tmp_path}/asked; [ $(wc -l <{tmp_path}/asked) -gt 1 ] && echo failed || echo active"
    done = hold_output(tmp_path, "watch", "web1", **{"hefery-remus": try_again, "systemctl": states})
    assert done.returncode == 0
    assert did(tmp_path).count("hefery-remus let-out --domain web1") == 3
    assert len((tmp_path / "asked").read_text().splitlines()) == 4


def undeclared() -> list[dict[str, Any]]:
    tasks = yaml.safe_load((ROLES / "remus" / "tasks" / "undeclared.yml").read_text())
    assert isinstance(tasks, list)
    return tasks


def look_for_undeclared(folder: Path, lives: str) -> list[str]:
    """What is said of guests that were configured in the folder, where web1 and web2 are declared."""
    xl = folder / "xl"
    listed = "exit 0" if lives else "exit 1"  # where Xen does not answer nobody knows
    xl.write_text(f'#!/bin/sh\n[ "$1" != list ] || {listed}\n[ "$2" = "{lives}" ]\n')
    xl.chmod(0o755)
    script = undeclared()[0]["ansible.builtin.raw"].replace("{{ __remus_mine | join(' ') }}", "web1 web2")
    script = script.replace("/etc/systemd/system", str(folder)).replace("/etc/hefery", str(folder))
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(("lives", "says"), [("list", []), ("old", ["here old"]), ("", ["here old"])])
def test_without_a_lease_it_is_found_by_what_replicates_it(tmp_path: Path, lives: str, says: list[str]) -> None:
    domain = {"primary": "a", "backup": "b"}
    text = render(
        "lab", "a", "remus", "remus.toml.j2", remus_domains=[{"name": name, **domain} for name in ("web1", "old")]
    )
    (tmp_path / "remus.toml").write_text(text)
    assert look_for_undeclared(tmp_path, lives) == says


@pytest.mark.parametrize(
    ("lives", "says"), [("list", "gone old"), ("old", "here old"), ("old--incoming", "here old"), ("", "here old")]
)
def test_a_guest_that_is_declared_no_more_is_found_by_its_guard(tmp_path: Path, lives: str, says: str) -> None:
    wants = tmp_path / "multi-user.target.wants"
    wants.mkdir()
    for guest in ("web1", "old"):
        (wants / f"hefery-guard@{guest}.service").symlink_to("/etc/systemd/system/hefery-guard@.service")
    _, _, end = undeclared()
    said = look_for_undeclared(tmp_path, lives)
    assert said == [says]
    found = {"__remus_undeclared": {"stdout_lines": said}}
    assert evaluate("__remus_left_out", "remus", **found) == (["old"] if says == "here old" else [])
    assert evaluate("__remus_gone", "remus", **found) == (["old"] if says == "gone old" else [])
    assert end["when"].startswith("__remus_gone | length > 0")
