import socket
import tomllib
from pathlib import Path

import pytest

from agent.evidence import Limits
from agent.settings import AgentSettings
from telemetry.settings import ConfigError, load
from telemetry.units import NS_PER_S

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "agent.toml"
STORE = '[store]\nkind = "sqlite"\npath = "store.db"\n'


def settings_of(directory: Path, text: str) -> AgentSettings:
    path = directory / "agent.toml"
    path.write_text(text + STORE)
    return load(path, AgentSettings)


def test_only_the_store_must_be_named(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "")
    assert settings.host == socket.gethostname()
    assert settings.governor.limits == Limits(25, 8_000, NS_PER_S)


def test_the_example_is_whole_and_says_the_defaults(tmp_path: Path) -> None:
    defaults, example = settings_of(tmp_path, ""), load(EXAMPLE, AgentSettings)
    assert example.model_copy(update={"store": defaults.store}) == defaults
    written = tomllib.loads(EXAMPLE.read_text())
    for name, field in AgentSettings.model_fields.items():
        section = getattr(defaults, name)
        if name in {"store", "host"}:
            continue
        assert name in written, name
        if hasattr(section, "model_fields_set"):
            told = {key for key, value in section.model_dump().items() if value is not None}
            assert told == set(written[name]), (name, field)


def test_every_setting_says_what_it_is() -> None:
    for name, field in AgentSettings.model_fields.items():
        for key, inner in getattr(field.annotation, "model_fields", {}).items():
            assert inner.description, f"{name}.{key}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[governer]\n", "governer is not a known key; did you mean governor?"),
        ("[governor]\nmax_interval_ms = 10\n", "governor: protective_interval_ms (25) is above max_interval_ms (10)"),
        ('[governor]\nprimary = "assumed"\n', "governor: domains is empty; name those to govern"),
        ('[governor]\ndomains = ["../etc"]\n', "'../etc' cannot be a domain's name"),
        ("[guest]\nenabled = true\n", "guest: domain is missing; add the domain's name"),
        ("[spool]\nmax_bytes = 5\n", "spool.max_bytes is 5; it should be greater than or equal to 1048576"),
        ("[xen]\nperiod_s = 0.5\n", "xen.period_s is 0.5"),
        ('host = "a b"\n', "host is 'a b'"),
    ],
)
def test_a_mistake_gets_one_sentence_with_file_key_and_remedy(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "agent.toml"))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
