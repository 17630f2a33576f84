"""The role agent: what it writes is what the agent reads."""

from hashlib import sha256
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from agent.settings import AgentSettings
from telemetry.settings import InfluxSettings, load
from tests.ansible.plugins import ROLES
from tests.ansible.rendering import render, told


@pytest.mark.parametrize(("inventory", "url"), [("lab", "http://10.77.0.15:8086"), ("production", None)])
def test_configuration_is_accepted(inventory: str, url: str | None, tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(render(inventory, "a", "agent", "agent.toml.j2"))

    settings = load(path, AgentSettings)

    assert settings.host == "a"
    assert isinstance(settings.store, InfluxSettings)
    assert url in {settings.store.url, None}


def test_an_authority_is_trusted_where_it_is_copied_to_and_missed_where_it_is_not(tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_text("an authority\n")
    source = {"agent_store_ca_source": str(authority)}
    text = render("lab", "a", "agent", "agent.toml.j2", **source)
    assert 'ca_file = "/etc/hefery/store-ca.pem"' in text
    missed = told("{{ __agent_ca_settled }}", "lab", "a", "agent", **source)
    assert missed == [f"{sha256(authority.read_bytes()).hexdigest()}  /etc/hefery/store-ca.pem"]
    assert not any("pem" in line for line in told("{{ __agent_ca_settled }}", "lab", "a", "agent"))


def token_sum(token: str) -> str:
    """As the host's sha256sum tells of the file with it."""
    text = f"{token}\n"
    return f"{sha256(text.encode()).hexdigest()}  agent.token"


@pytest.mark.parametrize(
    ("given", "here", "is_refused", "settled"),
    [
        ("new", ["600 root agent.token", token_sum("old")], False, [token_sum("new")]),
        ("new", [], False, [token_sum("new")]),
        ("", ["600 root agent.token", token_sum("old")], False, []),
        ("", ["600 root agent.token", token_sum("")], True, []),
        ("", [], True, []),
    ],
)
def test_a_token_stays_where_the_store_was_not_asked(
    given: str, here: list[str], is_refused: bool, settled: list[str]
) -> None:
    """As its host is off, or was left out by --limit: an agent without a token has no say and hears of no decision."""
    told_here = {"agent_store_token": given, "__agent_probe": {"stdout_lines": here}, "ansible_check_mode": False}
    tasks = yaml.safe_load((ROLES / "agent" / "tasks" / "main.yml").read_text())
    (condition,) = (task["ansible.builtin.assert"]["that"] for task in tasks if "ansible.builtin.assert" in task)
    assert told(f"{{{{ {condition} }}}}", "lab", "a", "agent", **told_here) is not is_refused
    assert told("{{ __agent_token_settled }}", "lab", "a", "agent", **told_here) == settled
    write = yaml.safe_load((ROLES / "agent" / "tasks" / "configure.yml").read_text())[0]
    assert told(f"{{{{ {write['when']} }}}}", "lab", "a", "agent", **told_here) is bool(given)


def test_every_variable_arrives(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    text = render(
        "lab",
        "a",
        "agent",
        "agent.toml.j2",
        agent_host='x"en',
        agent_store_organisation="other",
        agent_store_ca_path="/etc/ca.pem",
        agent_spool_max_bytes=2**21,
        agent_xen_domains=["web"],
        agent_governor_domains=["web", "db"],
        agent_governor_protective_interval_ms=40,
        agent_governor_max_interval_ms=500,
        agent_governor_future_tolerance_s=3,
    )
    path.write_text(text)

    settings = load(path, AgentSettings)

    assert (settings.host, settings.store.model_dump()["org"], settings.spool.max_bytes) == ('x"en', "other", 2**21)
    assert settings.store.model_dump()["ca_file"] == Path("/etc/ca.pem")
    assert (settings.xen.domains, settings.governor.domains) == (("web",), ("web", "db"))
    assert (settings.governor.protective_interval_ms, settings.governor.max_interval_ms) == (40, 500)
    assert settings.governor.future_tolerance_s == 3
