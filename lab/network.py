"""The network: in, an instance; out, its namespaces, the bridge, a port a host, and cuts between hosts."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from lab.commands import run
from lab.errors import LabError
from lab.landscape import BRIDGE_ADDRESS, CONTAINERS, MACHINES, PREFIX_LENGTH, Host, Instance

_TABLE: Final = "hefery_cuts"
_CHAIN: Final = (
    f"add table bridge {_TABLE}\nadd chain bridge {_TABLE} forward {{ type filter hook forward priority 0; }}\n"
)


def exists(lab: Instance) -> bool:
    """Whether the instance has its network."""
    return _namespace_exists(lab.namespace)


def inside(namespace: str, *words: str | Path) -> list[str]:
    """The same command, in that network namespace."""
    return ["ip", "netns", "exec", namespace, *map(str, words)]


def create(lab: Instance) -> None:
    """Make what is missing of namespaces, bridge and ports."""
    for namespace in (lab.namespace, *(lab.namespace_of(host) for host in CONTAINERS)):
        if not _namespace_exists(namespace):
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
    present = links(lab)
    if "br0" not in present:
        bridge = f"""link add br0 address 52:54:00:77:00:01 type bridge forward_delay 0 mcast_snooping 0
            address add {BRIDGE_ADDRESS}/{PREFIX_LENGTH} dev br0
            link set br0 up"""
        _batch(lab.namespace, bridge)
    for host in MACHINES:
        if host.port not in present:
            run("ip", "-n", lab.namespace, "tuntap", "add", "dev", host.port, "mode", "tap")
            _batch(lab.namespace, f"link set {host.port} master br0 up")
    for host in CONTAINERS:
        if host.port not in present:
            _join(lab, host)
    _nft(lab, _CHAIN)


def _join(lab: Instance, host: Host) -> None:
    namespace = lab.namespace_of(host)
    peer = f"type veth peer name eth0 address {host.mac} netns {namespace}"
    _batch(lab.namespace, f"link add {host.port} {peer}\nlink set {host.port} master br0 up")
    _batch(namespace, f"address add {host.address}/{PREFIX_LENGTH} dev eth0\nlink set eth0 up")


def sent_bytes(lab: Instance, host: Host) -> int:
    """How much was sent to a host since its port was made."""
    told = json.loads(run("ip", "-n", lab.namespace, "-statistics", "-json", "link", "show", "dev", host.port))
    return int(told[0]["stats64"]["tx"]["bytes"])


def remove(lab: Instance) -> None:
    """Take the namespaces away, and with them all that is in them."""
    for namespace in (*(lab.namespace_of(host) for host in CONTAINERS), lab.namespace):
        if _namespace_exists(namespace):
            run("ip", "netns", "delete", namespace)


def links(lab: Instance) -> set[str]:
    """Names of the interfaces in the instance's namespace."""
    listed = run("ip", "-n", lab.namespace, "-o", "link", "show")
    return {line.split(":")[1].strip().partition("@")[0] for line in listed.splitlines()}


def set_port(lab: Instance, host: Host, *, up: bool) -> None:
    """Plug a host's cable in, or pull it."""
    run("ip", "-n", lab.namespace, "link", "set", host.port, "up" if up else "down")


def cut(lab: Instance, source: Host, target: Host, *, one_way: bool = False) -> None:
    """Drop every frame from one host (and the guests on it) to another, and back unless `one_way`; no host is told."""
    _nft(lab, cut_rules([(source, target)] if one_way else [(source, target), (target, source)]))


def cut_rules(pairs: Iterable[tuple[Host, Host]]) -> str:
    """Rules of nftables, in the bridge, that drop what comes in at one port to go out at another."""
    return "".join(
        f"add rule bridge {_TABLE} forward iifname {source.port} oifname {target.port} counter drop\n"
        for source, target in pairs
    )


def heal(lab: Instance) -> None:
    """Take all cuts away."""
    _nft(lab, f"{_CHAIN}flush chain bridge {_TABLE} forward\n")


def cuts(lab: Instance) -> list[str]:
    """The cuts in force, as nft prints them."""
    listed = run(*inside(lab.namespace, "nft", "list", "chain", "bridge", _TABLE, "forward"))
    return [line.strip() for line in listed.splitlines() if "drop" in line]


def _nft(lab: Instance, rules: str) -> None:
    if not exists(lab):
        raise LabError("the landscape is not up: `python -m lab up` first")
    run(*inside(lab.namespace, "nft", "-f", "-"), stdin=rules)


def _batch(namespace: str, commands: str) -> None:
    lines = "\n".join(line.strip() for line in commands.splitlines())
    run("ip", "-n", namespace, "-batch", "-", stdin=f"{lines}\n")


def _namespace_exists(name: str) -> bool:
    return Path("/run/netns", name).exists()
