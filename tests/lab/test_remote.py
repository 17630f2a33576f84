import stat
from pathlib import Path

import pytest

from lab.commands import run
from lab.image.build import Images
from lab.landscape import HOSTS, Instance
from lab.remote import ssh, write_config


@pytest.fixture
def lab(tmp_path: Path) -> Instance:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "identity").write_text("secret\n")
    (cache / "host_key.pub").write_text("ssh-ed25519 AAAA lab\n")
    lab = Instance("x", state=tmp_path / "state", run=tmp_path / "x", cache=cache)
    lab.state.mkdir()
    write_config(lab, Images(cache))
    return lab


@pytest.mark.parametrize("name", HOSTS)
def test_ssh_itself_reads_where_and_how(lab: Instance, name: str) -> None:
    said = dict(line.split(" ", 1) for line in run(*ssh(lab, HOSTS[name])[:-1], "-G", name).splitlines())
    assert said["hostname"] == HOSTS[name].address
    assert said["user"] == "root"
    assert said["proxycommand"] == "ip netns exec hefery-x nc %h %p"
    assert said["stricthostkeychecking"] == "true"
    assert said["userknownhostsfile"] == str(lab.state / "known_hosts")


def test_the_key_is_private_also_when_written_again(lab: Instance) -> None:
    write_config(lab, Images(lab.cache))
    assert stat.S_IMODE((lab.state / "identity").stat().st_mode) == 0o600
    assert (lab.state / "known_hosts").read_text() == "* ssh-ed25519 AAAA lab\n"
