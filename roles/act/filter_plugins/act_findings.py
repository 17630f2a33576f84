"""What guests and hosts are like: in, surveys of guests and what every Xen host said; out, lines for people."""

FIGURES = (("interval_ms", "{:.0f}"), ("rate_per_s", "{:.1f}"), ("pause_ms", "{:.0f}"))
HEADER = ("guest", "lives on", "copy on", "protected", "interval ms", "per s", "pause ms", "primary")


def act_table(surveys, seen):
    """Return lines that show every guest, then every host."""
    rows = [HEADER, *map(_row, surveys)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return lines + [f"{host}: {_host(look)}" for host, look in seen.items()]


def _row(survey):
    told = survey["told"]
    figures = [form.format(told[name]) if told.get(name) is not None else "-" for name, form in FIGURES]
    nowhere = "?" if survey["silent"] else "-"
    where = [" and ".join(survey[hosts]) or nowhere for hosts in ("lives", "incoming")]
    return (survey["guest"], *where, "yes" if survey["protected"] else "NO", *figures, survey["primary"])


def _host(look):
    if look is None:
        return "DID NOT ANSWER"
    services = ", ".join(f"{name} {state}" for name, state in look["services"].items())
    return f"{services}{'' if look['xen'] else ', XEN DOES NOT RUN'}"


def act_unprotected(surveys):
    """Return why each unprotected guest is so."""
    return [_unprotected(survey) for survey in surveys if not survey["protected"]]


def _unprotected(survey):
    name, host = survey["guest"], survey["home"]
    if survey["doubt"]:
        return survey["doubt"]
    if host in survey["replicating"]:
        return f"{name} is replicated from {host}, but no checkpoint arrives: journalctl -u remus@{name}"
    act = "protect" if host == survey["primary"] else "reprotect"
    return f"{name} lives on {host}, unprotected: ansible-playbook playbooks/{act}.yml -e guest={name}"


def act_copies(surveys):
    """Return what is wrong with the number of copies: nothing where each guest lives exactly once, and none arrives."""
    wrong = []
    for survey in surveys:
        wrong += [survey["doubt"]] if survey["doubt"] else []
        wrong += [f"{host} still holds {survey['guest']}--incoming" for host in survey["incoming"]]
    return wrong


class FilterModule:
    """What Ansible asks of this file."""

    def filters(self):
        """Return the filters by their names."""
        return {function.__name__: function for function in (act_table, act_unprotected, act_copies)}
