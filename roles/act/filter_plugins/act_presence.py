"""Whether guests are where Hefery is to be taken away: in, what Xen hosts said, one after the other; out, refusals."""

from pathlib import PurePosixPath

RUNNING = ("active", "activating", "deactivating", "reloading")
BARE = "without xen"


def act_names(given, guests):
    """Return the names of the declared guests, and of those that a host has been given and nobody declares any more."""
    paths = [line for answer in given["results"] for line in answer.get("stdout_lines", []) if line != BARE]
    return sorted({guest["name"] for guest in guests} | {PurePosixPath(path).stem for path in paths})


def act_presence(given, looks, guests):
    """Return why nothing may be taken away, with the remedies; `looks` are of the same hosts as `given`."""
    declared = {guest["name"] for guest in guests}
    asked = zip(given["results"], looks["results"], strict=True)
    return [reason for knows, answer in asked for reason in _reasons(knows, answer, declared)]


def _reasons(knows, answer, declared):
    host, look = answer["__act_asked_host"], answer.get("look")
    if "stdout_lines" not in knows or look is None:
        unknown = f"{host} did not answer, so whether a guest is there is not known"
        return [f"{unknown}: start it, or where it is gone for good take it out of the inventory"]
    if BARE in knows["stdout_lines"]:  # then it carries no guest
        return []
    if not look["xen"]:
        return [f"`xl list` fails on {host}, so whether a guest is there is not known: see why it does"]
    return [reason for name in look["units"] if (reason := _reason(name, host, look, declared))]


def _reason(name, host, look, declared):
    again = "" if name in declared else f"declare {name} again, then "
    stop = f"{again}ansible-playbook playbooks/stop-replication.yml -e guest={name}"
    is_replicated = look["units"][name] in RUNNING
    if name in look["live"]:
        return f"{name} lives on {host}: {stop + ', then ' if is_replicated else ''}`xl shutdown -w {name}` there"
    if name in look["incoming"]:
        return f"{host} has a copy of {name}: {stop}"
    return f"{host} still replicates {name}: {stop}" if is_replicated else ""


class FilterModule:
    """What Ansible asks of this file."""

    def filters(self):
        """Return the filters by their names."""
        return {function.__name__: function for function in (act_names, act_presence)}
