#!/usr/bin/python3
"""A stand-in for Grafana's server, which cannot be had here: in, what the role provisions; out, four of its answers.

It proves that the role's files can be read and that playbooks ask well-formed questions, and nothing about Grafana.
"""

import base64
import configparser
import csv
import io
import json
import os
import re
import sys
import tarfile
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def pack(archive: Path) -> None:
    """What stands in for the vendor's archive: the program, which is this file, where Grafana's is."""

    def is_program(file: tarfile.TarInfo) -> tarfile.TarInfo:
        file.mode, file.uid, file.gid, file.uname, file.gname = 0o755, 0, 0, "root", "root"
        return file

    with tarfile.open(archive, "w:gz") as made:
        made.add(__file__, "grafana-stand-in/bin/grafana", filter=is_program)


class Site:
    """The configuration, as far as it is needed."""

    def __init__(self, path: Path) -> None:
        """Read grafana.ini and the data source."""
        self.ini = configparser.ConfigParser()
        self.ini.read_string(path.read_text())
        source = Path(self.ini["paths"]["provisioning"], "datasources", "hefery.yaml").read_text()
        self.url = json.loads(re.findall(r"^ +url: (.*)$", source, re.MULTILINE)[0])
        self.org = json.loads(re.findall(r"^ +organization: (.*)$", source, re.MULTILINE)[0])
        name = re.findall(r"^ +token: \$(\w+)$", source, re.MULTILINE)[0]
        self.token = os.environ[name]
        user = f"{self.ini['security']['admin_user']}:{os.environ['GF_SECURITY_ADMIN_PASSWORD']}"
        self.login = f"Basic {base64.b64encode(user.encode()).decode()}"

    def rows(self, flux: str) -> list[dict[str, str]]:
        """What the store answers."""
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        body = json.dumps({"query": flux, "dialect": {"annotations": [], "header": True}}).encode()
        url = f"{self.url}/api/v2/query?org={self.org}"
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - as the role writes it
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            tables = answer.read().decode().replace("\r\n", "\n").split("\n\n")
        return [row for table in tables for row in csv.DictReader(io.StringIO(table))]


class Answers(BaseHTTPRequestHandler):
    """Health, the data source's health, the dashboards, and queries."""

    site: Site

    def do_GET(self) -> None:
        """Health, or a dashboard."""
        if self.path == "/api/health":
            self._tell(200, {"database": "ok", "version": "stand-in"})
        elif self.headers["Authorization"] != self.site.login:
            self._tell(401, {"message": "Invalid username or password"})
        elif self.path == "/api/datasources/uid/hefery/health":
            self.site.rows("buckets()")
            self._tell(200, {"status": "OK", "message": "stand-in"})
        elif self.path.startswith("/api/dashboards/uid/hefery-"):
            folder = Path(self.site.ini["dashboards"]["default_home_dashboard_path"]).parent
            board = json.loads((folder / f"{self.path.rpartition('hefery-')[2]}.json").read_text())
            self._tell(200, {"dashboard": board, "meta": {"provisioned": True}})
        else:
            self._tell(404, {"message": "Not found"})

    def do_POST(self) -> None:
        """A query."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        start, stop = (f"time(v: {int(asked[name])}000000)" for name in ("from", "to"))
        results = {}
        for query in asked["queries"]:
            flux = query["query"].replace("v.timeRangeStart", start).replace("v.timeRangeStop", stop)
            flux = flux.replace("v.windowPeriod", f"{query['intervalMs']}ms")
            results[query["refId"]] = self._frames(flux)
        self._tell(200, {"results": results})

    def _frames(self, flux: str) -> dict[str, Any]:
        try:
            rows = self.site.rows(flux)
        except urllib.error.HTTPError as error:
            return {"status": 400, "error": error.read().decode(), "frames": []}
        names = list(rows[0]) if rows else []
        values = [[row.get(name) for row in rows] for name in names]
        return {"status": 200, "frames": [{"schema": {"fields": names}, "data": {"values": values}}] if rows else []}

    def _tell(self, status: int, body: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


def main() -> None:
    """Serve where the configuration says."""
    Answers.site = Site(Path(sys.argv[-1].partition("=")[2]))
    server = Answers.site.ini["server"]
    ThreadingHTTPServer((server["http_addr"], int(server["http_port"])), Answers).serve_forever()


if __name__ == "__main__":
    main()
