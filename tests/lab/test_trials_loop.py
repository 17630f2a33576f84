import tomllib
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from lab.landscape import instance
from lab.trials import loop
from lab.trials.guest import Guest
from lab.trials.site import Site

ROLE = Path(__file__).parents[2] / "roles" / "predictor"


def shipped() -> str:
    """predictor.toml as the role writes it."""
    values = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    template = jinja2.Environment(undefined=jinja2.ChainableUndefined, autoescape=False)
    template.filters["to_json"] = str
    return template.from_string((ROLE / "templates" / "predictor.toml.j2").read_text()).render(values)


def read(config: str) -> dict[str, Any]:
    """From what the trials change on; what is before it is rendered here as no TOML."""
    return tomllib.loads(config[config.index("[training]") :])


def test_the_quick_pace_takes_the_place_of_the_roles() -> None:
    quick = loop.quick(shipped())
    said = read(quick)
    assert said["training"]["min_steps"] == 40
    assert said["policy"]["calm_ms"] == loop.CALM_MS
    assert said["service"]["valid_for_s"] == loop.VALID_FOR_S
    assert "protective_ms = 25.0" in quick  # and all else stays


def test_a_template_that_has_lost_a_key_is_noticed() -> None:
    with pytest.raises(ValueError, match="has no dwell_s"):
        loop.quick(shipped().replace("dwell_s", "wait_s"))


def test_nothing_is_learned_from_while_the_guest_was_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the load of one trial is the calm of the next."""
    configs: list[str] = []
    monkeypatch.setattr(loop, "feed", lambda *words: configs.append(words[-1]))
    monkeypatch.setattr(Site, "run", lambda *_, **__: "exit 0")
    pace = loop.Pace(Site(instance({}), Guest.declared()), shipped())
    now_s = [1000.0]
    monkeypatch.setattr("lab.trials.loop.time.monotonic", lambda: now_s[0])
    pace.learn()
    pace.disturbed()
    for after_s in (0, 204, 3600):
        now_s[0] = 1000.0 + after_s
        pace.learn()
    spans_h = [read(config)["training"]["span_h"] for config in configs]
    assert spans_h == [0.1, 0.01, pytest.approx(0.05), 0.1]  # what settles is not calm either


def test_calm_that_does_not_last_is_learned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first time is by the model of the short interval alone, which takes the longer one for trouble."""
    seen_ms = iter([25.0, None, 500.0, 25.0, 25.0, 500.0, 500.0, 25.0])
    learned: list[float | None] = []
    monkeypatch.setattr(loop, "interval_ms", lambda _: next(seen_ms))
    monkeypatch.setattr("lab.trials.loop.time.sleep", lambda _: None)
    pace = loop.Pace(Site(instance({}), Guest.declared()), shipped())
    monkeypatch.setattr(pace, "learn", lambda: learned.append(next(seen_ms)))
    pace.await_calm()
    assert learned == [25.0]
    assert list(seen_ms) == [25.0]  # all others were looked at
