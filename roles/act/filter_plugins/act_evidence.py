"""What a drill has shown: in, its plan, what a client saw and what every Xen host said; out, the evidence to keep."""

import json


def act_url(guest):
    """Return the page that a guest is known to be alive by."""
    return guest.get("url", f"http://{guest['address']}/")


def act_evidence(plan, watched, handed, seen):
    """Return the client's answers, the command's time, and where the guest lives now."""
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
        "same_history": _is_same_boot(watched["before"], watched["after"]),
        "lives_on": [host for host, look in seen.items() if look and plan["guest"] in look["live"]],
        "arrives_on": [host for host, look in seen.items() if look and plan["guest"] in look["incoming"]],
    }


def _is_same_boot(before, after):
    """Return whether it went on, by the boot that its page names; None for a page that names none."""
    if before is None or after is None:
        return False
    return before.get("boot") == after.get("boot") if "boot" in before or "boot" in after else None


def _seconds(text):
    hours, minutes, seconds = text.split(":")
    return round(int(hours) * 3600 + int(minutes) * 60 + float(seconds), 3)


class FilterModule:
    """What Ansible asks of this file."""

    def filters(self):
        """Return the filters by their names."""
        return {function.__name__: function for function in (act_url, act_evidence)}
