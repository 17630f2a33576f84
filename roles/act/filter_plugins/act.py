"""What an act is to do: the declared guests, and what every Xen host said of them -> a plan a guest, or a refusal."""

import json
from dataclasses import asdict, dataclass

from ansible.errors import AnsibleFilterError

RUNNING = ("active", "activating", "deactivating", "reloading")


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


class Survey:
    """Where a guest lives, arrives and is replicated, by what the hosts said (None: a host did not answer)."""

    def __init__(self, guest, seen):
        """Sort what was seen by what it says of the guest."""
        self.name, self.guest, self.seen = guest["name"], guest, seen
        self.silent = [host for host, look in seen.items() if look is None]
        answers = {host: look for host, look in seen.items() if look is not None}
        self.without_xen = [host for host, look in answers.items() if not look["xen"]]
        self.lives = [host for host, look in answers.items() if self.name in look["live"]]
        self.incoming = [host for host, look in answers.items() if self.name in look["incoming"]]
        self.replicating = [host for host, look in answers.items() if look["units"][self.name] in RUNNING]

    def other(self, host):
        """Return the other of the guest's two hosts."""
        return self.guest["backup"] if host == self.guest["primary"] else self.guest["primary"]

    def told(self, host):
        """Return what the host's agent says of the guest's replication; nothing where it says nothing."""
        look = self.seen.get(host)
        return (look and look["replication"][self.name]) or {}

    def protected(self):
        """Whether the guest lives once and its checkpoints arrive."""
        return len(self.lives) == 1 and self.told(self.lives[0]).get("protected") is True

    def home(self):
        """Return the one host that the guest lives on, once all were asked; raises Refusal."""
        name = self.name
        if self.silent:
            hosts = ", ".join(self.silent)
            raise Refusal(f"{hosts} did not answer, so whether {name} lives there is not known: start {hosts} first")
        if self.without_xen:
            raise Refusal(f"Xen does not run on {', '.join(self.without_xen)}: run playbooks/xen.yml")
        if len(self.lives) > 1:
            raise Refusal(
                f"{name} LIVES TWICE, on {' and '.join(self.lives)}: find out which of them clients spoke to last,"
                f" then `xl destroy {name}` on the other"
            )
        if not self.lives:
            raise Refusal(f"{name} lives nowhere: {self._revival()}")
        return self.lives[0]

    def _revival(self):
        if not self.incoming:
            return "playbooks/guests.yml starts it on its primary"
        return (
            f"{self.incoming[0]} holds a copy that waits: if the other side is dead for sure,"
            f" `hefery-remus take-over --force --domain {self.name}` there wakes it"
        )


def startable(survey, host, peer):
    """Raise Refusal where a replication from `host` to `peer` must not be started."""
    name, here, there = survey.name, survey.seen[host], survey.seen[peer]
    if name in there["incoming"]:
        raise Refusal(
            f"{peer} holds a stale {name}--incoming of a replication that has ended:"
            f" `hefery-remus clean --domain {name}` there removes it, or playbooks/stop-replication.yml"
        )
    absent = [host for host, look in ((host, here), (peer, there)) if look["units"][name] == "absent"]
    if absent:
        raise Refusal(f"Remus is not set up on {', '.join(absent)}: run site.yml")
    if here["services"]["agent"] != "active":
        raise Refusal(f"the agent does not run on {host}, so nobody would see the checkpoints: start hefery-agent")
    for service, unit in (("receiver", "hefery-receiver.socket"), ("heartbeat", "hefery-heartbeat.service")):
        if there["services"][service] != "active":
            raise Refusal(f"{unit} is not active on {peer}: `systemctl start {unit}` there")
    if name not in there["disks"]:
        raise Refusal(f"{peer} has no disk /dev/hefery/{name}: run site.yml, or `systemctl start hefery-disk@{name}`")
    if f"/dev/hefery/{name}" in there["disks_in_use"]:
        raise Refusal(f"a domain of {peer} has the disk of {name} open: shut that domain down first")


def replicate(survey, host, act):
    """Return the plan of a replication from where the guest lives."""
    name, peer = survey.name, survey.other(host)
    plan = {"guest": name, "act": act, "host": host, "peer": peer}
    if host not in survey.replicating:
        startable(survey, host, peer)
        return Plan(**plan, do="start", words=f"{name}: replicate it from {host} to {peer}")
    if survey.protected():
        return Plan(**plan, words=f"{name}: lives on {host}, protected on {peer}")
    return Plan(**plan, do="wait", words=f"{name}: replicated from {host} to {peer}, wait until it is protected")


def protect(survey):
    """Replicate from the declared primary only."""
    host = survey.home()
    if host != survey.guest["primary"] and not survey.protected():
        raise Refusal(
            f"{survey.name} lives on {host}, which is not its primary ({survey.guest['primary']}):"
            f" ansible-playbook playbooks/reprotect.yml -e guest={survey.name}"
        )
    return replicate(survey, host, "protect")


def reprotect(survey):
    """Replicate from wherever the guest lives."""
    return replicate(survey, survey.home(), "reprotect")


def stop(survey):
    """End a replication, or what is left of one."""
    host = survey.home()
    peer = survey.other(host)
    plan = {"guest": survey.name, "act": "stop", "host": host, "peer": peer}
    if host in survey.replicating:
        return Plan(**plan, do="stop", words=f"{survey.name}: stop its replication from {host} to {peer}, {peer} first")
    if peer in survey.incoming:
        return Plan(**plan, do="clean", words=f"{survey.name}: remove what an ended replication has left on {peer}")
    return Plan(**plan, words=f"{survey.name}: lives on {host}, not replicated")


def drill(survey):
    """Hand the guest over to where it is protected."""
    host = survey.home()
    peer = survey.other(host)
    if not survey.protected() or peer not in survey.incoming:
        act = "protect" if host == survey.guest["primary"] else "reprotect"
        raise Refusal(
            f"{survey.name} lives on {host} and is not protected, so a drill would lose it:"
            f" ansible-playbook playbooks/{act}.yml -e guest={survey.name}"
        )
    plan = {"guest": survey.name, "act": "drill", "host": host, "peer": peer}
    return Plan(**plan, do="hand-over", words=f"{survey.name}: hand it over from {host} to {peer}")


ACTS = {"protect": protect, "reprotect": reprotect, "stop": stop, "drill": drill}


def act_seen(hostvars, hosts):
    """Return what each host said, None for one that did not answer."""
    told = {host: hostvars[host].get("__act_look", {}) for host in hosts}
    return {host: answer.get("look") for host, answer in told.items()}


def act_chosen(guests, name):
    """Return the guest of this name, all without one; an unknown name is refused."""
    chosen = [guest for guest in guests if name in ("", guest["name"])]
    if not chosen:
        raise AnsibleFilterError(f"no guest is called {name!r}; declared are {', '.join(g['name'] for g in guests)}")
    return chosen


def act_plans(guests, act, seen):
    """Return a plan for each guest."""
    return [asdict(_plan(Survey(guest, seen), act)) for guest in guests]


def _plan(survey, act):
    try:
        return ACTS[act](survey)
    except Refusal as refusal:
        return Plan(survey.name, act, words=f"{survey.name}: refused: {refusal}", refusal=str(refusal))


def act_copies(guests, seen):
    """Return what is wrong with the number of copies: nothing where each guest lives exactly once, and none arrives."""
    wrong = []
    for survey in (Survey(guest, seen) for guest in guests):
        try:
            survey.home()
        except Refusal as refusal:
            wrong.append(str(refusal))
        wrong += [f"{host} still holds {survey.name}--incoming" for host in survey.incoming]
    return wrong


def act_url(guest):
    """Return the page that a guest is known to be alive by."""
    return guest.get("url", f"http://{guest['address']}/")


def act_evidence(plan, watched, handed, seen):
    """Return what a drill has shown: the client's answers, the command's time, and where the guest lives now."""
    before, after = watched["before"] or {}, watched["after"] or {}
    return {
        "guest": plan["guest"],
        "from": plan["host"],
        "to": plan["peer"],
        "begun": handed["start"],
        "hand_over_s": _seconds(handed["delta"]),
        "steps_s": json.loads(handed["stdout"])["steps_s"],
        "answers": watched["answers"],
        "without_answer_s": watched["without_answer_s"],
        "before": before,
        "after": after,
        "same_history": watched["before"] is not None and before.get("boot") == after.get("boot"),
        "lives_on": [host for host, look in seen.items() if look and plan["guest"] in look["live"]],
        "arrives_on": [host for host, look in seen.items() if look and plan["guest"] in look["incoming"]],
    }


def _seconds(text):
    hours, minutes, seconds = text.split(":")
    return round(int(hours) * 3600 + int(minutes) * 60 + float(seconds), 3)


FIGURES = (("interval_ms", "{:.0f}"), ("rate_per_s", "{:.1f}"), ("pause_ms", "{:.0f}"))
HEADER = ("guest", "lives on", "copy on", "protected", "interval ms", "per s", "pause ms", "primary")


def _row(survey):
    told = survey.told(survey.lives[0]) if len(survey.lives) == 1 else {}
    figures = [form.format(told[name]) if told.get(name) is not None else "-" for name, form in FIGURES]
    nowhere = "?" if survey.silent else "-"
    where = [" and ".join(hosts) or nowhere for hosts in (survey.lives, survey.incoming)]
    return (survey.name, *where, "yes" if survey.protected() else "NO", *figures, survey.guest["primary"])


def act_table(guests, seen):
    """Return lines that show every guest, then every host."""
    rows = [HEADER, *(_row(Survey(guest, seen)) for guest in guests)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return lines + [f"{host}: {_host(look)}" for host, look in seen.items()]


def _host(look):
    if look is None:
        return "DID NOT ANSWER"
    services = ", ".join(f"{name} {state}" for name, state in look["services"].items())
    return f"{services}{'' if look['xen'] else ', XEN DOES NOT RUN'}"


def act_unprotected(guests, seen):
    """Return why each unprotected guest is so."""
    return [reason for guest in guests if (reason := _unprotected(Survey(guest, seen)))]


def _unprotected(survey):
    if survey.protected():
        return ""
    try:
        host = survey.home()
    except Refusal as refusal:
        return str(refusal)
    if host in survey.replicating:
        return f"{survey.name} is replicated from {host}, but no checkpoint arrives: journalctl -u remus@{survey.name}"
    act = "protect" if host == survey.guest["primary"] else "reprotect"
    return f"{survey.name} lives on {host}, unprotected: ansible-playbook playbooks/{act}.yml -e guest={survey.name}"


class FilterModule:
    """What Ansible asks of this file."""

    def filters(self):
        """Return the filters by their names."""
        filters = (act_seen, act_chosen, act_plans, act_copies, act_table, act_unprotected, act_url, act_evidence)
        return {function.__name__: function for function in filters}
