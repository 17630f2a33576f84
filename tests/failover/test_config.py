from pathlib import Path

import pytest

from failover.config import ConfigError, load
from failover.lease_settings import FenceSettings, LeaseSettings
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
        ("[host]", "[hosts]", r"hosts: is not known; .* domains, fence, heartbeat, host, lease, peers, receiver"),
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
        ('"web1"', '"maintenance"', "a name of Hefery's own"),
        ("[host]", "[host", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        loaded(tmp_path, GOOD.replace(old, new, 1))
    assert str(tmp_path / "remus.toml") in str(caught.value)


LEASE = """
[lease]
endpoints = ["https://10.0.0.13:2379", "https://[fd00::1]:2379"]
cluster_id = "cdf818194e3a8c32"
"""


def test_a_lease_may_be_there(tmp_path: Path) -> None:
    assert loaded(tmp_path, GOOD).lease is None
    found = loaded(tmp_path, GOOD + LEASE).lease
    assert found == LeaseSettings(("https://10.0.0.13:2379", "https://[fd00::1]:2379"), "cdf818194e3a8c32")
    assert found.is_encrypted


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("endpoints = ", "# ", r"lease\.endpoints: is missing"),
        ('["https://10.0.0.13:2379", "https://[fd00::1]:2379"]', "[]", "endpoints: is empty"),
        ('["https://10.0.0.13:2379", "https://[fd00::1]:2379"]', "[1]", r"\[1\] is not a list of texts"),
        ("10.0.0.13", "f.example.org", r"'https://f\.example\.org:2379' is not like .*, with an address"),
        ("10.0.0.13:2379", "10.0.0.13", "'https://10.0.0.13' is not like"),
        ("10.0.0.13:2379", "10.0.0.13:x", "'https://10.0.0.13:x' is not like"),
        ("https://10", "http://10", "would send the password as it is"),
        ("https://10.0.0.13", "http://127.0.0.1", "are in part http and in part https"),
        ("https://10", "ftp://10", "is not like"),
        ('"cdf818194e3a8c32"', '"0xcd"', r"lease\.cluster_id: '0xcd' is not a cluster's"),
        ('"cdf818194e3a8c32"', '""', "is not a cluster's"),
        ("[lease]", "[lease]\nttl_s = nan", r"lease\.ttl_s: nan is not within"),
        ("[lease]", "[lease]\nttl_s = 1.4", r"lease\.ttl_s: must be at least 3 \* renew_s"),
        ("[lease]", "[lease]\ncall_timeout_s = 0.6", "must not be longer than renew_s"),
        ("[lease]", "[lease]\nusers = 1", r"lease\.users: is not known"),
    ],
)
def test_what_is_wrong_with_a_lease_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        loaded(tmp_path, (GOOD + LEASE).replace(old, new, 1))


FENCE = """
[fence]
command = ["ssh", "-F", "/etc/hefery/fence.ssh", "fence"]
"""


def test_a_fence_may_be_there(tmp_path: Path) -> None:
    assert loaded(tmp_path, GOOD + LEASE).fence is None
    found = loaded(tmp_path, GOOD + LEASE + FENCE).fence
    assert found == FenceSettings(("ssh", "-F", "/etc/hefery/fence.ssh", "fence"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (FENCE, "fence: gives the disk to who has won a lease, and there is no"),
        (LEASE + "[fence]", r"fence\.command: is missing"),
        (LEASE + "[fence]\ncommand = []", r"fence\.command: has no words"),
        (LEASE + '[fence]\ncommand = [""]', r"fence\.command: has no words"),
        (LEASE + FENCE + "limit_s = 0", r"fence\.limit_s: 0\.0 is not within"),
    ],
)
def test_what_is_wrong_with_a_fence_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        loaded(tmp_path, GOOD + text)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory; name another with --config"):
        load(tmp_path / "none.toml")
