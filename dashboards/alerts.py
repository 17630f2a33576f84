"""Alert rules: in, what the dashboards ask; out, the YAML that Grafana provisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from dashboards import queries as q
from dashboards.boards.domain import DOMAIN_BOARD
from dashboards.boards.fleet import FLEET
from dashboards.boards.pipeline import PIPELINE
from dashboards.dashboard import Dashboard, uid
from dashboards.flux import Flux, newest, newest_of_each, points
from dashboards.look import Json

SOURCE_UID: Final = "hefery"
"""Of the data source that the role grafana provisions."""
FOLDER: Final = "Hefery"
_LOOKS_BACK_S: Final = 24 * 3600
"""What was seen in the last day is missed where it is no longer seen."""
_SINCE: Final = f"{_LOOKS_BACK_S}s"
_MONTH: Final = "720h"
_HEAD: Final = "---\n# Written by make dashboards.\n# yamllint disable rule:line-length\n"


@dataclass(frozen=True)
class Alert:
    """A rule on each row of a query: it fires where `column`, a number, is above `above` for `lasting`."""

    name: str
    title: str
    query: Flux
    column: str
    above: float
    lasting: str
    severity: str
    summary: str
    remedy: str
    dashboard: Dashboard
    panel: str
    if_nothing: Literal["OK", "Alerting"] = "OK"
    """Of an empty answer, which mostly is no domain or agent at all: whoever had some would be told by the others."""

    def json(self) -> Json:
        """Grafana's form. Rows are told apart by their texts, such as the domain, which become labels."""
        number = self.query.pipe(f'rename(columns: {{{self.column}: "value"}})')
        return {
            "uid": f"hefery-{self.name}",
            "title": self.title,
            "condition": "fires",
            "data": [_asked(number.query), _compared(self.above)],
            "for": self.lasting,
            "noDataState": self.if_nothing,
            "execErrState": "Error",
            "annotations": {
                "summary": self.summary,
                "description": self.remedy,
                # Grafana ends at its start where it finds one of these two without the other
                "__dashboardUid__": uid(self.dashboard.name),
                "__panelId__": str(self.dashboard.panel_id(self.panel)),
            },
            "labels": {"severity": self.severity, "application": "hefery"},
            "isPaused": False,
        }


def _asked(query: str) -> Json:
    return {
        "refId": "asked",
        "relativeTimeRange": {"from": _LOOKS_BACK_S, "to": 0},
        "datasourceUid": SOURCE_UID,
        "model": {"refId": "asked", "query": query, "intervalMs": 10_000, "maxDataPoints": 1_000},
    }


def _compared(above: float) -> Json:
    return {
        "refId": "fires",
        "datasourceUid": "__expr__",
        "model": {
            "refId": "fires",
            "type": "threshold",
            "expression": "asked",
            "conditions": [{"evaluator": {"type": "gt", "params": [above]}}],
        },
    }


ALERTS: Final[Sequence[Alert]] = (
    Alert(
        "unprotected",
        "Domain not protected",
        q.protection(since=_SINCE).pipe(
            "map(fn: (r) => ({r with unprotected: 1 - r.protected}))", 'drop(columns: ["protected"])'
        ),
        "unprotected",
        0,
        "1m",
        "critical",
        "{{ $labels.domain }} is not protected",
        "A failure of its host would lose it. See its events on the dashboard, then run protect.yml or reprotect.yml.",
        DOMAIN_BOARD,
        "Protection",
    ),
    Alert(
        "forecast-stale",
        "Forecast stale",
        q.forecast_ages(since=_SINCE),
        "age_s",
        3 * q.VALID_FOR_S,
        "1m",
        "warning",
        "No forecast of {{ $labels.domain }} for {{ humanizeDuration $values.asked.Value }}",
        "It is checkpointed at the protective interval meanwhile, which costs speed. Is the predictor alive, and do its"
        " agent's points reach the store?",
        PIPELINE,
        "Oldest forecast",
    ),
    Alert(
        "agent-silent",
        "Agent silent",
        q.silences(since=_SINCE),
        "age_s",
        2 * q.SILENCE_S,
        "1m",
        "critical",
        "The agent of {{ $labels.host }} has been silent for {{ humanizeDuration $values.asked.Value }}",
        "The host is down, or its agent, or the network between it and the store: were its guests taken over?",
        PIPELINE,
        "Longest silence of an agent",
    ),
    Alert(
        "spool-growing",
        "Spool growing",
        newest(points("agent", "spool_oldest_s", since=_SINCE), ["host"], ["spool_oldest_s"]),
        "spool_oldest_s",
        300,
        "5m",
        "warning",
        "Points of {{ $labels.host }} have waited for {{ humanizeDuration $values.asked.Value }}",
        "The store takes too little or nothing of what its agent sends. Nothing is lost until the spool is full.",
        PIPELINE,
        "Oldest point in a spool",
    ),
    Alert(
        "refit-refused",
        "No new model from the last training",
        newest_of_each(points("training", "accepted", since=_SINCE), ["model"])
        .pipe("group()", "map(fn: (r) => ({model: r.model, refused: if r._value then 0 else 1}))")
        .keep("model", "refused"),
        "refused",
        0,
        "0s",
        "warning",
        "The last training of the {{ $labels.model }} model was refused or broke",
        "The model before stays in force and goes stale; Training on the dashboard says why.",
        PIPELINE,
        "Training",
    ),
    Alert(
        "training-missed",
        "No training for a day",
        q.training_ages(since=_MONTH),
        "age_s",
        26 * 3600,
        "2h",
        "warning",
        "No training for a day, or never yet: model {{ $labels.model }}",
        "Cron trains each night on the monitoring host: /var/log/hefery/training.log. Until there is a model all"
        " domains are checkpointed at the protective interval; docs/operating.md tells how to train by hand.",
        PIPELINE,
        "Training",
        if_nothing="Alerting",
    ),
    Alert(
        "store-nearly-full",
        "Disk nearly full",
        newest(points("host", "filesystem_ratio", since=_SINCE), ["host"], ["filesystem_ratio"]),
        "filesystem_ratio",
        0.85,
        "10m",
        "warning",
        "A file system of {{ $labels.host }} is nearly full",
        "On the monitoring host the store refuses points once it is: shorten a bucket's retention or enlarge the disk.",
        FLEET,
        "Hosts",
    ),
)


def document() -> str:
    """The provisioning file."""
    group = {"orgId": 1, "name": "hefery", "folder": FOLDER, "interval": "30s", "rules": [a.json() for a in ALERTS]}
    written: str = yaml.dump(
        {"apiVersion": 1, "groups": [group]}, Dumper=_Readable, sort_keys=False, width=1_000, allow_unicode=True
    )
    return _HEAD + written


class _Readable(yaml.SafeDumper):  # type: ignore[misc] # PyYAML ships no types
    """Texts of several lines are written as such; lists are indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)
