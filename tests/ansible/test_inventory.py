"""Both inventories: what they declare is what the roles accept."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from tests.ansible.rendering import inventoried

ROOT = Path(__file__).parents[2]
INVENTORIES = ["lab", "production"]


def listed(inventory: str, tmp_path: Path, *more: str) -> dict[str, Any]:
    """All hosts' variables and the groups, as Ansible reads them; those that are told after it, too."""
    program = Path(sys.executable).with_name("ansible-inventory")
    told = [word for name in (inventory, *more) for word in ("-i", str(ROOT / "inventory" / name))]
    command = [str(program), *told, "--list"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_HOME": str(tmp_path)}
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    inventory_of_hosts: dict[str, Any] = json.loads(output)
    return inventory_of_hosts


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_guests_are_as_the_role_wants_them(inventory: str, tmp_path: Path) -> None:
    hosts = listed(inventory, tmp_path)
    specification = yaml.safe_load((ROOT / "roles" / "guest" / "meta" / "argument_specs.yml").read_text())
    options = specification["argument_specs"]["main"]["options"]["guest_declared"]["options"]
    types = {"str": str, "int": int}
    for guest in hosts["_meta"]["hostvars"]["a"]["hefery_guests"]:
        assert guest.keys() <= options.keys()
        assert {name for name, option in options.items() if option.get("required")} <= guest.keys()
        for name, value in guest.items():
            assert isinstance(value, types[options[name]["type"]]), name
            assert value in options[name].get("choices", [value])
        assert {guest["primary"], guest["backup"]} <= set(hosts["xen"]["hosts"])
        assert guest["primary"] != guest["backup"]


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_the_landscape_is_the_papers(inventory: str, tmp_path: Path) -> None:
    hosts = listed(inventory, tmp_path)
    groups = {group: hosts[group]["hosts"] for group in ("xen", "nfs", "lease", "clients", "monitoring")}
    assert groups == {"xen": ["a", "b"], "nfs": ["f"], "lease": ["f"], "clients": ["c"], "monitoring": ["m"]}
    assert all("hefery_address" in variables for variables in hosts["_meta"]["hostvars"].values())


def test_two_judges_more_are_told_after_the_labs_own(tmp_path: Path) -> None:
    assert listed("lab", tmp_path, "lab-judges.yml")["lease"]["hosts"] == ["f", "a", "b"]


@pytest.mark.parametrize("inventory", INVENTORIES)
@pytest.mark.parametrize("has_lease", [True, False])
def test_what_runs_for_a_guest_is_verified_on_both_its_hosts(inventory: str, *, has_lease: bool) -> None:
    elsewhere = {"name": "db", "primary": "x", "backup": "b"}
    guests = [{"name": "web1", "primary": "a", "backup": "b"}, elsewhere]
    of_lease = {"hefery-guard@web1.service", "hefery-minder@web1.service", "hefery-fence-link.service"}
    found = inventoried("verify_services", inventory, "a", hefery_guests=guests, remus_lease=has_lease)
    assert all(service.endswith((".service", ".socket")) for service in found)
    assert (of_lease <= set(found)) is has_lease
    assert not any("db" in service for service in found)
    b = inventoried("verify_services", inventory, "b", hefery_guests=guests, remus_lease=has_lease)
    assert ("hefery-guard@db.service" in b) is has_lease
    f = inventoried("verify_services", inventory, "f", hefery_guests=guests, remus_lease=has_lease)
    assert ({"hefery-fence.service", "hefery-etcd.service"} <= set(f)) is has_lease


@pytest.mark.parametrize("inventory", INVENTORIES)
@pytest.mark.parametrize("is_made", [True, False])
def test_a_load_client_s_agent_is_verified_where_there_is_one(inventory: str, *, is_made: bool) -> None:
    agents = inventoried("verify_agents", inventory, "m", hefery_load_clients=is_made)
    assert agents == (["a", "b", "c", "m"] if is_made else ["a", "b", "m"])
    services = inventoried("verify_services", inventory, "c", hefery_load_clients=is_made)
    assert services == (["hefery-agent.service"] if is_made else [])


@pytest.mark.parametrize("inventory", INVENTORIES)
@pytest.mark.parametrize(
    ("told", "known"),
    [
        ({"x": {"etcd_site": {"cluster_id": "c1"}}, "y": {}}, "c1"),
        ({"x": {}, "y": {"etcd_site": {"cluster_id": "c1"}}}, "c1"),  # the first one is off
        ({"x": {"etcd_site": {"failed": True}}, "y": {}}, ""),
    ],
)
def test_any_member_of_etcd_tells_the_cluster(inventory: str, told: dict[str, dict[str, Any]], known: str) -> None:
    groups = {"lease": ["x", "y"]}
    assert inventoried("remus_lease_cluster_id", inventory, "a", groups=groups, hostvars=told) == known


@pytest.mark.parametrize("source", ["archive", "apt"])
def test_where_the_store_comes_from_its_vendor_none_is_looked_for_here(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEFERY_CACHE", str(tmp_path))
    monkeypatch.delenv("INFLUXD", raising=False)
    assert inventoried("influxdb_binary_path", "production", "m", influxdb_source=source) == ""


TLS = {"hefery_tls_certificate": "/tls/store.pem", "hefery_tls_key": "/tls/store.key"}
PRIVATE = TLS | {"hefery_tls_authority": "/tls/authority.pem"}
ASKED_AT = ("agent_store_url", "act_store_url")
ASKED_AT_FROM_M = (*ASKED_AT, "predictor_store_url", "verify_store_url", "grafana_store_url")


@pytest.mark.parametrize("inventory", INVENTORIES)
@pytest.mark.parametrize(("tls", "scheme"), [({}, "http"), (TLS, "https"), (PRIVATE, "https")])
def test_all_ask_the_store_by_one_address(inventory: str, tls: dict[str, str], scheme: str) -> None:
    address = inventoried("hefery_address", inventory, "m")
    for host, names in (("a", ASKED_AT), ("c", ASKED_AT), ("m", ASKED_AT_FROM_M)):
        asked = {inventoried(name, inventory, host, **tls) for name in names}
        assert asked == {f"{scheme}://{address}:8086"}
    url = inventoried("verify_grafana_url", inventory, "m", grafana_source="file", **tls)
    assert url == f"{scheme}://{address}:3000"


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_an_authority_of_ones_own_is_handed_to_all_that_ask(inventory: str) -> None:
    names = ("agent_store_ca_path", "predictor_store_ca_path", "verify_store_ca_path", "verify_grafana_ca_path")
    assert {inventoried(name, inventory, "m", **PRIVATE) for name in names} == {"/etc/influxdb/tls/ca.pem"}
    assert inventoried("agent_store_ca_source", inventory, "m", **PRIVATE) == ""
    for host in ("a", "c"):
        assert inventoried("agent_store_ca_source", inventory, host, **PRIVATE) == "/tls/authority.pem"
    for tls in ({}, TLS):
        assert {inventoried(name, inventory, "m", **tls) for name in (*names, "agent_store_ca_source")} == {""}


@pytest.mark.parametrize("was_built", [True, False])
def test_the_lab_s_client_loads_guests_where_jmeter_was_built(tmp_path: Path, *, was_built: bool) -> None:
    (tmp_path / "build" / "jmeter").mkdir(parents=True)
    (tmp_path / "inventory" / "lab").mkdir(parents=True)
    if was_built:
        (tmp_path / "build" / "jmeter" / "jmeter.tar.gz").touch()
    folder = str(tmp_path / "inventory" / "lab")
    assert inventoried("hefery_load_clients", "lab", "m", inventory_dir=folder) is was_built
    assert inventoried("hefery_load_clients", "production", "m", inventory_dir=folder) is True


@pytest.mark.parametrize("inventory", INVENTORIES)
@pytest.mark.parametrize(
    ("told", "cluster"), [({"a": "c1"}, "c1"), ({"a": "c1", "b": "c1"}, "c1"), ({"f": "c1"}, "c1"), ({}, "")]
)
def test_one_judge_may_be_off(inventory: str, told: dict[str, str], cluster: str) -> None:
    """Ansible has what a host has registered of those alone that it reached."""
    hosts = {host: {"etcd_site": {"cluster_id": told[host]}} if host in told else {} for host in "fab"}
    more = {"groups": {"lease": list(hosts)}, "hostvars": hosts}
    assert inventoried("remus_lease_cluster_id", inventory, "a", **more) == cluster
