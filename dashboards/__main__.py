"""The command `python -m dashboards`: out, the files that Grafana provisions, in `dashboards/rendered`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dashboards.alerts import document
from dashboards.boards.domain import DOMAIN_BOARD
from dashboards.boards.experiment import EXPERIMENT
from dashboards.boards.fleet import FLEET
from dashboards.boards.history import HISTORY
from dashboards.boards.overview import OVERVIEW
from dashboards.boards.pipeline import PIPELINE
from dashboards.boards.prediction import PREDICTION

BOARDS: Final = (OVERVIEW, DOMAIN_BOARD, PREDICTION, EXPERIMENT, FLEET, PIPELINE, HISTORY)
FOLDER: Final = Path(__file__).with_name("rendered")


def rendered() -> Mapping[str, str]:
    """The texts of all files by their names."""
    boards = {f"{board.name}.json": json.dumps(board.json(), indent=1, ensure_ascii=False) + "\n" for board in BOARDS}
    return boards | {"alerts.yaml": document()}


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in rendered().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
