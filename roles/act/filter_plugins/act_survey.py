"""Where guests are: in, the declared guests and what every Xen host said; out, a survey a guest.

A survey is a dictionary, as filters share data and no code: `guest`, its `primary` and `backup`; the hosts on which it
`lives`, is `incoming` and is `replicating` from; those that are `silent`; its `home`, the one host it lives on for
sure, or with none the `doubt` about it; what the agent there `told`, and whether the guest is `protected`.
"""

from ansible.errors import AnsibleFilterError

RUNNING = ("active", "activating", "deactivating", "reloading")


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


def act_survey(guests, seen):
    """Return a survey of each guest."""
    return [_survey(guest, seen) for guest in guests]


def _survey(guest, seen):
    name = guest["name"]
    answers = {host: look for host, look in seen.items() if look is not None}
    lives = [host for host, look in answers.items() if name in look["live"]]
    incoming = [host for host, look in answers.items() if name in look["incoming"]]
    told = (answers[lives[0]]["replication"][name] if len(lives) == 1 else None) or {}
    doubt = _unasked(name, lives, seen) or _doubt(name, lives, incoming)
    return {
        "guest": name,
        "primary": guest["primary"],
        "backup": guest["backup"],
        "lives": lives,
        "incoming": incoming,
        "replicating": [host for host, look in answers.items() if look["units"][name] in RUNNING],
        "silent": [host for host in seen if host not in answers],
        "home": "" if doubt else lives[0],
        "doubt": doubt,
        "told": told,
        "protected": told.get("protected") is True,
    }


def _unasked(name, lives, seen):
    silent = ", ".join(host for host, look in seen.items() if look is None)
    if silent:
        known = f" (it does on {' and '.join(lives)})" if lives else ""
        remedy = f"start {silent} first, or mend what has failed there before in this run"
        return f"{silent} did not answer, so whether {name} lives there is not known{known}: {remedy}"
    without_xen = ", ".join(host for host, look in seen.items() if not look["xen"])
    return f"Xen does not run on {without_xen}: run playbooks/xen.yml" if without_xen else ""


def _doubt(name, lives, incoming):
    if len(lives) > 1:
        return (
            f"{name} LIVES TWICE, on {' and '.join(lives)}: find out which of them clients spoke to last,"
            f" then `xl destroy {name}` on the other"
        )
    if lives:
        return ""
    if not incoming:
        return f"{name} lives nowhere: playbooks/guests.yml starts it on its primary"
    return (
        f"{name} lives nowhere: {incoming[0]} holds a copy that waits: if the other side is dead for sure,"
        f" `hefery-remus take-over --force --domain {name}` there wakes it"
    )


class FilterModule:
    """What Ansible asks of this file."""

    def filters(self):
        """Return the filters by their names."""
        return {function.__name__: function for function in (act_seen, act_chosen, act_survey)}
