"""A look at a Xen host reads what xl, systemd and the agent say, and may wait until they say something else."""

import json
import time
from pathlib import Path

from tests.ansible.acts import GOING
from tests.ansible.plugins import load

DATA = Path(__file__).parents[1] / "data"
LOOK = load("act/library/act_look.py")


def test_a_look_reads_xl_systemd_and_the_agents_file(tmp_path: Path) -> None:
    said = {**GOING, "until_monotonic_ns": time.monotonic_ns() + 10**9}
    old = {**GOING, "until_monotonic_ns": time.monotonic_ns() - 1}
    for guest, words in (("h1", said), ("h2", old)):
        (tmp_path / guest).mkdir()
        (tmp_path / guest / "replication").write_text(json.dumps(words))
    answers = {
        "xl": (DATA / "xl-list-4.17-replicating.txt").read_text() + "h2--incoming  3   96   0   --p---   0.0\n",
        "systemctl": "Id=remus@h1.service\nLoadState=loaded\nActiveState=active\n\n"
        "Id=hefery-agent.service\nLoadState=not-found\nActiveState=inactive\n",
        "xenstore-ls": '/local/domain/0/backend/vbd/1/51712/params = "/dev/hefery/h1"\n',
    }
    for guest, disk in (("h1", "phy,target=/dev/hefery/h1"), ("h2", "target=/srv/hefery/h2/h2.img,script=x")):
        (tmp_path / f"{guest}.cfg").write_text(f'name = "{guest}"\ndisk = ["vdev=xvda,{disk}"]\n')

    def run(*command: str) -> str | None:
        return "" if command[-1] == "/dev/hefery/h1" else answers.get(command[0])

    seen = LOOK.look(["h1", "h2"], tmp_path, run, tmp_path)
    assert seen == {
        "xen": True,
        "live": {"h1": "---ss-"},
        "incoming": ["h2"],
        "units": {"h1": "active", "h2": "absent"},
        "services": {"agent": "absent", "receiver": "absent", "heartbeat": "absent"},
        "replication": {"h1": said, "h2": None},
        "missing_disks": ["h2"],
        "disks_in_use": ["h1"],
    }


def test_a_guest_without_a_disk_misses_none(tmp_path: Path) -> None:
    (tmp_path / "h1.cfg").write_text('name = "h1"\n')
    seen = LOOK.look(["h1"], tmp_path, lambda *_: None, tmp_path)
    assert (seen["missing_disks"], seen["disks_in_use"]) == ([], [])


def test_a_wait_ends_when_all_are_protected_or_a_replication_has_ended(tmp_path: Path) -> None:
    (tmp_path / "h1").mkdir()
    active = lambda *_: "active\n"  # noqa: E731  # a stub
    assert not LOOK.protected(["h1"], tmp_path, active)
    assert LOOK.protected(["h1"], tmp_path, lambda *_: None)
    said = {**GOING, "until_monotonic_ns": time.monotonic_ns() + 10**10}
    (tmp_path / "h1" / "replication").write_text(json.dumps(said))
    assert LOOK.protected(["h1"], tmp_path, active)
    (tmp_path / "h1" / "replication").write_text(json.dumps({**said, "protected": False}))
    assert not LOOK.protected(["h1"], tmp_path, active)


def test_a_wait_ends_when_no_copy_waits(tmp_path: Path) -> None:
    backup = (DATA / "xl-list-4.17-backup.txt").read_text()
    assert not LOOK.alone(["h1", "h2"], tmp_path, lambda *_: backup)
    assert LOOK.alone(["h2"], tmp_path, lambda *_: backup)


def test_a_host_without_xen_says_so(tmp_path: Path) -> None:
    seen = LOOK.look(["web1"], tmp_path, lambda *_: None)
    assert (seen["xen"], seen["live"], seen["units"]) == (False, {}, {"web1": "absent"})
