"""The probe of role xen_host: what it reads out of xl's own output, and of the machine that the tests run on."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from failover import copies, xl
from tests.ansible.plugins import load

DATA = Path(__file__).parents[1] / "data"
PROBE = load("xen_host/library/xen_host_probe.py")


def probed(answers: dict[str, str], **parameters: Any) -> dict[str, Any]:
    """Probe with a shell that knows these commands by what they contain, and fails at all others."""
    asked = {
        "packages": [],
        "files": [],
        "units": [],
        "peers": {},
        "peer_port": 22,
        "bridge": "nobr0",
        "share": "/srv/hefery",
        "asked_s": 0.0,
    }
    run = lambda command: next((text for part, text in answers.items() if part in command), None)  # noqa: E731  # a stub
    found: dict[str, Any] = PROBE.look({**asked, **parameters}, run)
    return found


def test_xen_is_read_from_xl_info() -> None:
    found = probed({"xl info": (DATA / "xl-info-4.17-pvh-host.txt").read_text()})
    assert found["xen"] == {
        "version": [4, 17],
        "abilities": ["pv", "hvm", "hap", "gnttab-v1", "gnttab-v2"],
        "cpu_features": "078bf3fd:c2982203:20100800:00000005:00000000:00000000:00000000:00000000",
        "cpus": 1,
        "free_memory_mb": 650,
    }


def test_a_host_without_xen_is_the_machine_alone() -> None:
    found = probed({})
    assert found["xen"] is None
    assert found["domains"] == {}
    assert found["hostname"] == socket.gethostname()
    assert found["machine"]["cpus"] >= 1
    assert found["machine"]["memory_mb"] > 100
    assert not found["bridge"]
    assert "lo" in found["interfaces"]


@pytest.mark.parametrize(("value", "is_on"), [(b"\6\0\0\0\1", True), (b"\6\0\0\0\0", False), (None, False)])
def test_secure_boot_is_read_from_the_firmware(value: bytes | None, is_on: bool, tmp_path: Path) -> None:
    if value:
        (tmp_path / "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c").write_bytes(value)
    assert PROBE.secure_boot(tmp_path) is is_on


def test_domains_are_read_from_xl_list() -> None:
    assert PROBE.domains((DATA / "xl-list-4.17-backup.txt").read_text()) == {"h1--incoming": 96}
    assert PROBE.domains((DATA / "xl-list-4.17-replicating.txt").read_text()) == {"h1": 96}
    assert PROBE.domains("two words    7   512     2     -b----      96.4\n") == {"two words": 512}


def test_only_what_is_not_installed_is_missing() -> None:
    states = "xenstore-utils install ok installed\nnfs-common deinstall ok config-files\n"
    found = probed({"dpkg-query": states}, packages=["xenstore-utils", "nfs-common", "xen-utils-4.17"])
    assert found["missing"] == ["nfs-common", "xen-utils-4.17"]


def test_a_unit_that_is_not_there_has_no_enablement() -> None:
    shown = """Id=xen.service
ActiveState=active
UnitFileState=generated

Id=nonsense.service
ActiveState=inactive
UnitFileState=
"""
    found = probed({"systemctl show": shown}, units=["xen.service", "nonsense.service"])
    assert found["units"] == {"xen.service": ["generated", "active"], "nonsense.service": ["", "inactive"]}


def test_files_are_summed_up_where_they_are(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("abc")
    found = probed({}, files=[str(script), str(tmp_path / "gone")])
    # FIPS 180-2, appendix B.1
    assert found["files"] == {str(script): "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}


def test_a_peer_that_takes_no_connection_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert probed({}, peers={"b": "127.0.0.1"}, peer_port=port)["silent_peers"] == []
    assert probed({}, peers={"b": "127.0.0.1"}, peer_port=port)["silent_peers"] == ["b"]


def test_a_guest_without_suspend_channel_is_named_where_xen_is_old() -> None:
    new = {"xl info": (DATA / "xl-info-4.17-pvh-host.txt").read_text()}
    old = {"xl info": new["xl info"].replace("xen_minor              : 17", "xen_minor              : 2")}
    listed = {"xl list": (DATA / "xl-list-4.17-replicating.txt").read_text()}
    assert probed({**new, **listed})["without_suspend_channel"] == []
    assert probed({**old, **listed})["without_suspend_channel"] == ["h1"]
    assert probed({**old, **listed, "xenstore-exists": ""})["without_suspend_channel"] == []


def test_a_disk_through_the_page_cache_is_named_by_its_guest(tmp_path: Path) -> None:
    images = {
        "loop0": ("/srv/hefery/web1/web1.img", "0"),
        "loop1": ("/srv/hefery/web2/web2.img", "1"),
        "loop2": ("/srv/hefery/web3.img", "0"),  # without a fence: its link names it
        "loop3": ("/srv/hefery/images/web4.img", "0"),  # likewise
        "loop4": ("/srv/hefery-other/web5/web5.img", "0"),  # not a guest's
    }
    for device, (image, is_direct) in images.items():
        folder = tmp_path / "block" / device / "loop"
        folder.mkdir(parents=True)
        (folder / "backing_file").write_text(f"{image}\n")
        (folder / "dio").write_text(f"{is_direct}\n")
    (tmp_path / "block" / "loop5").mkdir()  # not in use
    links = tmp_path / "links"
    links.mkdir()
    for name, device in (("web3", "loop2"), ("web4", "loop3"), ("gone", "loop5")):
        (links / name).symlink_to(f"/dev/{device}")
    assert PROBE.buffered_disks(Path("/srv/hefery"), links, tmp_path / "block") == ["web1", "web3", "web4"]


@contextmanager
def receivers(*marks: str) -> Iterator[list[int]]:
    """Real processes called like a receiving xl, each with its mark; none where that is empty."""
    with ExitStack() as stack:
        command = ["/bin/sh", "-c", "echo; read -r _; exit", "xl", "migrate-receive", "-r"]
        environments = [{**os.environ, **({xl.MARK: mark} if mark else {})} for mark in marks]
        started = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
            )
            for environment in environments
        ]
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()  # it is under its name now
        yield [process.pid for process in started]
        for process in started:
            process.communicate()


@pytest.mark.parametrize(
    ("marks", "told"),
    [
        ((), []),
        (("m1",), ["web1"]),
        (("m1", "m2"), ["web1", "web2"]),
        (("m1", ""), None),  # an `xl migrate` of somebody's
        (("m1", "m3"), None),
    ],
)
def test_what_is_received_is_told_by_the_receivers_records(
    marks: tuple[str, ...], told: list[str] | None, tmp_path: Path
) -> None:
    for name, mark in (("web1", "m1"), ("web2", "m2")):
        copies.directory(tmp_path, name).mkdir(parents=True)
        copies.write(tmp_path, copies.Record(name, "a", mark, pid=1, started=1, phase="protected"))
    copies.directory(tmp_path, "db").mkdir()
    (copies.directory(tmp_path, "db") / "state").write_text("no record")
    processes = tmp_path / "proc"
    (processes / "1").mkdir(parents=True)  # it has ended
    with receivers(*marks) as pids:
        for pid in pids:
            (processes / str(pid)).symlink_to(f"/proc/{pid}")
        assert PROBE.receiving(processes, tmp_path / "receive") == told
