"""The role agent: what it writes is what the agent reads."""

from hashlib import sha256
from pathlib import Path

import pytest

from agent.settings import AgentSettings
from telemetry.settings import InfluxSettings, load
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
