from ipaddress import ip_interface
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.landscape import BRIDGE_ADDRESS, HOSTS, PREFIX_LENGTH, host, instance


def test_hosts_share_a_network_and_nothing_else() -> None:
    network = ip_interface(f"{BRIDGE_ADDRESS}/{PREFIX_LENGTH}").network
    assert all(ip_interface(host.address).ip in network for host in HOSTS.values())
    for unique in ("address", "mac", "port"):
        assert len({getattr(host, unique) for host in HOSTS.values()} - {BRIDGE_ADDRESS}) == len(HOSTS)
    assert all(len(host.port) < 16 for host in HOSTS.values()), "IFNAMSIZ"


def test_instances_share_only_the_cache() -> None:
    one, two = instance({"HEFERY_LAB": "one", "HEFERY_CACHE": "/c"}), instance({"HEFERY_CACHE": "/c"})
    assert one.cache == two.cache == Path("/c/lab")
    assert two.name == "lab"
    machine, container = HOSTS["a"], HOSTS["c"]
    for path in ("disk", "root", "monitor", "console", "log", "namespace_of"):
        assert len({getattr(lab, path)(host) for lab in (one, two) for host in HOSTS.values()}) >= 2
        assert getattr(one, path)(machine) != getattr(two, path)(machine)
    assert one.namespace_of(machine) == one.namespace
    assert one.namespace_of(container) == f"{one.namespace}-c"


def test_the_same_name_in_another_clone_is_another_instance() -> None:
    here, there = instance({}, Path("/here")), instance({}, Path("/there"))
    assert here.name == there.name
    for path in ("state", "run", "namespace"):
        assert getattr(here, path) != getattr(there, path)
    assert here == instance({}, Path("/here"))


@pytest.mark.parametrize("name", ["../up", "A", "a b", "x" * 17, "-x"])
def test_refuses_a_name_that_cannot_be_a_folder_and_a_namespace(name: str) -> None:
    with pytest.raises(LabError, match="HEFERY_LAB="):
        instance({"HEFERY_LAB": name})


def test_names_the_hosts_there_are() -> None:
    assert host("A") is HOSTS["a"]
    with pytest.raises(LabError, match="no host g: the lab has a, b, f, c, m"):
        host("g")
