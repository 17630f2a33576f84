"""Preflight's findings: a pair without a fault has none, each fault has its own."""

import copy
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from tests.ansible.plugins import ROLES, load

FINDINGS = load("xen_host/filter_plugins/xen_host.py")
PROBE: dict[str, Any] = {
    "asked_s": 1000.0,
    "clock_s": 1003.0,
    "hostname": "a",
    "missing": [],
    "units": {},
    "secure_boot": False,
    "machine": {"abilities": [], "cpu_features": "fpu", "cpus": 1, "memory_mb": 900},
    "xen": {"version": [4, 17], "abilities": ["hvm", "hap"], "cpu_features": "1:2", "cpus": 2, "free_memory_mb": 600},
    "domains": {},
    "receiving": [],
    "without_suspend_channel": [],
    "buffered_disks": [],
    "silent_peers": [],
    "bridge": True,
    "interfaces": ["eno1", "lo"],
}
PEER = PROBE | {"hostname": "b"}
GUEST: dict[str, Any] = {"name": "web1", "type": "pvh", "memory_mb": 128, "primary": "a", "backup": "b"}


def found(
    probe: dict[str, Any] = PROBE,
    guest: dict[str, Any] = GUEST,
    peer: dict[str, Any] = PEER,
    host: str = "a",
    *,
    bridge_port: str = "eno1",
    off: tuple[str, ...] = (),
    others: tuple[dict[str, Any], ...] = (),
) -> list[str]:
    """Names of what preflight finds on a host."""
    findings = FINDINGS.findings(
        probe,
        host=host,
        hosts=["a", "b", "c"],
        peers={"b": peer},
        off=off,
        guests=[guest, *others],
        answered_s=1010,
        tolerance_s=5,
        dom0_memory_mb=512,
        bridge_port=bridge_port,
    )
    assert all(finding["text"].startswith(f"{finding['name']}: ") for finding in findings)
    return [finding["name"] for finding in findings]


def with_change(path: str, value: object) -> dict[str, Any]:
    """The probe with one thing changed, named by its dotted path."""
    probe = copy.deepcopy(PROBE)
    *folders, key = path.split(".")
    place = probe
    for folder in folders:
        place = place[folder]
    place[key] = value
    return probe


def test_a_sound_pair_has_none() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        ("xen.version", [4, 1], "xen_version"),
        ("xen.abilities", ["hvm"], "log_dirty"),
        ("xen.cpu_features", "1:3", "cpu_features"),
        ("hostname", "b", "hostname"),
        ("clock_s", 1018.1, "clock"),  # at 1010 at the latest, so 8.1 s fast at least; the peer's is 3 s fast at most
        ("clock_s", 987.9, "clock"),
        ("xen.free_memory_mb", 140, "memory"),
        ("silent_peers", ["b"], "reachability"),
        ("domains", {"web1--incoming": 128}, "stale_incoming"),
        ("buffered_disks", ["web1"], "buffered_disk"),
    ],
)
def test_each_fault_has_its_name(path: str, value: object, name: str) -> None:
    assert found(with_change(path, value)) == [name]


def test_a_host_without_a_guest_in_common_may_have_another_cpu() -> None:
    other = with_change("xen.cpu_features", "1:3") | {"hostname": "c"}
    assert found(other, host="c") == []
    assert found(other, guest={**GUEST, "primary": "c"}, host="c") == ["cpu_features"]


def test_a_peer_that_is_known_to_be_off_is_no_fault_of_this_host() -> None:
    assert found(with_change("silent_peers", ["b"]), off=("b",)) == []
    assert found(with_change("silent_peers", ["b", "c"]), off=("b",)) == ["reachability"]


def test_clocks_that_may_agree_are_not_doubted() -> None:
    assert found(with_change("clock_s", 1017.9)) == []
    assert found(with_change("clock_s", 988.1)) == []


def test_a_copy_that_is_fed_is_not_stale_and_its_memory_is_there() -> None:
    receiving = {**with_change("domains", {"web1--incoming": 128}), "receiving": ["web1"]}
    receiving["xen"]["free_memory_mb"] = 10
    assert found(receiving, host="b") == []


def test_a_copy_that_is_fed_hides_no_stale_one_beside_it() -> None:
    copies = with_change("domains", {"web1--incoming": 128, "web2--incoming": 128})
    assert found({**copies, "receiving": ["web1"]}, host="b") == ["stale_incoming"]
    assert found({**copies, "receiving": ["web1", "web2"]}, host="b") == []
    assert found({**copies, "receiving": None}, host="b") == []  # nobody destroys what may be alive


def test_without_xen_the_machine_is_looked_at() -> None:
    bare = with_change("xen", None)
    assert found(bare) == ["log_dirty"]
    bare["machine"]["abilities"] = ["hap"]
    assert found(bare) == []
    bare["machine"]["memory_mb"] = 600
    assert found(bare) == ["memory"]


def test_a_host_that_starts_nothing_unsigned_does_not_come_to_xen() -> None:
    signed = with_change("secure_boot", value=True)
    assert found(signed) == []  # Xen runs: somebody has signed it
    signed["xen"], signed["machine"]["abilities"] = None, ["hap"]
    assert found(signed) == ["secure_boot"]


def test_a_pv_guest_needs_shadow_paging_where_xen_names_it() -> None:
    guest = {**GUEST, "type": "pv"}
    assert found(guest=guest) == ["log_dirty"]
    assert found(with_change("xen.abilities", ["pv", "shadow"]), guest) == []
    assert found(with_change("xen.version", [4, 2]), guest) == []


def test_an_old_xen_needs_the_suspend_event_channel() -> None:
    old = {**with_change("without_suspend_channel", ["web1"])}
    assert found(old) == []
    old["xen"]["version"] = [4, 2]
    old["xen"]["abilities"] = ["hap"]
    assert found(old) == ["suspend_event_channel"]


def test_affinity_must_fit() -> None:
    assert found(guest={**GUEST, "cpus": "0-1"}) == []
    assert found(guest={**GUEST, "cpus": "0,2"}) == ["affinity"]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, []),
        ({"primary": "xen1"}, ["declaration"]),  # hosts were renamed, and here it was forgotten
        ({"primary": "b"}, ["declaration"]),
        ({"name": "web1"}, ["declaration"]),
        ({"mac": "00:16:3e:77:00:5a"}, ["declaration"]),
    ],
)
def test_a_guest_is_declared_for_two_hosts_and_like_no_other(changes: dict[str, str], name: list[str]) -> None:
    other = {**GUEST, "name": "web2", "mac": "00:16:3e:77:00:51"} | changes
    assert found(guest={**GUEST, "mac": "00:16:3E:77:00:5A"}, host="c", others=(other,)) == name


def test_a_disk_on_nfs_must_be_accepted() -> None:
    assert found(guest={**GUEST, "disk": "web1.img"}) == ["nfs_disk"]


def test_a_bridge_needs_a_port_or_another_maker() -> None:
    bare = with_change("bridge", value=False)
    assert found(bare) == []
    assert found(bare, bridge_port="") == ["bridge"]
    assert found(bare, bridge_port="eth0") == ["bridge"]  # as the inventory has it at first
    assert found(bridge_port="eth0") == []


def test_every_finding_can_be_accepted_by_a_name_that_is_documented() -> None:
    specification = yaml.safe_load((ROLES / "xen_host" / "meta" / "argument_specs.yml").read_text())
    told = specification["argument_specs"]["main"]["options"]["xen_host_accepted_findings"]["description"]
    assert told.partition(": ")[2].rstrip(".").split(", ") == [check.__name__ for check in FINDINGS.CHECKS]


def test_other_hosts_guests_are_not_its_own() -> None:
    assert found(with_change("xen.abilities", []), host="c") == []
