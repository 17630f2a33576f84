"""Training as cron runs it: in, a monitoring host; out, whether a model takes over and a broken training is told."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, Final

from lab.landscape import HOSTS
from lab.processes import wait
from lab.trials import base, loop, store
from lab.trials.children import feed
from lab.trials.part import Outcome, Part, Trial, Turn, faults, values
from lab.trials.report import Row
from lab.trials.site import Site
from telemetry.schema import NOBODY

_CASES: Final = ("accepted", "broken")
_MONITOR: Final = HOSTS["m"]
_CRONTAB: Final = "/etc/cron.d/hefery-training"
_MODELS: Final = "/var/lib/hefery/models"
_LOCK: Final = f"{_MODELS}/.training.lock"
_LOG: Final = "/var/log/hefery/training.log"
_SCHEDULE: Final = re.compile(r"^(@\w+|\S+( \S+){4}) (?=hefery )", re.MULTILINE)
_TRAIN: Final = "hefery-predictor train"
_PATIENCE_S: Final = 150
"""Up to a minute until cron's turn, and a training."""
_GOES_ON_S: Final = 30


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    base.begin(site, "protected")
    with loop.quick_predictor(site):
        yield lambda turn: _trial(site, turn)


def _trial(site: Site, turn: Turn) -> Outcome:
    case, before = _CASES[turn.number - 1], _newest(site)
    since_ns = time.time_ns()
    return _accepted(site, before, since_ns) if case == "accepted" else _broken(site, before, since_ns)


def _accepted(site: Site, before: str, since_ns: int) -> Outcome:
    with _each_minute(site):
        trained = store.await_point(
            site, "training", since_ns, _PATIENCE_S, lambda p: bool(p.fields["accepted"]), of={"model": "default"}
        )
    newest = _newest(site)
    return Outcome(
        {"case": "accepted", "took_s": None if trained is None else trained.fields["duration_s"]},
        faults(
            {
                "no training was accepted": trained is None,
                f"{before} is still the newest model": newest == before,
                f"the predictor does not say that {newest} is in use": not _is_in_use(site, newest),
                f"{_LOG} does not tell of {newest}": f"{newest}: accepted" not in site.run(_MONITOR, f"cat {_LOG}"),
            }
        ),
    )


def _broken(site: Site, before: str, since_ns: int) -> Outcome:
    """Its model cannot be written."""
    site.run(_MONITOR, f"chmod a-w {_MODELS}")
    try:
        with _each_minute(site):
            told = store.await_point(
                site,
                "event",
                since_ns,
                _PATIENCE_S,
                lambda p: p.tags["kind"] == "training_failed",
                of={"domain": NOBODY},
            )
        newest = _newest(site)
        went_on = store.await_point(site, "decision", time.time_ns(), _GOES_ON_S, lambda _: True)
    finally:
        site.run(_MONITOR, f"chmod u+w {_MODELS}")
    return Outcome(
        {"case": "broken", "said": None if told is None else told.fields["text"]},
        faults(
            {
                "no event tells that training failed": told is None,
                f"{newest} took the place of {before}": newest != before,
                f"no decision in {_GOES_ON_S} s after it": went_on is None,
            }
        ),
    )


@contextmanager
def _each_minute(site: Site) -> Iterator[None]:
    """Cron trains each minute at the quick pace; as it was when the block is left."""
    as_was = site.run(_MONITOR, f"cat {_CRONTAB}")
    feed(site.lab, _MONITOR, f"cat >{_CRONTAB}", each_minute(as_was))
    # flock needs its file even where the folder takes no new one, as in all later nights
    feed(site.lab, _MONITOR, f"install -o hefery -g hefery -m 0600 /dev/null {_LOCK}", "")
    try:
        yield
    finally:
        feed(site.lab, _MONITOR, f"cat >{_CRONTAB}", as_was)
        site.run(_MONITOR, f"flock {_LOCK} true", timeout_s=_PATIENCE_S)  # one may be under way


def each_minute(crontab: str) -> str:
    """The role's crontab with another schedule and configuration. Raises ValueError where it is not as expected."""
    found, count = _SCHEDULE.subn("* * * * * ", crontab)
    if count != 1 or found.count(_TRAIN) != 1:
        raise ValueError(f"{_CRONTAB} is not as expected: the role's template has changed")
    return found.replace(_TRAIN, f"hefery-predictor --config {loop.CONFIG} train")


def _newest(site: Site) -> str:
    """The file that the next start of the predictor would take."""
    shown = site.run(_MONITOR, f"ls {_MODELS}").split()
    return f"{PurePosixPath(_MODELS, max(shown))}" if shown else ""


def _is_in_use(site: Site, path: str) -> bool:
    said = f"model {PurePosixPath(path).name} is in use"
    return wait(lambda: said in site.run(_MONITOR, "journalctl -u hefery-predictor -o cat"), _GOES_ON_S, every_s=1)


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    return {"trials": len(rows), "passed": sum(row.passed for row in rows), "took_s": values(rows, "took_s")}


TRAINING: Final = Part("training", "training", len(_CASES), len(_CASES), _session, _summary, fixed=True)
