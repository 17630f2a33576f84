from pathlib import Path

import pytest

from failover.config import ConfigError, load
from failover.settings import DomainSettings, HeartbeatSettings, RemusSettings

GOOD = """
[host]
name = "a"
[heartbeat]
period_s = 0.05
[[peers]]
name = "b"
address = "10.0.0.2"
[[domains]]
name = "web1"
peers = ["a", "b"]
transport = "tcp"
"""


def loaded(tmp_path: Path, text: str) -> RemusSettings:
    path = tmp_path / "remus.toml"
    path.write_text(text)
    return load(path)


def test_good(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD)
    assert settings.host.run_dir == Path("/run/hefery")
    assert settings.heartbeat == HeartbeatSettings(period_s=0.05)
    assert settings.domains == (DomainSettings("web1", ("a", "b"), "tcp"),)
    assert settings.peer_of(settings.domains[0]).address == "10.0.0.2"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('name = "a"', "", r"host\.name: is missing"),
        ("[host]", "[hosts]", r"hosts: is not known; .* domains, heartbeat, host, peers, receiver"),
        ("period_s", "period", r"heartbeat\.period: is not known"),
        ("period_s = 0.05", 'period_s = "0.05"', r"heartbeat\.period_s: '0\.05' is not a number"),
        ("period_s = 0.05", "period_s = nan", r"heartbeat\.period_s: nan is not within"),
        ("period_s = 0.05", "period_s = 0.5", r"heartbeat\.timeout_s: must be at least 3"),
        ("period_s = 0.05", "port = true", r"heartbeat\.port: True is not a whole number"),
        ("period_s = 0.05", "port = 65536", r"heartbeat\.port: 65536 is not within"),
        ("period_s = 0.05", 'key_file = ""', r"heartbeat\.key_file: '' is not a path"),
        ("[[peers]]", "[peers]", r"peers: must be tables, each begun by \[\[peers\]\]"),
        ('name = "b"', 'name = "a"', "host a is there twice"),
        ('name = "b"', 'name = "c"', "domain web1: b is neither"),
        ('"10.0.0.2"', '""', r"peers\[0\]\.address: is empty"),
        ('["a", "b"]', '["a", "a"]', r"domains\[0\]\.peers: names a twice"),
        ('["a", "b"]', '["a"]', r"domains\[0\]\.peers: \['a'\] is not a list of two names"),
        ('["a", "b"]', '["b", "b2"]', "domain web1: b2 is neither"),
        ('"tcp"', '"udp"', r"domains\[0\]\.transport: 'udp' is none of ssh, tcp"),
        ('"web1"', '"web 1"', r"domains\[0\]\.name: 'web 1' is not a name"),
        ('"web1"', '"../web1"', r"domains\[0\]\.name: '\.\./web1' is not a name"),
        ('"web1"', '"web1--incoming"', "rename the domain"),
        ("[host]", "[host", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        loaded(tmp_path, GOOD.replace(old, new, 1))
    assert str(tmp_path / "remus.toml") in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory; name another with --config"):
        load(tmp_path / "none.toml")
