"""`hefery-remus lease show`, the program, against a real etcd."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from failover.etcd import Etcd
from failover.lease import Held, Lease
from failover.lease_settings import LeaseSettings
from tests.etcd import running_etcd, settings_for


def show(folder: Path, settings: LeaseSettings | None, *more: str) -> subprocess.CompletedProcess[str]:
    config = folder / "remus.toml"
    config.write_text(
        '[host]\nname = "a"\n[[peers]]\nname = "b"\naddress = "127.0.0.1"\n'
        + "".join(f'[[domains]]\nname = "{name}"\npeers = ["a", "b"]\n' for name in ("web1", "web2", "web3"))
        + (
            f'[lease]\nendpoints = {json.dumps(settings.endpoints)}\ncluster_id = "{settings.cluster_id}"\n'
            f"ttl_s = 0.9\nrenew_s = 0.2\ncall_timeout_s = 0.2\n"
            if settings
            else ""
        )
    )
    program = str(Path(sys.executable).with_name("hefery-remus"))
    command = [program, "lease", "show", *more, "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def shown(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {one.pop("guest"): {key: one[key] for key in one if key != "problem"} for one in json.loads(done.stdout)}


def test_holders_are_shown(tmp_path: Path) -> None:
    with running_etcd(tmp_path) as (only,), Etcd(settings := settings_for([only])) as etcd:
        web1, web2 = (Lease(etcd, guest, "b", 30.0) for guest in ("web1", "web2"))
        first, second = web1.acquire(), web2.acquire()
        assert isinstance(first, Held)
        assert isinstance(second, Held)
        web1.note(first.epoch, "copy-1")
        text = show(tmp_path, settings)
        web2.release(second.epoch)
        end = threading.Event()

        def renew() -> None:
            while not end.wait(0.02):
                web1.renew(first.epoch)

        renewing = threading.Thread(target=renew)
        renewing.start()
        done = show(tmp_path, settings, "--json")
        end.set()
        renewing.join()
    assert (text.returncode, text.stdout.splitlines()) == (
        0,
        [
            f"web1: held by b, NOT RENEWED, epoch {first.epoch}; the guest is b's, with a backup",
            f"web2: held by b, NOT RENEWED, epoch {second.epoch}",
            "web3: free, never held",
        ],
    )
    assert done.returncode == 0
    no_guest = {"runner": "", "backup": ""}
    held = {"holder": "b", "epoch": first.epoch, "is_held": True, "is_renewed": True} | {
        "runner": "b",
        "backup": "copy-1",
    }
    free = {"holder": "b", "epoch": second.epoch, "is_held": False, "is_renewed": False} | no_guest
    never = {"holder": "", "epoch": 0, "is_held": False, "is_renewed": False} | no_guest
    assert shown(done) == {"web1": held, "web2": free, "web3": never}


def test_what_cannot_be_told_is_an_error(tmp_path: Path) -> None:
    nowhere = LeaseSettings(("http://127.0.0.1:1",), "c1")
    begun_s = time.monotonic()
    done = show(tmp_path, nowhere)
    assert time.monotonic() - begun_s < 10.0  # three guests are not three times as long
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "web1: UNKNOWN: http://127.0.0.1:1: Connection refused"
    assert shown(show(tmp_path, nowhere, "--json"))["web3"]["holder"] is None


def test_without_a_lease_it_says_so(tmp_path: Path) -> None:
    done = show(tmp_path, None)
    assert done.returncode == 1
    assert "has no [lease]" in done.stdout + done.stderr
