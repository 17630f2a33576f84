"""What preflight finds wrong: probes of the Xen hosts and their guests -> named findings with remedies."""

import re

OVERHEAD_MB = 16  # what Xen takes for a guest beside its memory: page tables and grant tables
OLDEST, EVENT_CHANNEL_UNUSED_SINCE, ABILITIES_NAMED_SINCE = (4, 2), (4, 5), (4, 13)


def able(probe):
    """Return what the host's Xen can do, or will be able to do once it runs."""
    return (probe["xen"] or probe["machine"])["abilities"]


def version(probe):
    """Return Xen's version where Xen runs, None elsewhere."""
    return tuple(probe["xen"]["version"]) if probe["xen"] else None


def declaration(declared, hosts, **_):
    """A guest is declared for hosts that are none, or like another one."""
    for guest in declared:
        pair = {guest["primary"], guest["backup"]}
        if len(pair) < 2 or not pair <= set(hosts):
            told = f"its primary {guest['primary']} and its backup {guest['backup']}"
            yield f"{guest['name']}: {told} must be two of {', '.join(sorted(hosts))}"
    for key in ("name", "mac", "address", "disk"):
        values = [str(guest[key]).lower() for guest in declared if guest.get(key)]
        for value in sorted({value for value in values if values.count(value) > 1}):
            yield f"more than one guest has the {key} {value}: give each its own"


def xen_version(probe, **_):
    """Xen is old enough to lack Remus."""
    if version(probe) and version(probe) < OLDEST:
        yield "Xen is older than 4.2, which had the first Remus under xl: install a newer one"


def secure_boot(probe, **_):
    """GRUB starts nothing unsigned then, and Debian does not sign Xen: the host would stop at GRUB's menu."""
    if not probe["xen"] and probe["secure_boot"]:
        yield "Secure Boot is on, and Xen is not signed, so GRUB would not start it: switch it off in the firmware"


def log_dirty(probe, guests, **_):
    """Xen cannot log the pages that a guest of this type writes, which Remus is made of."""
    for guest in guests:
        if guest["type"] == "pvh" and "hap" not in able(probe):
            yield f"{guest['name']} is a PVH guest and needs HAP (EPT or NPT): enable it in the firmware"
        named = version(probe) is None or version(probe) >= ABILITIES_NAMED_SINCE
        if guest["type"] == "pv" and named and "shadow" not in able(probe):
            yield f"{guest['name']} is a PV guest and needs shadow paging, which this Xen is built without: make it PVH"


def suspend_event_channel(probe, **_):
    """An old libxl asks such a guest every 100 ms only whether it is suspended."""
    if version(probe) and version(probe) < EVENT_CHANNEL_UNUSED_SINCE:
        for name in probe["without_suspend_channel"]:
            yield f"{name} offers no suspend event channel: below 200 ms no interval means anything"


def cpu_features(probe, peers, guests, **_):
    """A guest that has seen a CPU feature crashes where it is missing; other hosts may have others."""
    partners = {guest[side] for guest in guests for side in ("primary", "backup")}
    for name, peer in ((name, peer) for name, peer in peers.items() if name in partners):
        both = (probe["xen"], peer["xen"]) if probe["xen"] and peer["xen"] else (probe["machine"], peer["machine"])
        if both[0]["cpu_features"] != both[1]["cpu_features"] and bool(probe["xen"]) == bool(peer["xen"]):
            yield f"the CPU's features differ from {name}'s: level them by Xen's cpuid_mask or the guests' cpuid="


def hostname(probe, peers, **_):
    """NFS tells its clients apart by what they call themselves."""
    for name, peer in peers.items():
        if probe["hostname"] == peer["hostname"]:
            yield f"it calls itself {probe['hostname']}, as {name} does: give each its own name, then reboot it"


def clock(probe, peers, answered_s, tolerance_s, **_):
    """A decision's age is told by the wall clock; each was read some time between the question and all answers."""
    for name, peer in peers.items():
        least_s = max(
            (probe["clock_s"] - answered_s) - (peer["clock_s"] - peer["asked_s"]),
            (peer["clock_s"] - answered_s) - (probe["clock_s"] - probe["asked_s"]),
        )
        if least_s > tolerance_s:
            yield f"the clock is {least_s:.1f} s or more off {name}'s: let both follow the same time server"


def memory(probe, guests, dom0_memory_mb, **_):
    """A guest's copy needs as much memory as the guest."""
    held = {name.removesuffix("--incoming") for name in probe["domains"]}
    wanted_mb = sum(guest["memory_mb"] + OVERHEAD_MB for guest in guests if guest["name"] not in held)
    free_mb = probe["xen"]["free_memory_mb"] if probe["xen"] else probe["machine"]["memory_mb"] - dom0_memory_mb
    if wanted_mb > free_mb:
        yield f"{free_mb} MB are free, {wanted_mb} MB wanted for its guests: give dom0 or the guests less"


def affinity(probe, guests, **_):
    """A hard affinity travels with the guest; a CPU that is missing here makes the takeover fail."""
    cpus = (probe["xen"] or probe["machine"])["cpus"]
    for guest in guests:
        highest = max(map(int, re.findall(r"\d+", str(guest.get("cpus", "")))), default=0)
        if highest >= cpus:
            yield f"{guest['name']} is bound to CPU {highest}, here are {cpus}: bind it to CPUs that both hosts have"


def reachability(probe, off, **_):
    """The peer does not answer, and not because it is off."""
    for name in (name for name in probe["silent_peers"] if name not in off):
        yield f"{name} cannot be reached from here: look at it, its address, and what filters packets between them"


def stale_incoming(probe, **_):
    """A copy that nobody feeds makes the next start of Remus fail; where it is not known which are fed, all may be."""
    for name in probe["domains"] if probe["receiving"] is not None else ():
        if name.endswith("--incoming") and name.removesuffix("--incoming") not in probe["receiving"]:
            yield f"{name} is left from an earlier replication: `xl destroy {name}`"


def buffered_disk(probe, **_):
    """A peer does not see what this host's page cache holds."""
    for name in probe["buffered_disks"]:
        yield (
            f"the disk of {name} goes through the page cache: shut the guest down and start it again, without a lease"
            f" after `systemctl restart hefery-disk@{name}`"
        )


def nfs_disk(guests, **_):
    """Memory goes back to the last checkpoint in a failover, a shared disk does not."""
    for guest in guests:
        if guest.get("disk"):
            yield (
                f"the disk of {guest['name']} is not replicated: after a failover it is newer than the memory; where"
                " your guests' file systems bear that, say so by `xen_host_accepted_findings: [nfs_disk]`"
            )


def bridge(probe, bridge_port, **_):
    """There is neither a bridge nor a port to make one with."""
    if probe["bridge"] or bridge_port in probe["interfaces"]:
        return
    if bridge_port:
        found = ", ".join(name for name in probe["interfaces"] if name != "lo")
        yield f"there is no interface {bridge_port}, only {found}: correct xen_host_bridge_port"
    else:
        yield "there is no such bridge: make it, or name the interface that joins it in xen_host_bridge_port"


CHECKS = (
    declaration,
    xen_version,
    secure_boot,
    log_dirty,
    suspend_event_channel,
    cpu_features,
    hostname,
    clock,
    memory,
    affinity,
    reachability,
    stale_incoming,
    buffered_disk,
    nfs_disk,
    bridge,
)


def findings(probe, *, host, hosts, peers, off, guests, answered_s, tolerance_s, dom0_memory_mb, bridge_port):
    """Return what is wrong with the host as it was probed: a list of {name, text}.

    `hosts` are all Xen hosts. `peers` maps names to probes; all had answered by the controller's clock `answered_s`.
    Peers that are `off` have been found to be so by the controller itself.
    """
    mine = [guest for guest in guests if host in (guest["primary"], guest["backup"])]
    found = {
        check.__name__: check(
            probe=probe,
            peers=peers,
            off=off,
            declared=guests,
            hosts=hosts,
            guests=mine,
            answered_s=answered_s,
            tolerance_s=tolerance_s,
            dom0_memory_mb=dom0_memory_mb,
            bridge_port=bridge_port,
        )
        for check in CHECKS
    }
    return [{"name": name, "text": f"{name}: {text}"} for name, texts in found.items() for text in texts]


class FilterModule:
    """What Ansible looks for."""

    def filters(self):
        """Return the filters by their names."""
        return {"xen_host_findings": findings}
