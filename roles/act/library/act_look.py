#!/usr/bin/python
"""An Ansible module: what lives, arrives and is replicated on a Xen host, in one round trip; changes nothing."""

import json
import re
import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: act_look
short_description: See which guests live, arrive and are replicated on a Xen host
description: [Changes nothing.]
options:
  guests: {description: The declared guests' names., type: list, elements: str, required: true}
  until: {description: Wait until all guests are protected from here or replication has ended; or no copy waits here.,
    type: str, choices: [protected, alone]}
  wait_s: {description: How long to wait for it., type: float, default: 20}
  run_path: {description: Where the agent tells of replications., type: path, default: /run/hefery}
author: [hefery]
"""

INCOMING = "--incoming"
UNITS = {"agent": "hefery-agent.service", "receiver": "hefery-receiver.socket", "heartbeat": "hefery-heartbeat.service"}


def domains(text):
    """Return each domain's state in `xl list`; names may hold spaces."""
    rows = (re.fullmatch(r"(.+?)\s+\d+\s+\d+\s+\d+\s+(\S{6})\s+[\d.]+", line.strip()) for line in text.splitlines())
    return {row[1]: row[2] for row in rows if row}


def units(text):
    """Return each unit's state in the output of `systemctl show --property Id,LoadState,ActiveState`."""
    blocks = (dict(line.split("=", 1) for line in block.splitlines()) for block in text.strip().split("\n\n"))
    return {
        block["Id"]: block["ActiveState"] if block["LoadState"] == "loaded" else "absent" for block in blocks if block
    }


def replication(path, now_ns):
    """Return what the agent says in the file; None where it says nothing, or its word is too old."""
    try:
        said = json.loads(path.read_text())
        return said if said["until_monotonic_ns"] > now_ns else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def disk(path):
    """Return what a guest's configuration names as its disk: none where it has none, or there is no such file."""
    found = re.search(r'target=([^",]+)', path.read_text()) if path.exists() else None
    return found[1] if found else None


def disks_in_use(text):
    """Return the disks that a domain of this host has open, from `xenstore-ls -f` of the block backends."""
    return sorted(set(re.findall(r'^\S+/params = "([^"]+)"$', text, re.MULTILINE)))


def look(guests, run_path, run, xen_path=Path("/etc/xen")):
    """Return the whole look; `run` gives a command's output, None where it fails."""
    listed = run("xl", "list")
    names = {guest: f"remus@{guest}.service" for guest in guests}
    states = units(
        run("systemctl", "show", "--property=Id,LoadState,ActiveState", *names.values(), *UNITS.values()) or ""
    )
    here = {} if listed is None else domains(listed)
    now_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    disks = {guest: disk(xen_path / f"{guest}.cfg") for guest in guests}
    in_use = disks_in_use(run("xenstore-ls", "-f", "/local/domain/0/backend/vbd") or "")
    return {
        "xen": listed is not None,
        "live": {guest: here[guest] for guest in guests if guest in here},
        "incoming": [guest for guest in guests if guest + INCOMING in here],
        "units": {guest: states.get(unit, "absent") for guest, unit in names.items()},
        "services": {name: states.get(unit, "absent") for name, unit in UNITS.items()},
        "replication": {guest: replication(Path(run_path, guest, "replication"), now_ns) for guest in guests},
        # by a process that can be ended: a server that does not answer lets whoever asks wait
        "missing_disks": [g for g in guests if disks[g] and run("timeout", "-s", "KILL", "5", "ls", disks[g]) is None],
        "disks_in_use": [guest for guest in guests if disks[guest] in in_use],
    }


def protected(guests, run_path, run):
    """Return whether there is nothing more to wait for: all are protected, or the replication of one has ended."""
    now_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    told = [replication(Path(run_path, guest, "replication"), now_ns) or {} for guest in guests]
    if all(said.get("protected") for said in told):
        return True
    return run("systemctl", "is-active", *(f"remus@{guest}.service" for guest in guests)) is None


def alone(guests, _, run):
    """Return whether no copy waits here."""
    return not any(guest + INCOMING in domains(run("xl", "list") or "") for guest in guests)


UNTIL = {"protected": protected, "alone": alone}
PERIOD_S = 1.0


def main():
    """Look, and hand over what was seen."""
    module = AnsibleModule(
        argument_spec={
            "guests": {"type": "list", "elements": "str", "required": True},
            "until": {"type": "str", "choices": list(UNTIL)},
            "wait_s": {"type": "float", "default": 20},
            "run_path": {"type": "path", "default": "/run/hefery"},
        },
        supports_check_mode=True,
    )

    def run(*command):
        path = module.get_bin_path(command[0])
        if path is None:
            return None
        code, output, _ = module.run_command([path, *command[1:]])
        return output if code == 0 else None

    given = module.params
    guests, run_path, end_s = given["guests"], given["run_path"], time.monotonic() + given["wait_s"]
    if given["until"]:
        while not UNTIL[given["until"]](guests, run_path, run) and time.monotonic() < end_s:
            time.sleep(PERIOD_S)
    module.exit_json(changed=False, look=look(guests, run_path, run))


if __name__ == "__main__":
    main()
