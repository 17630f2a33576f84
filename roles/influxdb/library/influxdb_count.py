"""An Ansible module that reads a stopped InfluxDB's files: in, their folder; out, how many values each bucket holds.

The files are served on loopback, on a port that nobody knows, by a server that neither expires them nor runs tasks.
"""

import json
import re
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DOCUMENTATION = """
module: influxdb_count
short_description: Counts what the files of an InfluxDB 2 hold
description: Nothing else may use the files. Their counts are those of values, so of each field of each point.
options:
  program: {description: The server., type: path, required: true}
  folder: {description: Where influxd.bolt, influxd.sqlite and engine are., type: path, required: true}
  user: {description: Whom the files belong to., type: str, required: true}
  organisation: {description: The organisation that owns the buckets., type: str, required: true}
  admin_token: {description: The administrator's token., type: str, required: true}
  start_limit_s: {description: How long the server may take to start., type: int, default: 60}
author: hefery
"""

_LISTENING = re.compile(r"\bListening\b.*\bport[\"=: ]+(\d+)")
_REQUEST_LIMIT_S = 600
_COUNT = """from(bucket: "{}") |> range(start: 1677-09-22T00:00:00Z, stop: 2262-04-11T00:00:00Z)
  |> count() |> keep(columns: ["_value"]) |> group() |> sum()"""


class Refused(Exception):
    """The files cannot be read."""


def values(wanted: dict[str, Any]) -> dict[str, int]:
    """Values by bucket; `wanted` has the module's options."""
    with _served(wanted) as url:
        listed = _ask(wanted, f"{url}/api/v2/buckets?limit=100&org={wanted['organisation']}")
        names = sorted(one["name"] for one in json.loads(listed)["buckets"] if one["type"] == "user")
        return {name: _count(wanted, url, name) for name in names}


def _count(wanted: dict[str, Any], url: str, bucket: str) -> int:
    asked = {"query": _COUNT.format(bucket), "dialect": {"header": False, "annotations": []}}
    rows = _ask(wanted, f"{url}/api/v2/query?org={wanted['organisation']}", asked).splitlines()
    return int(rows[0].split(",")[-1]) if rows and rows[0] else 0


@contextmanager
def _served(wanted: dict[str, Any]) -> Iterator[str]:
    folder = Path(wanted["folder"])
    files = {"bolt": "influxd.bolt", "sqlite": "influxd.sqlite", "engine": "engine"}
    command = [wanted["program"], *(f"--{name}-path={folder / file}" for name, file in files.items())]
    command += ["--http-bind-address=127.0.0.1:0", "--reporting-disabled", "--no-tasks"]
    command += ["--storage-retention-check-interval=8760h"]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stdout=log, stderr=log, user=wanted["user"], cwd="/") as server,
    ):
        try:
            yield f"http://127.0.0.1:{_port(server, log, wanted['start_limit_s'])}"
        finally:
            server.terminate()  # it writes what it has in memory
            server.wait(_REQUEST_LIMIT_S)


def _port(server: subprocess.Popen[bytes], log: Any, limit_s: float) -> int:
    deadline = time.monotonic() + limit_s
    while True:
        log.seek(0)
        told = log.read()
        if found := _LISTENING.search(told):
            return int(found[1])
        if server.poll() is not None or time.monotonic() > deadline:
            raise Refused(f"the server does not start on these files: {told[-500:]}")
        time.sleep(0.1)


def _ask(wanted: dict[str, Any], url: str, body: dict[str, Any] | None = None) -> str:
    headers = {"Authorization": f"Token {wanted['admin_token']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - http, as above
    try:
        with urllib.request.urlopen(request, timeout=_REQUEST_LIMIT_S) as answer:  # noqa: S310 - as above
            text: str = answer.read().decode()
            return text
    except OSError as error:
        raise Refused(f"{url}: {error}. Had it another administrator's token then?") from error


def main() -> None:
    """Do it as Ansible asks."""
    from ansible.module_utils.basic import (  # type: ignore[import-untyped]  # noqa: PLC0415 - Ansible ships no types, tests do without it
        AnsibleModule,
    )

    text, path = {"type": "str", "required": True}, {"type": "path", "required": True}
    module = AnsibleModule(
        argument_spec={
            "program": path,
            "folder": path,
            "user": text,
            "organisation": text,
            "admin_token": {**text, "no_log": True},
            "start_limit_s": {"type": "int", "default": 60},
        }
    )
    try:
        found = values(module.params)
    except Refused as refused:
        module.fail_json(msg=str(refused))
    module.exit_json(changed=False, values=found)


if __name__ == "__main__":
    main()
