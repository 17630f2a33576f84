"""The command `python -m demo`: out, a demo on this machine, its picture and page, and an exit code."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from demo import page, picture, programs, progress, record, story
from demo.capture import capture
from demo.director import Director
from demo.observer import Observer
from demo.processes import ChildFailed, require, running
from demo.record import Record
from demo.site import PROTECTIVE_MS, Site
from demo.timeline import PLAN, Plan
from demo.verdict import judge
from predictor.model_files import ModelFileError
from telemetry.settings import ConfigError
from telemetry.store import StoreError
from telemetry.stores import open_store

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGNALLED: Final = 128


class Stopped(Exception):
    """Somebody asked the demo to end."""


class Stop:
    """Remembers a signal; nothing is done in the handler, so that it can come at any moment."""

    def __init__(self) -> None:
        self.number = 0
        for number in _SIGNALS:
            signal.signal(number, self._note)

    def _note(self, number: int, _: object) -> None:
        self.number = number

    def wait(self, seconds: float) -> None:
        """Sleep; raises Stopped where a signal has come."""
        if not self.number:
            time.sleep(seconds)
        if self.number:
            raise Stopped


def main(words: Sequence[str] | None = None, plan: Plan = PLAN) -> int:
    """Play, and tell what happened: 0 where the second disturbance was foreseen, 1 where it was not or nothing came."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=progress.OPENING)
    folder = Path("build/demo") / time.strftime("%Y-%m-%d-%H%M%S")
    parser.add_argument("--folder", type=Path, default=folder, help="where all files go (default: %(default)s)")
    arguments = parser.parse_args(words)
    stop = Stop()
    try:
        return _tell(_play(plan, arguments.folder, stop), arguments.folder)
    except Stopped:
        print("\ndemo: stopped; the load is gone, and agent and predictor have ended", file=sys.stderr)
        return _SIGNALLED + stop.number
    except (ChildFailed, ConfigError, ModelFileError, StoreError, OSError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1


def _play(plan: Plan, folder: Path, stop: Stop) -> Record:
    """Run everything until it is over, and gather what was seen."""
    require("stress-ng")
    print(progress.OPENING, flush=True)
    folder.mkdir(parents=True)
    site = Site.create(folder)
    store = open_store(site.agent.store)
    with ExitStack() as stack:
        stack.callback(store.close)
        services = [
            stack.enter_context(running(programs.agent_run(site), folder / "agent.log")),
            stack.enter_context(running(programs.predictor(site, "run"), folder / "predictor.log")),
        ]
        observer = Observer(site.order_file, PROTECTIVE_MS)
        director = Director(plan, site, store, services, observer, stop.wait, lambda text: print(text, flush=True))
        director.play()
        return capture(director, store)


def _tell(seen: Record, folder: Path) -> int:
    verdict = judge(seen.samples, seen.spans, seen.protective_ms)
    told = story.sentences(seen, verdict)
    record.save(seen, folder / "record.json")
    picture.draw(seen, verdict, folder / "demo.png")
    page.write(seen, verdict, told, folder / "demo.png", folder / "demo.html")
    print("\n" + "\n".join(told))
    print(f"The picture: {folder / 'demo.png'}\nThe page:    {folder / 'demo.html'}")
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main())
