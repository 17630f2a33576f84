import json
import subprocess
from contextlib import nullcontext
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import cast

import pytest

from lab.trials import base, grafana_stand_in, loop, playbooks, secrecy, store, verified
from lab.trials.part import Turn
from lab.trials.parts import upkeep
from lab.trials.parts.upkeep import UPKEEP
from lab.trials.playbooks import Counts
from lab.trials.site import Site


def test_the_stand_in_for_grafana_is_unpacked_and_runs_as_grafana_does(tmp_path: Path) -> None:
    grafana_stand_in.pack(tmp_path / "made.tar.gz")
    subprocess.run(["tar", "-xzf", "made.tar.gz", "--strip-components=1"], cwd=tmp_path, check=True)
    words = ["bin/grafana", "server", f"--homepath={tmp_path}", "--config=/nowhere/grafana.ini"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "/nowhere/grafana.ini" in done.stderr.splitlines()[-1]


def test_the_stores_certificate_is_its_addresss_and_signed_by_the_authority(tmp_path: Path) -> None:
    told = upkeep._certified(tmp_path)
    check = ["openssl", "verify", "-CAfile", told["hefery_tls_authority"], "-verify_ip"]
    good, bad = (
        subprocess.run([*check, address, told["hefery_tls_certificate"]], capture_output=True, text=True, check=False)
        for address in ("10.77.0.15", "10.77.0.14")
    )
    assert good.returncode == 0, good.stderr
    assert "IP address mismatch" in bad.stderr
    for key in (Path(told["hefery_tls_key"]), tmp_path / "authority.key"):
        assert key.stat().st_mode & 0o077 == 0


def test_a_landscape_that_tells_secrets_is_not_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def play(_: str, log: Path) -> Counts:
        log.write_text('"of-grafana"')
        (tmp_path / "report.json").write_text(json.dumps({"rows": [], "checks": 0}))
        return Counts(0, 0, 0, ())

    monkeypatch.setattr(base, "begin", lambda *_: None)
    monkeypatch.setattr(loop, "quick_predictor", lambda _: nullcontext())
    monkeypatch.setattr(store, "await_point", lambda *_, **__: object())
    monkeypatch.setattr(playbooks, "play", play)
    monkeypatch.setattr(verified, "_REPORT", tmp_path / "report.json")
    monkeypatch.setattr(secrecy, "known", lambda _: {"grafana-key": "of-grafana"})
    monkeypatch.setattr(secrecy, "shown", lambda *_: ["m shows grafana-key in the journal"])
    site = cast("Site", SimpleNamespace(both=lambda: (), is_protected=lambda: True))
    (tmp_path / "1").mkdir()
    with UPKEEP.session(site) as trial:
        outcome = trial(Turn(1, Random(1), tmp_path / "1"))
    assert outcome.faults == (f"{tmp_path}/1/verify.json has grafana-key", "m shows grafana-key in the journal")
