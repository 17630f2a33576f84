"""An Ansible module that asks a store and its Grafana: in, questions; out, one answer each, in their order.

It judges nothing. The tokens are read here, where the role influxdb keeps them, and never travel.
"""

import base64
import csv
import io
import json
import re
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

DOCUMENTATION = """
module: verify_ask
short_description: Asks InfluxDB 2 and Grafana
description:
  - A question has C(of) (C(store) or C(grafana)), C(token) (a file's name; empty for the administrator's, C(-) for
    none), and either C(flux) with C(span_s), the time that it looks back, or C(method), C(path) and C(body).
options:
  store: {description: "url, organisation and ca_file of InfluxDB.", type: dict, required: true}
  grafana: {description: "url, user, password and ca_file of Grafana; empty without one.", type: dict, required: true}
  admin_token: {description: The administrator's token., type: str, required: true}
  token_folder: {description: Where the tokens are., type: path, required: true}
  questions: {description: What to ask., type: list, elements: dict, required: true}
author: hefery
"""

_REQUEST_LIMIT_S = 60
_ROWS = 50
_TOLD = 300
_WINDOWS = 200
_JUDGED = ("name", "description", "status", "lastRunStatus")


class Asker:
    """Where to ask; `wanted` has the module's options."""

    def __init__(self, wanted: dict[str, Any], now_s: float) -> None:
        """`now_s` is where all times end."""
        self._wanted = wanted
        self._now_s = now_s

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Status (0 where there was no answer), the beginning of what was told, and rows where Flux was asked."""
        try:
            status, told = self._send(question)
        except urllib.error.HTTPError as error:
            status, told = error.code, error.read().decode("utf-8", "replace")
        except (OSError, ValueError) as error:  # no answer, no token
            return {"status": 0, "told": str(error)[:_TOLD], "count": 0, "rows": []}
        rows = self._rows(question, told) if "flux" in question and status == 200 else []
        failed = next((row["error"] for row in rows if row.get("error")), "")
        if failed:
            return {"status": 400, "told": failed[:_TOLD], "count": 0, "rows": []}
        answer = {"status": status, "told": told[:_TOLD], "count": len(rows), "rows": rows[:_ROWS]}
        return answer | {"value": _value(told, question["key"])} if "key" in question and status == 200 else answer

    def _send(self, question: dict[str, Any]) -> tuple[int, str]:
        of = self._wanted[question["of"]]
        method, path, body = self._request(question)
        headers = {"Content-Type": "application/json" if body[:1] == b"{" else "text/plain", **self._login(question)}
        request = urllib.request.Request(f"{of['url']}{path}", body or None, headers, method=method)  # noqa: S310 - the inventory's
        trusted = ssl.create_default_context(cafile=of.get("ca_file") or None)
        with urllib.request.urlopen(request, timeout=_REQUEST_LIMIT_S, context=trusted) as answer:  # noqa: S310 - as above
            return answer.status, answer.read().decode("utf-8", "replace")

    def _request(self, question: dict[str, Any]) -> tuple[str, str, bytes]:
        organisation = self._wanted["store"]["organisation"]
        if "flux" not in question:
            body = question.get("body", "").replace("NOW", str(int(self._now_s)))
            return question["method"], question["path"].replace("ORG", organisation), body.encode()
        if question["of"] == "store":
            asked = {"query": self._completed(question), "dialect": {"annotations": [], "header": True}}
            return "POST", f"/api/v2/query?org={organisation}", json.dumps(asked).encode()
        start_ms, stop_ms = (str(int(1000 * s)) for s in (self._now_s - question["span_s"], self._now_s))
        query = {"refId": "A", "datasource": {"type": "influxdb", "uid": "hefery"}, "query": question["flux"]}
        query |= {"intervalMs": 1000 * question["span_s"] // _WINDOWS, "maxDataPoints": _WINDOWS}
        return "POST", "/api/ds/query", json.dumps({"queries": [query], "from": start_ms, "to": stop_ms}).encode()

    def _completed(self, question: dict[str, Any]) -> str:
        """The text as Grafana completes it."""
        start_s, window_s = self._now_s - question["span_s"], max(1, question["span_s"] // _WINDOWS)
        values = {"timeRangeStart": _time(start_s), "timeRangeStop": _time(self._now_s), "windowPeriod": f"{window_s}s"}
        return re.sub(r"\bv\.(\w+)", lambda found: values.get(found[1], found[0]), question["flux"])

    def _login(self, question: dict[str, Any]) -> dict[str, str]:
        if question["of"] == "grafana":
            user = f"{self._wanted['grafana']['user']}:{self._wanted['grafana']['password']}"
            return {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}
        name = question.get("token", "")
        if name == "-":
            return {}
        token = Path(self._wanted["token_folder"], name).read_text() if name else self._wanted["admin_token"]
        return {"Authorization": f"Token {token.strip()}"}

    def _rows(self, question: dict[str, Any], told: str) -> list[dict[str, Any]]:
        if question["of"] == "store":
            tables = told.replace("\r\n", "\n").split("\n\n")
            return [row for table in tables for row in csv.DictReader(io.StringIO(table))]
        result = json.loads(told)["results"]["A"]
        if result.get("error"):
            return [{"error": str(result["error"])}]
        counts = [max(map(len, frame["data"]["values"]), default=0) for frame in result.get("frames", [])]
        return [{"frame": n} for n, count in enumerate(counts) for _ in range(count)]


def _value(told: str, key: str) -> Any:
    """What a JSON answer says under a key; of lists no more than is judged, and of what is larger that it is there."""
    value = json.loads(told).get(key)
    if isinstance(value, list):
        return [{name: one[name] for name in _JUDGED if name in one} for one in value]
    return bool(value) if isinstance(value, dict) else value


def _time(moment_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment_s))


def main() -> None:
    """Do it as Ansible asks."""
    from ansible.module_utils.basic import (  # type: ignore[import-untyped]  # noqa: PLC0415 - Ansible ships no types, tests do without it
        AnsibleModule,
    )

    table, secret = {"type": "dict", "required": True}, {"type": "str", "required": True, "no_log": True}
    module = AnsibleModule(
        argument_spec={
            "store": table,
            "grafana": {**table, "no_log": False},
            "admin_token": secret,
            "token_folder": {"type": "path", "required": True, "no_log": False},
            "questions": {"type": "list", "elements": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    asker = Asker(module.params, time.time())
    answers = [asker.answer(question) for question in module.params["questions"]]
    module.exit_json(changed=False, answers=answers, asked_s=time.time())


if __name__ == "__main__":
    main()
