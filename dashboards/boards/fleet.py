"""The fleet: every domain and every host, one row each, and how each was guarded."""

from typing import Final

from dashboards import queries as q
from dashboards.boards import tables
from dashboards.boards.shared import SILENCE_STEPS, guard_lines, time_lost
from dashboards.dashboard import Dashboard, Row
from dashboards.flux import Fold, curves, newest, points
from dashboards.look import ORANGE, RED, cell, unit_of
from dashboards.panel import graph, table

_HOST_FIELDS: Final = ("cpu_ratio", "memory_ratio", "network_bytes_per_s", "disk_bytes_per_s", "filesystem_ratio")
_FULL: Final = ((None, "transparent"), (0.8, ORANGE), (0.95, RED))

FLEET: Final = Dashboard(
    "fleet",
    "Hefery 5: Fleet",
    "Every domain and every host, one row each.",
    (
        Row(
            10,
            (tables.domains(),),
        ),
        Row(
            9,
            (
                guard_lines(),
                time_lost(),
            ),
        ),
        Row(
            8,
            (
                table(
                    "Hosts",
                    "Every machine with an agent; on a Xen host these are dom0's own figures.",
                    [newest(points("host", *_HOST_FIELDS), ["host"], _HOST_FIELDS), q.silences()],
                    (
                        cell("host", "Host", "string", 140),
                        cell("age_s", "Agent heard ago", "s", 140, SILENCE_STEPS, decimals=0),
                        cell("cpu_ratio", "CPU", "percentunit", 100, _FULL, decimals=0),
                        cell("memory_ratio", "Memory", "percentunit", 100, _FULL, decimals=0),
                        cell("filesystem_ratio", "Disk full", "percentunit", 100, _FULL, decimals=0),
                        cell("network_bytes_per_s", "Network", "Bps", 120, decimals=1),
                        cell("disk_bytes_per_s", "Disk", "Bps", 120, decimals=1),
                    ),
                    width=12,
                    join="host",
                    sort=("Host", False),
                ),
                graph(
                    "CPU of the hosts",
                    "Of dom0 on a Xen host: it sends the checkpoints, and where it has no time left they get slow.",
                    [curves(points("host", "cpu_ratio"), Fold.MEAN, ["host"])],
                    unit_of("host", "cpu_ratio"),
                    name="${__field.labels.host}",
                    max=1,
                ),
            ),
        ),
    ),
)
