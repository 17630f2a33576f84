"""The probe of role xen_host: what it reads out of xl's own output, and of the machine that the tests run on."""

import socket
from pathlib import Path
from typing import Any

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
    assert found["machine"]["cpus"] >= 1
    assert found["machine"]["memory_mb"] > 100
    assert not found["bridge"]


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
