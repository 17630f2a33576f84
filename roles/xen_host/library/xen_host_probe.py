#!/usr/bin/python
"""An Ansible module: what preflight and the role's tasks must know of a host, in one round trip; changes nothing."""

import hashlib
import json
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
  share: {description: Where the guests' disks are mounted., type: path, default: /srv/hefery}
  asked_s: {description: The controller's clock., type: float, required: true}
author: [hefery]
"""

MARK = "HEFERY_COPY="  # in the environment of all processes of a copy


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


def secure_boot(variables=Path("/sys/firmware/efi/efivars")):
    """Return whether the firmware starts nothing but what is signed: four bytes of attributes, then the value."""
    return any(path.read_bytes()[4:5] == b"\1" for path in variables.glob("SecureBoot-*"))


def answers(address, port):
    """Return whether anything takes a TCP connection at the address within 3 s."""
    try:
        socket.create_connection((address, port), timeout=3).close()
    except OSError:
        return False
    return True


def marks(records):
    """Return each received guest by the mark of its copy's processes, from the records of Hefery's receivers."""
    found = {}
    for path in records.glob("*/state"):
        try:
            record = json.loads(path.read_text())
            found[record["mark"]] = record["domain"]
        except (OSError, ValueError, TypeError, KeyError):  # whose mark it was is not known then
            continue
    return found


def feeders(processes):
    """Return the marks of what receives a replication or migration; None for what Hefery did not start."""
    found = set()
    for process in processes.glob("[0-9]*"):
        try:
            if b"migrate-receive" in (process / "cmdline").read_bytes():
                variables = os.fsdecode((process / "environ").read_bytes()).split("\0")
                found.add(next((word[len(MARK) :] for word in variables if word.startswith(MARK)), None))
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
    return found


def receiving(processes=Path("/proc"), records=Path("/run/hefery/receive")):
    """Return the guests that are received here; None where any may be, as it is not known what a process receives."""
    fed, known = feeders(processes), marks(records)  # in this order: a record is written before its process starts
    return sorted(known[mark] for mark in fed) if fed <= known.keys() else None


def loop_devices(share, links, devices):
    """Return the guests' loop devices with their guests: named by a link, and with a fence by the image's folder."""
    found = {link.resolve().name: link.name for link in links.glob("*")}
    for path in devices.glob("loop*/loop/backing_file"):
        image = Path(path.read_text().strip())
        if share in image.parent.parents:
            found.setdefault(path.parents[1].name, image.relative_to(share).parts[0])
    return found


def buffered_disks(share, links=Path("/dev/hefery"), devices=Path("/sys/block")):
    """Return the guests whose loop device goes through the page cache instead of by direct I/O."""
    switches = {devices / device / "loop/dio": name for device, name in loop_devices(share, links, devices).items()}
    return sorted(name for path, name in switches.items() if path.exists() and path.read_text().strip() != "1")


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
        "hostname": socket.gethostname(),
        "missing": [name for name in packages if f"{name} install ok installed" not in installed],
        "files": sums(parameters["files"]),
        "units": units(shown or ""),
        "machine": machine(Path("/proc/cpuinfo").read_text(), Path("/proc/meminfo").read_text()),
        "secure_boot": secure_boot(),
        "xen": running,
        "domains": here,
        "receiving": receiving(),  # after xl list: a copy that has begun since is not on it
        "without_suspend_channel": without_suspend_channel(run, here)
        if running and running["version"] < [4, 5]
        else [],
        "buffered_disks": buffered_disks(Path(parameters["share"])),
        # not `unreachable`: Ansible would take this host for one
        "silent_peers": [name for name, address in peers.items() if not answers(address, parameters["peer_port"])],
        "bridge": Path(f"/sys/class/net/{parameters['bridge']}/bridge").exists(),
        "interfaces": sorted(path.name for path in Path("/sys/class/net").iterdir()),
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
            "share": {"type": "path", "default": "/srv/hefery"},
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
