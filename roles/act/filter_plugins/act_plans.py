"""What an act is to do: in, surveys of guests and what every Xen host said; out, a plan a guest, or its refusal."""

from dataclasses import asdict, dataclass
from functools import partial


class Refusal(Exception):
    """The act is not to be done; the text says why and names the remedy."""


@dataclass(frozen=True)
class Plan:
    """What is to be done to `guest`: `do` on `host`, with `peer` the other side; or why not."""

    guest: str
    act: str
    do: str = "nothing"
    host: str = ""
    peer: str = ""
    words: str = ""
    refusal: str = ""


def act_plans(surveys, act, seen, leaving=""):
    """Return a plan for each guest; `leaving` is the host that is to be left, in a maintenance."""
    acts = {**ACTS, "maintenance": partial(_maintenance, leaving=leaving)}
    return [asdict(_plan(survey, act, acts[act], seen)) for survey in surveys]


def _plan(survey, act, plan, seen):
    name, host = survey["guest"], survey["home"]
    if survey["doubt"]:
        return _refused(name, act, survey["doubt"])
    peer = survey["backup"] if host == survey["primary"] else survey["primary"]
    try:
        do, words = plan(survey, host, peer, seen)
    except Refusal as refusal:
        return _refused(name, act, str(refusal))
    return Plan(name, act, do, host, peer, f"{name}: {words}")


def _refused(name, act, why):
    return Plan(name, act, words=f"{name}: refused: {why}", refusal=why)


def _protect(survey, host, peer, seen):
    """Replicate from the declared primary only."""
    if host != survey["primary"] and not survey["protected"]:
        raise Refusal(
            f"{survey['guest']} lives on {host}, which is not its primary ({survey['primary']}):"
            f" ansible-playbook playbooks/reprotect.yml -e guest={survey['guest']}"
        )
    return _reprotect(survey, host, peer, seen)


def _reprotect(survey, host, peer, seen):
    """Replicate from wherever the guest lives."""
    if host not in survey["replicating"]:
        _require_startable(survey["guest"], host, peer, seen)
        return "start", f"replicate it from {host} to {peer}"
    if survey["protected"]:
        return "nothing", f"lives on {host}, protected on {peer}"
    return "wait", f"replicated from {host} to {peer}, wait until it is protected"


def _stop(survey, host, peer, _):
    """End a replication, or what is left of one."""
    if host in survey["replicating"]:
        return "stop", f"stop its replication from {host} to {peer}, {peer} first"
    if peer in survey["incoming"]:
        return "clean", f"remove what an ended replication has left on {peer}"
    return "nothing", f"lives on {host}, not replicated"


def _drill(survey, host, peer, _):
    """Hand the guest over to where it is protected."""
    _require_protected(survey, host, peer, "a drill would lose it")
    return "hand-over", f"hand it over from {host} to {peer}"


def _experiment(survey, host, peer, _):
    """Load the guest while it is checkpointed."""
    _require_protected(survey, host, peer, "there is no checkpoint to feel")
    return "measure", f"load it on {host}, at the protective interval, then at that of Hefery's choice"


def _maintenance(survey, host, peer, seen, *, leaving):
    """Let nothing of it be left on a host."""
    if host == leaving:
        return _drill(survey, host, peer, seen)
    if peer == leaving:
        return _stop(survey, host, peer, seen)
    return "nothing", f"lives on {host}, and has nothing on {leaving}"


ACTS = {"protect": _protect, "reprotect": _reprotect, "stop": _stop, "drill": _drill, "experiment": _experiment}


def _require_protected(survey, host, peer, why):
    if survey["protected"] and peer in survey["incoming"]:
        return
    act = "protect" if host == survey["primary"] else "reprotect"
    raise Refusal(
        f"{survey['guest']} lives on {host} and is not protected, so {why}:"
        f" ansible-playbook playbooks/{act}.yml -e guest={survey['guest']}"
    )


def _require_startable(name, host, peer, seen):
    here, there = seen[host], seen[peer]
    if name in there["incoming"]:
        raise Refusal(
            f"{peer} holds a stale {name}--incoming of a replication that has ended:"
            f" `hefery-remus clean --domain {name}` there removes it, or playbooks/stop-replication.yml"
        )
    absent = [side for side, look in ((host, here), (peer, there)) if look["units"][name] == "absent"]
    if absent:
        raise Refusal(f"Remus is not set up on {', '.join(absent)}: run site.yml")
    if here["services"]["agent"] != "active":
        raise Refusal(f"the agent does not run on {host}, so nobody would see the checkpoints: start hefery-agent")
    for service, unit in (("receiver", "hefery-receiver.socket"), ("heartbeat", "hefery-heartbeat.service")):
        if there["services"][service] != "active":
            raise Refusal(f"{unit} is not active on {peer}: `systemctl start {unit}` there")
    if name in there["missing_disks"]:
        raise Refusal(f"{peer} does not see the disk of {name}: run site.yml, which mounts and attaches it")
    if name in there["disks_in_use"]:
        raise Refusal(f"a domain of {peer} has the disk of {name} open: shut that domain down first")


class FilterModule:
    """What Ansible asks of this file."""

    def filters(self):
        """Return the filter by its name."""
        return {"act_plans": act_plans}
