from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.landscape import HOSTS, Host
from lab.trials import secrecy
from lab.trials.site import Site
from tests.certificates import make_tls

TOKEN = "Uieph5aiNgohQu4aeph8Ochu6ahxo3Oo"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A lab that site.yml has made."""
    (tmp_path / "secrets" / "lease").mkdir(parents=True)
    (tmp_path / "secrets" / "influxdb-token").write_text(f"{TOKEN}1\n")
    (tmp_path / "secrets" / "lease" / "root.password").write_text(f"{TOKEN}2\n")
    (tmp_path / "secrets" / "lease" / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\npublic\n")
    said = {
        "m": f"/etc/influxdb/tokens/agent:{TOKEN}3\n/etc/influxdb/tokens/grafana:{TOKEN}4==\n",
        "a": f"/etc/hefery/heartbeat.key:{TOKEN}5\n",
    }
    monkeypatch.setattr(secrecy, "feed", lambda _, host, *__: said[host.name])
    return cast("Site", SimpleNamespace(lab=SimpleNamespace(state=tmp_path)))


def test_secrets_are_told_by_their_names(site: Any) -> None:
    secrets = secrecy.known(site)
    assert secrets == {
        "influxdb-token": f"{TOKEN}1",
        "lease/root.password": f"{TOKEN}2",
        "m:/etc/influxdb/tokens/agent": f"{TOKEN}3",
        "m:/etc/influxdb/tokens/grafana": f"{TOKEN}4==",
        "a:/etc/hefery/heartbeat.key": f"{TOKEN}5",
    }
    assert secrecy.told(f'{{"a": "{TOKEN}2", "b": "x{TOKEN}5x", "c": "public"}}', secrets) == [
        "lease/root.password",
        "a:/etc/hefery/heartbeat.key",
    ]


def test_a_private_key_is_known_by_what_is_not_public_of_it(tmp_path: Path) -> None:
    keys = secrecy.kept(make_tls(tmp_path).authority.parent)
    for name in keys:
        private = (tmp_path / name).read_text()
        assert name in secrecy.told(private, keys)
    public = "".join(path.read_text() for path in tmp_path.glob("*.pem"))
    assert secrecy.told(public, keys) == []


def test_before_there_is_any_none_is_known(tmp_path: Path) -> None:
    assert secrecy.kept(tmp_path / "secrets") == {}


def test_hosts_are_told_secrets_where_nobody_sees_them(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def feed(_: object, host: Host, command: str, text: str, *__: float) -> str:
        asked.append((command, text))
        return "token in the journal\n" if host.name == "b" and not command.startswith("cat ") else ""

    monkeypatch.setattr(secrecy, "feed", feed)
    assert secrecy.shown(site, {"token": TOKEN}) == ["b shows token in the journal"]
    assert sum(TOKEN in text for _, text in asked) == len(HOSTS)
    assert not any(TOKEN in command for command, _ in asked)
