"""A real InfluxDB 2.x for tests: in, a folder; out, a running server, its buckets and tokens scoped to them."""

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode

import urllib3

from telemetry.schema import Bucket
from telemetry.settings import InfluxBuckets, InfluxSettings

_FIND = [str(Path(__file__).parents[1] / "scripts" / "influxd"), "--find"]
_START_LIMIT_S = 30.0
_LISTENING = re.compile(r"msg=Listening .*\bport=(\d+)")


@dataclass(frozen=True)
class Server:
    """A running influxd, already set up."""

    url: str
    org: str
    org_id: str
    admin_token: str


@dataclass(frozen=True)
class Influx:
    """One test's own four buckets on the server; `tokens` may read and write the one bucket that they are named by."""

    url: str
    org: str
    admin_token: str
    buckets: InfluxBuckets
    tokens: Mapping[Bucket, str]
    directory: Path

    def settings(self, token: str | None = None, *, url: str | None = None, timeout_s: float = 10.0) -> InfluxSettings:
        """Settings with `token` (the administrator's when None) in a file of its own; `url` may be a proxy's."""
        token_file = next(path for n in count() if not (path := self.directory / f"token-{n}").exists())
        token_file.touch(mode=0o600)
        token_file.write_text(f"{token or self.admin_token}\n")
        return InfluxSettings(
            kind="influxdb",
            url=url or self.url,
            org=self.org,
            token_file=token_file,
            timeout_s=timeout_s,
            buckets=self.buckets,
        )


def write_lines(influx: Influx, bucket: str, lines: Sequence[str]) -> None:
    """Write to the server what Hefery itself would never write."""
    query = urlencode({"org": influx.org, "bucket": bucket})
    headers = {"Authorization": f"Token {influx.admin_token}"}
    answer = urllib3.request("POST", f"{influx.url}/api/v2/write?{query}", body="\n".join(lines), headers=headers)
    if answer.status != 204:
        raise RuntimeError(f"the server answered {answer.status}: {answer.data[:500]!r}")


@contextmanager
def running_influxd(directory: Path) -> Iterator[Server]:
    """A server that is set up: see `starting_influxd`."""
    with starting_influxd(directory) as url:
        yield _set_up(url)


@contextmanager
def starting_influxd(directory: Path) -> Iterator[str]:
    """Start influxd on a free loopback port with all its files in `directory`, and stop it at the end; its url."""
    found = subprocess.run(_FIND, capture_output=True, text=True, check=False)
    if found.returncode:
        raise RuntimeError(found.stderr.strip())
    log = directory / "influxd.log"
    files = [f"--{name}-path={directory / name}" for name in ("bolt", "sqlite", "engine")]
    command = [found.stdout.strip(), "--http-bind-address=127.0.0.1:0", "--reporting-disabled", *files]
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, cwd=directory) as process:
        try:
            yield f"http://127.0.0.1:{_port(process, log)}"
        finally:
            process.kill()  # its files are thrown away: nothing to save


def create_buckets(server: Server, prefix: str, directory: Path) -> Influx:
    """The schema's buckets, named with `prefix` if there is one, each with a token for it alone."""
    names = {bucket: f"{prefix}-{bucket}" if prefix else bucket for bucket in get_args(Bucket)}
    tokens = {bucket: _scoped_token(server, _create_bucket(server, name)) for bucket, name in names.items()}
    return Influx(server.url, server.org, server.admin_token, InfluxBuckets(**names), tokens, directory)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + _START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        if match := _LISTENING.search(log.read_text()):
            return int(match[1])
        time.sleep(0.02)
    raise RuntimeError(f"influxd did not start:\n{log.read_text()[-2000:]}")


def _set_up(url: str) -> Server:
    asked = {"username": "admin", "password": "only-for-tests", "org": "hefery", "bucket": "unused"}
    answer = _post(f"{url}/api/v2/setup", asked)
    return Server(url, answer["org"]["name"], answer["org"]["id"], answer["auth"]["token"])


def _create_bucket(server: Server, name: str) -> str:
    asked = {"orgID": server.org_id, "name": name, "retentionRules": []}
    return str(_post(f"{server.url}/api/v2/buckets", asked, server.admin_token)["id"])


def _scoped_token(server: Server, bucket_id: str) -> str:
    resource = {"type": "buckets", "id": bucket_id, "orgID": server.org_id}
    permissions = [{"action": action, "resource": resource} for action in ("read", "write")]
    asked = {"orgID": server.org_id, "description": bucket_id, "permissions": permissions}
    return str(_post(f"{server.url}/api/v2/authorizations", asked, server.admin_token)["token"])


def _post(url: str, body: Mapping[str, object], token: str | None = None) -> Any:
    headers = {"Authorization": f"Token {token}"} if token else {}
    answer = urllib3.request("POST", url, body=json.dumps(body), headers=headers, timeout=_START_LIMIT_S)
    if answer.status != 201:
        raise RuntimeError(f"{url} answered {answer.status}: {answer.data[:500]!r}")
    return answer.json()
