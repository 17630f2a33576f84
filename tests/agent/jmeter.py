"""A run of a real JMeter 5.6.3: 4 users for 15 s on a server that stood still for 2.6 s and refused many requests."""

import csv
from pathlib import Path

RUN = Path(__file__).parents[1] / "data" / "jmeter-5.6.3-errors-and-a-pause.jtl"
LABEL = 'GET /page?ms=5, "mean"'
ANSWERS, ERRORS = 538, 39
"""As its own summary counted them."""


def rows() -> list[dict[str, str]]:
    """The records, as Python's own reader has them."""
    with RUN.open(newline="") as file:
        return list(csv.DictReader(file))
