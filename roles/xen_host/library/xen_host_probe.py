#!/usr/bin/python
"""An Ansible module: what preflight and the role's tasks must know of a host, in one round trip; changes nothing."""

import hashlib
import os
import re
import shlex
import socket
import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: xen_host_probe
short_description: See what a Xen host has, runs and reaches
description: [Changes nothing.]
options:
  packages: {description: Debian packages to look for., type: list, elements: str, default: []}
  files: {description: Files to sum up by SHA-256., type: list, elements: str, default: []}
  units: {description: systemd units to look at., type: list, elements: str, default: []}
  peers: {description: The peers' addresses by their names., type: dict, default: {}}
  peer_port: {description: TCP port that every peer must answer on., type: int, default: 22}
  bridge: {description: The guests' bridge., type: str, required: true}
  asked_s: {description: The controller's clock., type: float, required: true}
author: [hefery]
"""


def pairs(text):
    """Return `xl info`'s lines, or those of /proc/cpuinfo, as a dict; where a key repeats, the last one holds."""
    lines = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, _, value in lines}


def domains(text):
    """Return each domain of `xl list` with its memory in MB, without Domain-0; names may hold spaces."""
    rows = (re.fullmatch(r"(.+?)\s+\d+\s+(\d+)\s+\d+\s+\S{6}\s+[\d.]+", line.strip()) for line in text.splitlines())
    return {row[1]: int(row[2]) for row in rows if row and row[1] != "Domain-0"}


def xen(info):
    """Return what preflight asks of the running Xen, from `xl info`."""
    return {
        "version": [int(info["xen_major"]), int(info["xen_minor"])],
        "abilities": info["virt_caps"].split(),
        "cpu_features": info["hw_caps"],
        "cpus": int(info["nr_cpus"]),
        "free_memory_mb": int(info["free_memory"]),
    }


def machine(cpuinfo, meminfo):
    """Return what is known of the machine without Xen."""
    flags = set(pairs(cpuinfo).get("flags", "").split())
    hap = {"vmx", "ept"} <= flags or {"svm", "npt"} <= flags
    return {
        "abilities": ["hap"] if hap else [],
        "cpu_features": " ".join(sorted(flags)),
        "cpus": os.cpu_count(),
        "memory_mb": int(pairs(meminfo)["MemTotal"].split()[0]) // 1024,
    }


def answers(address, port):
    """Return whether anything takes a TCP connection at the address within 3 s."""
    try:
        socket.create_connection((address, port), timeout=3).close()
    except OSError:
        return False
    return True


def receiving():
    """Return whether a receiver of a replication or migration runs here."""
    for commandline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"migrate-receive" in commandline.read_bytes():
                return True
        except OSError:  # the process has ended meanwhile
            continue
    return False


def buffered_disks():
    """Return the guests' loop devices that go through the page cache instead of by direct I/O."""
    links = Path("/dev/hefery").glob("*")
    switches = {link.name: Path(f"/sys/block/{link.resolve().name}/loop/dio") for link in links}
    return [name for name, switch in switches.items() if switch.exists() and switch.read_text().strip() != "1"]


def sums(paths):
    """Return the SHA-256 of each of the files that are there."""
    return {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths if Path(path).is_file()}


def units(text):
    """Return each unit's UnitFileState and ActiveState, from `systemctl show`; an unknown unit's first is empty."""
    blocks = (dict(line.split("=", 1) for line in block.splitlines()) for block in text.strip().split("\n\n"))
    return {block["Id"]: [block["UnitFileState"], block["ActiveState"]] for block in blocks if block}


def without_suspend_channel(run, names):
    """Return the guests that offer no event channel for their suspension."""
    exists = 'xenstore-exists "/local/domain/$(xl domid {})/device/suspend/event-channel"'
    return [name for name in names if run(exists.format(shlex.quote(name))) is None]


def look(parameters, run):
    """Return the whole probe; `run` gives a shell command's output, None where it fails."""
    packages, peers = parameters["packages"], parameters["peers"]
    query = "dpkg-query --show --showformat='${Package} ${Status}\\n' " + " ".join(packages)
    installed = run(f"{query} 2>/dev/null; true") or ""
    shown = run("systemctl show --property=Id,UnitFileState,ActiveState " + " ".join(parameters["units"]))
    info = run("xl info")
    running = xen(pairs(info)) if info else None
    here = domains(run("xl list") or "")
    return {
        "asked_s": parameters["asked_s"],
        "clock_s": time.time(),
        "missing": [name for name in packages if f"{name} install ok installed" not in installed],
        "files": sums(parameters["files"]),
        "units": units(shown or ""),
        "machine": machine(Path("/proc/cpuinfo").read_text(), Path("/proc/meminfo").read_text()),
        "xen": running,
        "domains": here,
        "receiving": receiving(),
        "without_suspend_channel": without_suspend_channel(run, here)
        if running and running["version"] < [4, 5]
        else [],
        "buffered_disks": buffered_disks(),
        # not `unreachable`: Ansible would take this host for one
        "silent_peers": [name for name, address in peers.items() if not answers(address, parameters["peer_port"])],
        "bridge": Path(f"/sys/class/net/{parameters['bridge']}/bridge").exists(),
    }


def main():
    """Answer Ansible."""
    module = AnsibleModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "str", "default": []},
            "units": {"type": "list", "elements": "str", "default": []},
            "peers": {"type": "dict", "default": {}},
            "peer_port": {"type": "int", "default": 22},
            "bridge": {"type": "str", "required": True},
            "asked_s": {"type": "float", "required": True},
        },
        supports_check_mode=True,
    )

    def run(command):
        status, output, _ = module.run_command(command, use_unsafe_shell=True)
        return output if status == 0 else None

    module.exit_json(changed=False, **look(module.params, run))


if __name__ == "__main__":
    main()
