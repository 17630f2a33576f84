"""Whether a landscape is as it should be: in, questions and answers; out, rows, a report and a table for people."""

import calendar
import time
from itertools import groupby

BEFORE = "before hefery "
OURS = "hefery "
HEADER = ("", "check", "found")


def verify_rows(questions, answers, now_s):
    """Return a row for each check: what it is, whether it is well, what was found, and what to do where it is not."""
    asked = [{**question, "answer": answer} for question, answer in zip(questions, answers, strict=True)]
    rows = []
    for (part, name), group in groupby(
        sorted(asked, key=lambda one: (one["part"], one["row"])), key=lambda one: (one["part"], one["row"])
    ):
        members = list(group)
        well, found = JUDGES[members[0]["judge"]](members, now_s)
        rows.append(_row(part, name, well, found, next((one["remedy"] for one in members if one["remedy"]), "")))
    return rows


def verify_services(services, states, host):
    """Return a row for each service of a host; `states` are the lines of `systemctl is-active`."""
    told = dict(zip(services, states, strict=False))
    return [
        _row(
            "service",
            f"{host}: {name}",
            told.get(name) == "active",
            told.get(name, "unknown"),
            f"on {host}: systemctl status {name}; journalctl -u {name}",
        )
        for name in services
    ]


def verify_declared(changes):
    """Return a row on whether the store is as the inventory declares it; `changes` are what would make it so."""
    remedy = "ansible-playbook site.yml --tags influxdb,grafana,predictor,agent"  # a token that is made anew, too
    return [_row("store", "as declared", not changes, f"differs: {', '.join(changes)}" if changes else "yes", remedy)]


def verify_absent(hosts):
    """Return a row for each host that did not answer."""
    remedy = "start it, or mend the way to it by ssh; where --limit left it out, ask without --limit"
    return [_row("service", f"{host}: host", None, "did not answer", remedy) for host in hosts]


def verify_report(rows, commit):
    """Return the report as it is written."""
    failed = sum(not row["ok"] for row in rows)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"checks": len(rows), "failed": failed, "commit": commit, "time": moment, "rows": rows}


def verify_table(rows):
    """Return lines: every check, and under each that failed what to do."""
    cells = [HEADER] + [
        ("ok" if row["ok"] else "FAILED", f"{row['part']} {row['check']}", row["found"]) for row in rows
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(2)]
    lines = [f"{cell[0].ljust(widths[0])}  {cell[1].ljust(widths[1])}  {cell[2]}".rstrip() for cell in cells]
    told = [lines[0]]
    for row, line in zip(rows, lines[1:], strict=True):
        told += [line] if row["ok"] else [line, f"{' ' * widths[0]}  -> {row['remedy']}"]
    return told


def _row(part, check, well, found, remedy):
    return {"part": part, "check": check, "ok": bool(well), "found": found, "remedy": "" if well else remedy}


def _any_rows(members, _):
    """A panel: every query is understood, and one at least has something to show."""
    if broken := _broken(members):
        return False, broken
    with_rows = sum(one["answer"]["count"] > 0 for one in members)
    if not with_rows and all(one["may_be_empty"] for one in members):
        return True, "nothing happened"
    return with_rows > 0, f"{with_rows} of {len(members)} queries have rows"


def _quiet(members, _):
    if broken := _broken(members):
        return False, broken
    firing = [row for one in members for row in one["answer"]["rows"] if float(row["value"]) > one["above"]]
    names = [row.get("domain") or row.get("host") or row.get("model") or "?" for row in firing]
    return not firing, f"fires for {', '.join(names)}" if firing else "quiet"


def _status(members, _):
    wrong = [
        f"not so: {one['act']} ({one['answer']['status']} {' '.join(one['answer']['told'].split())[:120]})"
        for one in members
        if one["answer"]["status"] not in one["want"] or (one.get("want_rows") and not one["answer"]["count"])
    ]
    return not wrong, "; ".join(wrong) or f"{len(members)} acts as they should be"


def _json(members, _):
    (one,) = members
    if broken := _broken(members):
        return False, broken
    value = one["answer"]["value"]
    return CHECKS[one["want"]](value) if isinstance(one["want"], str) else (value in one["want"], str(value))


def _age(members, now_s):
    (one,) = members
    if broken := _broken(members):
        return False, broken
    if not one["answer"]["rows"]:
        return False, "nothing in a day"
    moment = one["answer"]["rows"][0]["_time"]
    age_s = now_s - calendar.timegm(time.strptime(moment[:19], "%Y-%m-%dT%H:%M:%S"))
    return age_s <= one["limit_s"], f"{age_s:.0f} s old"


def _broken(members):
    """Return what the first question that was not answered was answered, if there is one."""
    return next(
        (
            f"{one['answer']['status']}: {' '.join(one['answer']['told'].split())}"
            for one in members
            if one["answer"]["status"] != 200
        ),
        "",
    )


def _no_old(found):
    old = [one["description"] for one in found if one["description"].startswith(BEFORE)]
    return not old, f"still valid: {', '.join(old)}" if old else "none"


def _tasks(found):
    ours = {one["name"]: one for one in found if one["name"].startswith(OURS)}
    wrong = [
        name
        for name, one in ours.items()
        if one["status"] != "active" or one.get("lastRunStatus", "success") not in {"success", ""}
    ]
    return not wrong, f"failed: {', '.join(wrong)}" if wrong else f"{len(ours)} tasks run"


JUDGES = {"any_rows": _any_rows, "quiet": _quiet, "status": _status, "json": _json, "age": _age}
CHECKS = {"no_old": _no_old, "tasks": _tasks, "there": lambda found: (bool(found), "there" if found else "not there")}


class FilterModule:
    """What Ansible asks of this file."""

    def filters(self):
        """Return the filters by their names."""
        known = (verify_rows, verify_services, verify_declared, verify_absent, verify_report, verify_table)
        return {function.__name__: function for function in known}
