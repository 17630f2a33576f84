"""The role grafana: what it writes is what Grafana reads, as far as that can be told without Grafana."""

import configparser
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from dashboards.alerts import FOLDER, SOURCE_UID
from tests.ansible.rendering import ROOT, render

KNOWN = {
    "paths": {"data", "logs", "plugins", "provisioning"},
    "server": {"protocol", "http_addr", "http_port", "domain", "root_url", "cert_file", "cert_key"},
    "security": {"admin_user", "cookie_secure", "disable_gravatar"},
    "users": {"allow_sign_up", "allow_org_create"},
    "auth.anonymous": {"enabled"},
    "dashboards": {"default_home_dashboard_path"},
    "plugins": {"preinstall_disabled", "preinstall_auto_update"},
    "analytics": {
        "reporting_enabled",
        "check_for_updates",
        "check_for_plugin_updates",
        "feedback_links_enabled",
    },
    "news": {"news_feed_enabled"},
    "snapshots": {"external_enabled"},
    "log": {"mode", "level"},
}
"""Sections and keys as Grafana's own defaults.ini and its documentation name them: it passes others over in silence."""


def ini(**more: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser()
    found.read_string(render("lab", "m", "grafana", "grafana.ini.j2", **more))
    return found


@pytest.mark.parametrize("certificate", ["", "/somewhere/server.pem"])
def test_every_key_is_one_of_grafanas(certificate: str) -> None:
    found = ini(grafana_tls_certificate_path=certificate)
    assert all(set(found[section]) <= KNOWN[section] for section in found.sections())
    assert found["server"]["root_url"] == f"{'https' if certificate else 'http'}://10.77.0.15:3000/"
    assert found["security"].getboolean("cookie_secure") is bool(certificate)
    assert ("cert_key" in found["server"]) is bool(certificate)


def test_nothing_is_asked_of_the_internet() -> None:
    found = ini()
    assert found["plugins"].getboolean("preinstall_disabled")
    assert not found["plugins"].getboolean("preinstall_auto_update")
    assert not any(found["analytics"].getboolean(key) for key in found["analytics"])


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_the_data_source_is_the_one_that_dashboards_ask(inventory: str) -> None:
    (source,) = yaml.safe_load(render(inventory, "m", "grafana", "datasources.yaml.j2"))["datasources"]
    assert (source["uid"], source["type"], source["editable"]) == (SOURCE_UID, "influxdb", False)
    assert (source["jsonData"]["version"], source["jsonData"]["organization"]) == ("Flux", "hefery")
    assert source["secureJsonData"] == {"token": "$HEFERY_STORE_TOKEN"}


def test_an_authority_is_told_whole(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n")
    text = render("lab", "m", "grafana", "datasources.yaml.j2", grafana_store_ca_path=str(authority))
    (source,) = yaml.safe_load(text)["datasources"]
    assert source["jsonData"]["tlsAuthWithCACert"] is True
    assert source["secureJsonData"]["tlsCACert"].strip() == authority.read_text().strip()


def test_dashboards_cannot_be_changed_there() -> None:
    (provider,) = yaml.safe_load(render("lab", "m", "grafana", "dashboards.yaml.j2"))["providers"]
    assert provider["allowUiUpdates"] is False
    assert provider["disableDeletion"] is True
    assert provider["folder"] == FOLDER
    assert ini()["dashboards"]["default_home_dashboard_path"] == f"{provider['options']['path']}/overview.json"
    assert (ROOT / "dashboards" / "rendered" / "overview.json").is_file()


def test_alerts_hold_no_word_that_grafana_would_take_for_a_variable_of_its_environment() -> None:
    """It leaves annotations and queries as they are, and fills in everything else."""
    for group in yaml.safe_load((ROOT / "dashboards" / "rendered" / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            others = {key: value for key, value in rule.items() if key not in {"annotations", "data"}}
            assert "$" not in yaml.safe_dump(others)


def test_the_unit_is_sound(tmp_path: Path) -> None:
    unit = tmp_path / "grafana-server.service"
    text = render("lab", "m", "grafana", "grafana-server.service.j2")
    unit.write_text(text.replace("/opt/hefery/grafana/bin/grafana", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    assert unit.name not in subprocess.run(command, capture_output=True, text=True, check=True).stderr
