"""What to ask a landscape: in, what it should be; out, questions for the module verify_ask, and what would be right."""

import json
import re

MEASUREMENT = "hefery_verify"
REFUSED = [401, 403, 404]
REMEDIES = {
    "host": "no agent tells of its host: is hefery-agent active there, and does its journal name the store?",
    "agent": "no agent tells of itself: is hefery-agent active there, and does its journal name the store?",
    "domain": "no agent sees a guest: `xl list` on the Xen hosts, then playbooks/guests.yml",
    "checkpoint": "no guest was replicated in this time: playbooks/protect.yml",
    "forecast": "journalctl -u hefery-predictor says why; without a model: sudo -u hefery hefery-predictor train",
    "decision": "journalctl -u hefery-predictor says why",
    "training": "none was made in this time: sudo -u hefery hefery-predictor train",
    "response": "no load client measured in this time",
}
FOLDED = "the store folds its points into minutes every ten: ask again then"
QUIET = {"event", "incident"}
S_PER_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def verify_panels(dashboards, of):
    """Return a question for each query of each panel of Grafana's dashboards; their variables choose everything."""
    return [
        {
            "row": f"{board['title']}: {panel['title']}",
            "part": "panel",
            "judge": "any_rows",
            "of": of,
            "token": "grafana",
            "flux": re.sub(r"\$\{\w+:regex\}", ".*", target["query"]),
            "span_s": _span_s(board["time"]["from"]),
            "may_be_empty": _measurements(target["query"]) <= QUIET,
            "remedy": _remedy(target["query"]),
        }
        for board in dashboards
        for panel in board["panels"]
        for target in panel.get("targets", [])
    ]


def _remedy(query):
    told = [REMEDIES[name] for name in sorted(_measurements(query)) if name in REMEDIES]
    return "; ".join([FOLDED, *told] if re.search(r'bucket: "\w+-\w+"', query) else told)


def verify_alerts(document):
    """Return a question for each alert rule of Grafana's provisioning file: does it fire?"""
    return [
        {
            "row": rule["title"],
            "part": "alert",
            "judge": "quiet",
            "of": "store",
            "token": "grafana",
            "flux": rule["data"][0]["model"]["query"],
            "span_s": rule["data"][0]["relativeTimeRange"]["from"],
            "above": rule["data"][1]["model"]["conditions"][0]["evaluator"]["params"][0],
            "remedy": rule["annotations"]["description"],
        }
        for group in document["groups"]
        for rule in group["rules"]
    ]


def verify_tokens(tokens, buckets):
    """Return questions by which each token does what it may and what it may not; the last remove the traces."""
    asked = [_writes(name, allowed, bucket) for name, allowed in tokens.items() for bucket in buckets]
    asked += [_reads(name, allowed, bucket, tokens) for name, allowed in tokens.items() for bucket in buckets]
    asked += [_makes_a_bucket(name) for name in tokens]
    return asked + [_removes(bucket) for bucket in buckets]


def verify_store(forecast_age_s, agent_age_s, agents):
    """Return questions on the store itself and on how old what it holds is."""
    ages = [("forecast", _of("decisions", "forecast"), forecast_age_s, REMEDIES["forecast"])]
    ages += [
        (f"agent of {host}", f'{_of("telemetry", "host")} and r.host == "{host}"', agent_age_s, REMEDIES["host"])
        for host in agents
    ]
    runs = "see its runs by GET /api/v2/tasks/ID/runs"
    return [
        _json("health", "/health", "status", ["pass"], "journalctl -u influxdb"),
        _json("old tokens", "/api/v2/authorizations", "authorizations", "no_old", "finish playbooks/rotate-tokens.yml"),
        _json("down-sampling", "/api/v2/tasks?limit=500", "tasks", "tasks", runs),
        *(_age(*age) for age in ages),
    ]


def verify_grafana(dashboards):
    """Return questions on Grafana itself: its health, the data source's, and whether each dashboard is there."""
    remedy = "journalctl -u grafana-server"
    told = [
        ("health", "/api/health", "database", ["ok"]),
        ("data source", "/api/datasources/uid/hefery/health", "status", ["OK"]),
    ]
    told += [
        (f"dashboard {board['title']}", f"/api/dashboards/uid/{board['uid']}", "dashboard", "there")
        for board in dashboards
    ]
    return [
        {**_json(row, path, key, want, remedy), "of": "grafana", "part": "grafana"} for row, path, key, want in told
    ]


def _writes(name, allowed, bucket):
    may = bucket in allowed.get("write", [])
    return {
        **_token(name, f"{'writes' if may else 'cannot write'} {bucket}"),
        "method": "POST",
        "path": f"/api/v2/write?org=ORG&bucket={bucket}&precision=s",
        "body": f"{MEASUREMENT},token={name} n=1i NOW",
        "want": [204] if may else REFUSED,
    }


def _reads(name, allowed, bucket, tokens):
    may = bucket in allowed.get("read", [])
    written = any(bucket in other.get("write", []) for other in tokens.values())
    return {
        **_token(name, f"{'reads' if may else 'cannot read'} {bucket}"),
        "flux": f"{_of(bucket, MEASUREMENT)})",
        "span_s": 3600,
        "want": [200] if may else REFUSED,
        "want_rows": may and written,
    }


def _makes_a_bucket(name):
    body = json.dumps({"name": "hefery-verify", "orgID": "0000000000000001", "retentionRules": []})
    question = _token(name, "cannot make a bucket")
    return {**question, "method": "POST", "path": "/api/v2/buckets", "body": body, "want": REFUSED}


def _removes(bucket):
    span = {"start": "1970-01-01T00:00:00Z", "stop": "2200-01-01T00:00:00Z"}
    return {
        **_token("", f"traces removed from {bucket}"),
        "method": "POST",
        "path": f"/api/v2/delete?org=ORG&bucket={bucket}",
        "body": json.dumps({**span, "predicate": f'_measurement="{MEASUREMENT}"'}),
        "want": [204],
    }


def _token(name, act):
    remedy = "ansible-playbook site.yml --tags influxdb,grafana,predictor,agent makes it as it should be, for all"
    return {
        "row": name or "traces of this check",
        "part": "token",
        "judge": "status",
        "of": "store",
        "token": name,
        "act": act,
        "remedy": remedy,
    }


def _json(row, path, key, want, remedy):
    question = {"row": row, "part": "store", "judge": "json", "of": "store", "token": "", "remedy": remedy}
    return {**question, "method": "GET", "path": path, "key": key, "want": want}


def _age(row, source, limit_s, remedy):
    flux = f'{source}) |> last() |> keep(columns: ["_time"]) |> group() |> max(column: "_time")'
    question = {"row": row, "part": "age", "judge": "age", "of": "store", "token": "grafana", "remedy": remedy}
    return {**question, "flux": flux, "span_s": S_PER_UNIT["d"], "limit_s": limit_s}


def _of(bucket, measurement):
    """Return the Flux of all points of a measurement, in an open bracket for a further condition."""
    since = "range(start: v.timeRangeStart)"
    return f'from(bucket: "{bucket}") |> {since} |> filter(fn: (r) => r._measurement == "{measurement}"'


def _measurements(query):
    return set(re.findall(r'_measurement == "(\w+)"', query))


def _span_s(since):
    number, unit = re.fullmatch(r"now-(\d+)([smhd])", since).groups()
    return int(number) * S_PER_UNIT[unit]


class FilterModule:
    """What Ansible asks of this file."""

    def filters(self):
        """Return the filters by their names."""
        known = (verify_panels, verify_alerts, verify_tokens, verify_store, verify_grafana)
        return {function.__name__: function for function in known}
