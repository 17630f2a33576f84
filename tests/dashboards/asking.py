"""What Grafana does with a query: in, its text, variables and a time; out, the rows of InfluxDB's answer."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import urllib3

from tests.dashboards.recording import DOMAIN
from tests.influxd import Influx

Row = dict[str, str]
CHOSEN: Final[Mapping[str, str]] = {"domain": DOMAIN, "label": ".*"}
_WINDOW: Final = "10s"


def completed(query: str, span: tuple[datetime, datetime], chosen: Mapping[str, str] = CHOSEN) -> str:
    """The text as Grafana sends it."""
    start, stop = (time.isoformat().replace("+00:00", "Z") for time in span)
    text = re.sub(r"\$\{(\w+):regex\}", lambda found: chosen[found[1]], query)
    text = text.replace("v.timeRangeStart", start).replace("v.timeRangeStop", stop).replace("v.windowPeriod", _WINDOW)
    assert "${" not in text, text
    return text


def answer(influx: Influx, flux: str) -> list[Row]:
    """All rows of all tables; an error of Flux fails the test."""
    headers = {"Authorization": f"Token {influx.admin_token}", "Content-Type": "application/json"}
    body = json.dumps({"query": flux, "type": "flux", "dialect": {"annotations": [], "header": True}})
    url = f"{influx.url}/api/v2/query?{urlencode({'org': influx.org})}"
    found = urllib3.request("POST", url, body=body, headers=headers, timeout=60)
    text = found.data.decode()
    assert found.status == 200, f"{text}\n{flux}"
    tables = text.replace("\r\n", "\n").split("\n\n")
    rows = [row for table in tables for row in csv.DictReader(io.StringIO(table))]
    assert not [row for row in rows if "error" in row], flux
    return rows


def cells(rows: Sequence[Row]) -> set[str]:
    """The columns that hold anything."""
    return {name for row in rows for name, text in row.items() if name and text}
