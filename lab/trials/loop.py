"""The whole loop at a quick pace: in, a landscape; out, a predictor that learns a calm guest within minutes."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from lab.errors import LabError
from lab.landscape import HOSTS
from lab.processes import wait
from lab.progress import step
from lab.trials.children import feed
from lab.trials.site import Site

_MONITOR: Final = HOSTS["m"]
CONFIG: Final = "/etc/hefery/trials.toml"
_CAT: Final = "cat /etc/hefery/predictor.toml"
_DROP_IN: Final = "/run/systemd/system/hefery-predictor.service.d"
"""Gone after a reboot, and never a playbook's."""
CALM_MS: Final = 500
VALID_FOR_S: Final = 10.0
_QUICK: Final = {
    "min_steps": 40,
    "false_alarm_share": 0.01,
    "worse_by_nats": 10.0,  # learn again, whatever comes of it
    "calm_ms": float(CALM_MS),
    "dwell_s": 5.0,
    "calm_ticks": 3,
    "valid_for_s": VALID_FOR_S,
}
"""In place of the inventory's; steps stay as they are there, for each must hold an agent's samples."""
_SPAN_H: Final = 0.1
_LEAST_SPAN_H: Final = 0.01
"""Too little to learn from, which training says."""
_SETTLE_S: Final = 24
"""Of a load's end: the guest gives its memory back within some seconds, and a step holds four of them. Among forty calm
steps two of a load are enough to make the load common."""
_TRAIN_S: Final = 600
_CALM_S: Final = 150
"""Surprise and the learned chains look back over a minute and more: from a load's end to calm it took 96 s."""
_STEADY_S: Final = 16
"""A longer interval makes another guest, of which a model knows little that has seen short ones alone: some 10 s after
the interval was lengthened it was taken for trouble, again and again."""
_ROUNDS: Final = 4


def quick(config: str, span_h: float = _SPAN_H) -> str:
    """A predictor's configuration with the quick pace. Raises ValueError for a key that it does not have."""
    lines, values = config.splitlines(), {**_QUICK, "span_h": span_h}
    missing = set(values) - {line.partition("=")[0].strip() for line in lines}
    if missing:
        raise ValueError(f"predictor.toml has no {', '.join(sorted(missing))}: the role's template has changed")
    return "\n".join(_line(line, values) for line in lines) + "\n"


def _line(line: str, values: Mapping[str, float]) -> str:
    key = line.partition("=")[0].strip()
    return f"{key} = {values[key]}" if key in values else line


class Pace:
    """The predictor at the quick pace, and what it may learn from: what was measured since the guest was last loaded.

    A model that has learned the trials' own load takes it for calm, and no trial after that shortens the interval.
    """

    def __init__(self, site: Site, config: str) -> None:
        self._site, self._config = site, config
        self._began_s = -math.inf

    def disturbed(self) -> None:
        """The guest was loaded until now."""
        self._began_s = time.monotonic() + _SETTLE_S

    def learn(self) -> None:
        """Until enough was measured, training says so and is tried again. Raises LabError."""
        said = ""

        def learned() -> bool:
            nonlocal said
            self._configure()
            has_learned, said = train(self._site, f"--config {CONFIG}")
            return has_learned

        if not wait(learned, _TRAIN_S, every_s=10):
            raise LabError(f"the predictor has not learned in {_TRAIN_S} s: {said}")

    def await_calm(self) -> None:
        """Wait until the interval stays the calm one; learn again where it does not, or calm is another by now.

        Raises LabError.
        """
        for _ in range(_ROUNDS):
            if wait(self._is_calm, _CALM_S, every_s=1):
                time.sleep(_STEADY_S)
                if self._is_calm():
                    return
            self.learn()
        raise LabError(
            f"the interval was not lengthened to {CALM_MS} ms in {_ROUNDS} times {_CALM_S} s: see m's predictor"
        )

    def _is_calm(self) -> bool:
        return interval_ms(self._site) == CALM_MS

    def _configure(self) -> None:
        quiet_h = (time.monotonic() - self._began_s) / 3600
        _install(self._site, quick(self._config, span_h=min(_SPAN_H, max(quiet_h, _LEAST_SPAN_H))))


@contextmanager
def quick_predictor(site: Site) -> Iterator[Pace]:
    """The predictor at the quick pace, with a model of the calm guest; as it was when the block is left."""
    pace = Pace(site, site.run(_MONITOR, _CAT))
    own = f"[Service]\nExecStart=\nExecStart=/usr/local/bin/hefery-predictor --config {CONFIG} run\n"
    feed(site.lab, _MONITOR, f"mkdir -p {_DROP_IN} && cat >{_DROP_IN}/trials.conf && systemctl daemon-reload", own)
    try:
        with step("the predictor learns what calm is"):
            pace.learn()
        site.run(_MONITOR, "systemctl restart hefery-predictor")
        yield pace
    finally:
        site.run(_MONITOR, f"rm -rf {_DROP_IN} {CONFIG}; systemctl daemon-reload; systemctl restart hefery-predictor")


def follow(site: Site) -> None:
    """Have a predictor at the quick pace take over what a playbook has changed in its configuration since."""
    _install(site, quick(site.run(_MONITOR, _CAT)))
    site.run(_MONITOR, "systemctl restart hefery-predictor")


def _install(site: Site, config: str) -> None:
    feed(site.lab, _MONITOR, f"install -o hefery -g hefery -m 0600 /dev/stdin {CONFIG}", config)


def train(site: Site, options: str = "") -> tuple[bool, str]:
    """Train as cron does; whether a model came of it, and what was said. Raises LabError."""
    command = f"setpriv --reuid hefery --regid hefery --clear-groups hefery-predictor {options} train 2>&1"
    said = site.run(_MONITOR, f"{command}; echo exit $?", timeout_s=120)
    return said.rstrip().endswith("exit 0"), said


def interval_ms(site: Site) -> float | None:
    """The interval in force, as the agent on the primary has it from the pacer; None where it is not known."""
    return site.replication().get("interval_ms")
