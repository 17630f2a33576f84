"""The templates of the hosts' roles: rendered, then read as the program that each is for reads it."""

import ast
import configparser
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from tests.ansible.plugins import ROLES
from tests.ansible.rendering import ROOT, render

DATA = ROOT / "tests" / "data"

GUEST = {
    "name": "web1",
    "type": "pvh",
    "memory_mb": 128,
    "vcpus": 1,
    "mac": "00:16:3e:77:00:50",
    "address": "10.77.0.50",
    "disk": "web1.img",
    "primary": "a",
    "backup": "b",
    "kernel_arguments": "guest.address=10.77.0.50",
}
INPUTS: dict[str, Any] = {
    "ansible_managed": "Ansible managed",
    "item": GUEST,
    "nfs_server_clients": ["10.77.0.11", "10.77.0.12"],
    "xen_host_bridge_port": "eth0",
}


def rendered(path: str, **inputs: Any) -> str:
    """A template of a role, as Ansible's template module renders it."""
    role = ROLES / path.partition("/")[0]
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text())
    jinja = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return jinja.from_string((ROLES / path).read_text()).render(**{**defaults, **INPUTS, **inputs})


def guest_config(fenced: bool = False, **changes: Any) -> dict[str, Any]:
    """The guest's configuration as xl reads it: assignments of strings, numbers and lists."""
    text = render("lab", "a", "guest", "guest.cfg.j2", item={**GUEST, **changes}, guest_fenced=fenced)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {key: ast.literal_eval(value) for key, value in (line.split(" = ", 1) for line in lines)}


def test_guest_config() -> None:
    config = guest_config()
    assert config["name"] == "web1"
    assert config["type"] == "pvh"
    assert config["memory"] == config["maxmem"] == 128
    assert config["extra"] == "console=hvc0 guest.address=10.77.0.50"
    assert config["vif"] == ["mac=00:16:3e:77:00:50,bridge=xenbr0,script=/usr/local/sbin/hefery-vif"]
    assert "target=/dev/hefery/web1" in config["disk"][0].split(",")
    assert "cpus" not in config
    assert guest_config(cpus="0-1")["cpus"] == "0-1"


def test_with_a_fence_a_disk_is_its_image_and_attached_by_the_hotplug_script() -> None:
    words = guest_config(fenced=True)["disk"][0].split(",")
    assert {"target=/srv/hefery/web1/web1.img", "script=/usr/local/sbin/hefery-block"} <= set(words)


def test_a_guest_may_have_no_initial_ramdisk() -> None:
    assert guest_config()["ramdisk"] == guest_config(ramdisk_path="own.gz")["ramdisk"]
    assert guest_config()["ramdisk"].endswith("/web1/initrd.gz")
    assert "ramdisk" not in guest_config(ramdisk_path="")


def test_a_guest_may_have_no_disk() -> None:
    diskless = {key: value for key, value in GUEST.items() if key != "disk"}
    assert "\ndisk =" not in render("lab", "a", "guest", "guest.cfg.j2", item=diskless)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("guest/templates/hefery-disk.service.j2", "hefery-disk@web1.service"),
        ("xen_host/templates/hefery-bridge.service.j2", "hefery-bridge.service"),
        ("xen_host/templates/hefery-xenstored.service.j2", "hefery-xenstored.service"),
    ],
)
def test_units_are_sound(path: str, name: str, tmp_path: Path) -> None:
    unit = tmp_path / name
    # the program itself is installed by the role
    unit.write_text(rendered(path).replace("/usr/local/sbin/hefery-bridge", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    assert name not in subprocess.run(command, capture_output=True, text=True, check=True).stderr


@pytest.mark.parametrize(
    "name",
    [
        "xen_host/templates/bridge.sh",
        "xen_host/templates/vif.sh",
        "xen_host/templates/block.sh",
        "remus/templates/hefery-output",
    ],
)
def test_scripts_are_sound(name: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(rendered(f"{name}.j2"))
    # SC2154: Xen sets vif
    command = [str(Path(sys.executable).with_name("shellcheck")), "--exclude=SC2154", str(script)]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b""


def test_the_share_is_for_its_clients_alone_and_sync() -> None:
    lines = rendered("nfs_server/templates/exports.j2").splitlines()[1:]
    assert lines == [
        f"/srv/hefery {address}(rw,sync,no_root_squash,no_subtree_check)" for address in ("10.77.0.11", "10.77.0.12")
    ]


def test_beside_a_fence_nothing_is_exported() -> None:
    text = rendered("nfs_server/templates/exports.j2", nfs_server_clients=[])
    assert all(line.startswith("#") for line in text.splitlines())


def test_the_server_speaks_version_4_alone() -> None:
    config = configparser.ConfigParser()
    config.read_string(rendered("nfs_server/templates/nfs.conf.j2"))
    assert config["nfsd"].getboolean("vers4")
    assert not config["nfsd"].getboolean("vers3")
    assert not config["nfsd"].getboolean("vers4.0")
    assert config["nfsd"].getint("grace-time") == config["nfsd"].getint("lease-time") == 10


def test_grub_starts_xen(tmp_path: Path) -> None:
    entries = (DATA / "grub-2.06-xen-4.17-entries.txt").read_text()
    root = "e60d8b6d-6261-4afe-851c-cf49f43136a0"
    config = tmp_path / "hefery.cfg"
    config.write_text(rendered("xen_host/templates/grub.cfg.j2", xen_host_xen_arguments="dom0_max_vcpus=1"))
    # grub-mkconfig knows the root file system before it reads the settings
    shell = f'set -eu; GRUB_DEVICE_UUID={root}; . {config}; echo "$GRUB_DEFAULT"; echo "$GRUB_CMDLINE_XEN"'
    output = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout
    entry, arguments = output.splitlines()
    assert re.findall(rf"^menuentry '(.*?)' .* '{entry}' {{$", entries, re.MULTILINE) == [
        "Debian GNU/Linux, with Xen hypervisor"
    ]
    assert arguments == "dom0_mem=1024M,max:1024M dom0_max_vcpus=1"


def bridged(folder: Path, *commands: str) -> list[str]:
    """The network after `commands`, and after the bridge was made twice: its addresses and routes."""
    script = folder / "hefery-bridge"
    script.write_text(rendered("xen_host/templates/bridge.sh.j2"))
    lines = [
        "mount -t sysfs sysfs /sys",
        "ip link add eth0 type veth peer name cable && ip link set cable up && ip link set eth0 up",
        *commands,
        "port=$(cat /sys/class/net/eth0/address)",
        f"sh {script}",
        f"sh {script}",
        '[ "$port" = "$(cat /sys/class/net/xenbr0/address)" ]',
        "ip -oneline address show scope global | sed 's/ scope.*//' | awk '{ $1 = \"\"; print }'",
        "ip route show | sed 's/ linkdown//'",
    ]
    command = ["unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-ec", "\n".join(lines)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.strip() for line in output.splitlines()]


def test_the_bridge_takes_the_ports_addresses_and_routes_once(tmp_path: Path) -> None:
    assert bridged(
        tmp_path,
        "for address in 10.77.0.11/24 10.77.0.99/24 fd00::11/64; do ip address add $address dev eth0; done",
        "ip route add default via 10.77.0.1 onlink dev eth0",  # as ifupdown does
        "ip route add 192.0.2.0/24 via 10.77.0.9 metric 50",
    ) == [
        "eth0 inet6 fd00::11/64",
        "xenbr0 inet 10.77.0.11/24",
        "xenbr0 inet 10.77.0.99/24",
        "default via 10.77.0.1 dev xenbr0 onlink",
        "10.77.0.0/24 dev xenbr0 proto kernel scope link src 10.77.0.11",
        "192.0.2.0/24 via 10.77.0.9 dev xenbr0 metric 50",
    ]


@pytest.mark.parametrize(
    ("address", "routes"),
    [
        ("10.77.0.11/32", ["default via 10.9.9.1 dev {} onlink"]),
        ("10.77.0.11/32", ["default via 10.9.9.1 dev {}", "10.9.9.1 dev {} scope link"]),
        ("10.77.0.11 peer 10.9.9.1/32", ["default via 10.9.9.1 dev {}", "10.9.9.1 dev {} proto kernel scope link src"]),
    ],
)
def test_the_bridge_reaches_a_gateway_of_another_network(address: str, routes: list[str], tmp_path: Path) -> None:
    """As hosts of a data centre have it."""
    added = [f"ip route add {route.format('eth0')}" for route in reversed(routes) if "kernel" not in route]
    told = bridged(tmp_path, f"ip address add {address} dev eth0", *added)
    assert told[0] == f"xenbr0 inet {address}"
    assert all(line.startswith(route.format("xenbr0")) for line, route in zip(told[1:], routes, strict=True))


def hotplug(
    folder: Path, script: str, action: str, programs: Mapping[str, str], **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run one of our hotplug scripts; what it calls is `programs`."""
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    path = folder / "script"
    path.write_text(rendered(f"xen_host/templates/{script}.sh.j2").replace("/sys/block", str(folder)))
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "XENBUS_PATH": "backend", **variables}
    return subprocess.run(["sh", path, action], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("read_only", "is_direct", "told"),
    [
        ("0", "1", "backend/physical-device 7:1a backend/physical-device-path /dev/loop7"),
        ("1", "1", "web1.img cannot be attached to write it backend/hotplug-status error"),
        ("0", "0", "web1.img cannot be attached by direct I/O backend/hotplug-status error"),
        ("0", "", "web1.img cannot be attached by direct I/O backend/hotplug-status error"),
    ],
)
def test_an_image_that_may_not_be_written_by_direct_io_is_no_disk(
    read_only: str, is_direct: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "loop7" / "loop").mkdir(parents=True)
    (tmp_path / "loop7" / "ro").write_text(f"{read_only}\n")
    if is_direct:
        (tmp_path / "loop7" / "loop" / "dio").write_text(f"{is_direct}\n")
    (tmp_path / "loop7" / "dev").write_text("7:26\n")
    programs = {
        "xenstore-read": "echo /srv/hefery/web1/web1.img",
        "xenstore-write": 'echo "$@"',
        "losetup": f'echo "$@" >>{tmp_path}/losetup.log; echo /dev/loop7',
    }
    done = hotplug(tmp_path, "block", "add", programs)
    assert told in done.stdout
    is_refused = "error" in told
    assert done.returncode == int(is_refused)
    assert ("--detach /dev/loop7" in (tmp_path / "losetup.log").read_text()) is is_refused


def test_a_disk_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    programs = {"xenstore-read": f"echo {tmp_path}/none", "xenstore-write": 'echo "$@"', "losetup": "exit 1"}
    done = hotplug(tmp_path, "block", "add", programs)
    assert done.returncode == 1
    assert done.stdout.endswith("backend/hotplug-status error\n")
    programs["xenstore-read"] = "echo /dev/hefery/none"
    done = hotplug(tmp_path, "block", "add", programs)
    assert done.returncode == 1
    assert done.stdout.endswith("backend/hotplug-status error\n")


@pytest.mark.parametrize(
    ("script", "action", "environment", "written"),
    [
        ("vif", "online", {"vif": "lo"}, "backend/hotplug-status connected\n"),
        (
            "block",
            "add",
            {"device": "/dev/null"},
            "backend/physical-device 1:3 backend/physical-device-path /dev/null backend/hotplug-status connected\n",
        ),
    ],
)
def test_hotplug_scripts_tell_xen(
    script: str, action: str, environment: dict[str, str], written: str, tmp_path: Path
) -> None:
    programs = {
        "xenstore-read": 'case $1 in */bridge) echo xenbr0 ;; */params) echo "$device" ;; esac',
        "xenstore-write": 'echo "$@"',
        "ip": '[ "$*" = "link set dev lo master xenbr0 up" ]',
    }
    assert hotplug(tmp_path, script, action, programs, **environment).stdout == written
    removed = hotplug(tmp_path, script, "remove", programs, **environment)
    assert (removed.returncode, removed.stdout) == (0, "")
