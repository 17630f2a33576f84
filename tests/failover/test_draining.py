from pathlib import Path

import pytest

from failover import draining
from failover.draining import NotDrained


class Dom0:
    """Guest web1, whose disk is an image, and some loop devices."""

    def __init__(self, folder: Path) -> None:
        self.configs, self.devices, self.image = folder / "xen", folder / "block", folder / "web1" / "web1.img"
        for path in (self.configs, self.devices, self.image.parent):
            path.mkdir()
        disk = f"format=raw,vdev=xvda,access=rw,backendtype=phy,script=/usr/local/sbin/hefery-block,target={self.image}"
        (self.configs / "web1.cfg").write_text(f'name = "web1"\ndisk = ["{disk}"]\nmemory = 128\n')

    def attach(self, name: str, image: str) -> None:
        file = self.devices / name / "loop" / "backing_file"
        file.parent.mkdir(parents=True)
        file.write_text(f"{image}\n")

    def check(self) -> None:
        draining.check("web1", self.configs, self.devices)


@pytest.fixture
def dom0(tmp_path: Path) -> Dom0:
    return Dom0(tmp_path)


@pytest.mark.parametrize("suffix", ["", " (deleted)"])
def test_an_image_that_is_open_is_not_drained(dom0: Dom0, suffix: str) -> None:
    dom0.attach("loop3", f"{dom0.image}{suffix}")
    with pytest.raises(NotDrained, match="/dev/loop3 still has its disk open here"):
        dom0.check()


def test_an_image_is_known_by_its_real_path(dom0: Dom0) -> None:
    real = dom0.image.parent.rename(dom0.image.parent.with_name("real"))
    dom0.image.parent.symlink_to(real)
    dom0.attach("loop3", f"{real}/web1.img")
    with pytest.raises(NotDrained):
        dom0.check()


def test_disks_of_other_guests_do_not_matter(dom0: Dom0) -> None:
    dom0.attach("loop3", f"{dom0.image}.old")
    (dom0.devices / "loop4").mkdir()
    (dom0.devices / "sda").mkdir()
    dom0.check()


def test_a_guest_that_nobody_has_declared_here_is_told_of(dom0: Dom0, caplog: pytest.LogCaptureFixture) -> None:
    draining.check("web2", dom0.configs, dom0.devices)
    assert "web2: nobody can tell whether its disk is open here" in caplog.text


def test_text_in_another_encoding_is_no_obstacle(dom0: Dom0) -> None:
    config = dom0.configs / "web1.cfg"
    config.write_bytes("# Köln\n".encode("latin-1") + config.read_bytes())
    dom0.attach("loop4", "/srv/other.img")
    (dom0.devices / "loop4/loop/backing_file").write_bytes(b"/srv/K\xf6ln.img\n")
    dom0.check()
    dom0.attach("loop5", str(dom0.image))
    with pytest.raises(NotDrained):
        dom0.check()


def test_a_device_that_is_detached_meanwhile_is_none(dom0: Dom0) -> None:
    file = dom0.devices / "loop3" / "loop" / "backing_file"
    file.parent.mkdir(parents=True)
    file.symlink_to("gone")
    dom0.check()
