"""The command as people and cron type it, in its own process where that matters."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from predictor.cli import main
from telemetry.store import Store
from telemetry.units import NS_PER_S
from tests.predictor import site

CONFIG = """
[store]
kind = "sqlite"
path = "{folder}/store.sqlite"
[model]
folder = "{folder}/models"
restarts = 2
[series]
step_s = 1.0
lag_s = 0.0
[training]
span_h = 0.5
min_steps = 100
[policy]
max_age_s = 600.0  # what was measured when a test began counts as fresh, however slow the machine
min_coverage = 0.01
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "predictor.toml"
    path.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    return path


@pytest.fixture
def measured(store: Store) -> Store:
    """Five minutes of calm that end now; the store is the one that `config` names."""
    now_s = time.time_ns() // NS_PER_S
    store.append(site.points("web", site.calm(300, 1), (now_s - 300) * NS_PER_S))
    return store


def test_help_teaches_the_order_of_things(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    told = capsys.readouterr().out
    assert [verb for verb in ("train", "run", "once", "show", "evaluate", "incident") if verb in told].__len__() == 6
    assert "hefery-predictor incident add --domain web" in told


def test_a_broken_training_leaves_the_model_in_force_and_tells_so(
    config: Path, measured: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(config), "train"]) == 0
    (model,) = (tmp_path / "models").iterdir()
    kept = model.rename(model.with_name("default-2099-01-01T000000.000Z.npz"))
    content = kept.read_bytes()
    assert main(["--config", str(config), "train", "--dry-run"]) == 0
    assert measured.latest("event", since_ns=0) == []
    capsys.readouterr()
    assert main(["--config", str(config), "train"]) == 1
    assert "made later than now" in capsys.readouterr().err
    (event,) = measured.latest("event", since_ns=0)
    assert event.tags["kind"] == "training_failed"
    reason = f"ModelFileError: {kept}: made later than now"
    assert str(event.fields["text"]).startswith(f"no new model: {reason}")
    (training,) = measured.latest("training", since_ns=0)
    assert (training.tags["model"], training.fields["accepted"]) == ("default", False)
    assert str(training.fields["reason"]).startswith(reason)
    assert list((tmp_path / "models").iterdir()) == [kept]
    assert kept.read_bytes() == content


def test_day_of_an_operator(config: Path, measured: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(config), "once"]) == 0
    assert "there is no model yet" in capsys.readouterr().out
    assert main(["train", "--config", str(config), "--seed", "7", "--dry-run"]) == 0
    assert "not written (--dry-run): accepted, the first model" in capsys.readouterr().out
    assert main(["train", "--config", str(config), "--seed", "7"]) == 0
    assert re.search(r"/models/default-.*\.npz: accepted, the first model", capsys.readouterr().out)
    before = measured.latest("decision", since_ns=0)
    assert main(["--config", str(config), "once", "--dry-run"]) == 0
    assert re.search(r"^web +25 +calm for 1 of 5 ticks$", capsys.readouterr().out, re.MULTILINE)
    assert measured.latest("decision", since_ns=0) == before
    assert main(["--config", str(config), "once"]) == 0
    assert measured.latest("decision", since_ns=0) != before
    capsys.readouterr()
    assert main(["--config", str(config), "show"]) == 0
    shown = capsys.readouterr().out
    assert "mode default, 2 chains, steps of 1 s" in shown
    assert re.search(r"^web +0\.(29|30)\d* \+- 0\.0[23]\d*", shown, re.MULTILINE)
    assert re.search(r"^web +25.0 +\d+ s ago +calm for 1 of 5 ticks$", shown, re.MULTILINE)


def test_incidents_are_told_closed_and_listed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add = ["--config", str(config), "incident", "add", "--domain", "web", "--level", "failed"]
    assert main([*add, "--start", "40m", "--end", "25m", "swap storm"]) == 0
    assert "nothing was measured of 'web' in that time; is that its name?" in capsys.readouterr().err
    assert main([*add, "--start", "10m", "--id", "disk", "disk full"]) == 0
    assert main(["incident", "close", "--config", str(config), "--domain", "web", "disk", "--end", "5m"]) == 0
    capsys.readouterr()
    assert main(["--config", str(config), "incident", "list"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(") swap storm")
    assert second.startswith("disk of web (failed, ")
    assert "still going on" not in second
    assert main([*add, "--start", "30m", "--end", "20m"]) == 1
    assert re.match(r"hefery-predictor: incident .* overlaps ", capsys.readouterr().err)


def test_config_is_checked_and_nothing_else_done(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check-config", str(config)]) == 0
    assert main(["--config", str(config), "--check-config"]) == 0
    assert main(["--config", str(config), "--check-config", "."]) == 1
    assert capsys.readouterr().out == f"{config}: good\n" * 2
    assert [path.name for path in tmp_path.iterdir()] == ["predictor.toml"]
    config.write_text(CONFIG.format(folder=tmp_path) + "calm = 1\n", encoding="utf-8")
    assert main(["--check-config", str(config)]) == 1
    assert re.match(rf"hefery-predictor: {config}: .*policy.calm", capsys.readouterr().err)


def test_incident_of_a_measured_domain_raises_no_question(
    config: Path, measured: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["incident", "add", "--domain", "web", "--level", "abnormal", "--start", "3m", "--end", "2m"]
    assert main(["--config", str(config), *words]) == 0
    assert capsys.readouterr().err == ""


class TestOneSentence:
    def said(self, words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
        assert main(words) == 1
        captured = capsys.readouterr()
        assert captured.err.startswith("hefery-predictor: ")
        assert captured.err.count("\n") == 1
        return captured.err

    def test_no_settings(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "name another with --config" in self.said(["--config", str(tmp_path / "none.toml"), "once"], capsys)

    def test_too_little_to_learn(self, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        said = self.said(["--config", str(config), "train"], capsys)
        assert "no new model: no domain was measured in 100 calm steps" in said

    def test_no_model_to_show(self, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "no model yet; make one: hefery-predictor train" in self.said(["--config", str(config), "show"], capsys)

    def test_broken_model(self, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        broken = tmp_path / "broken.npz"
        broken.write_bytes(b"PK")
        said = self.said(["--config", str(config), "show", str(broken)], capsys)
        assert f"{broken}: not a whole model file" in said

    def test_store_that_is_none(self, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "store.sqlite").write_bytes(b"this is no database, and long enough to be taken for one" * 20)
        assert f"{tmp_path}/store.sqlite: " in self.said(["--config", str(config), "once"], capsys)

    def test_store_that_does_not_answer(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]  # free again, so that nobody listens
        token = tmp_path / "token"
        token.write_text("secret", encoding="utf-8")
        token.chmod(0o600)
        config = tmp_path / "influx.toml"
        url = f"http://127.0.0.1:{port}"
        config.write_text(
            f'[store]\nkind = "influxdb"\nurl = "{url}"\norg = "hefery"\ntoken_file = "{token}"\n', encoding="utf-8"
        )
        said = self.said(["--config", str(config), "once"], capsys)
        assert url in said
        assert "secret" not in said

    def test_recordings_that_are_none(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "holds no .csv or .csv.gz file" in self.said(["evaluate", "--data", str(tmp_path)], capsys)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "a verb is missing"),
        (["incident", "add", "--domain", "a", "--level", "bad", "--start", "now"], "invalid choice: 'bad'"),
        (["incident", "add", "--domain", "a", "--level", "failed", "--start", "noon"], "write now, 90m"),
        (["train", "--seed", "-1"], "'-1' is not a whole number from 0 on"),
        (["evaluate", "--data", ".", "--seeds", "0"], "'0' is not a number from 1 on"),
    ],
)
def test_wrong_words_are_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_run_decides_until_it_is_told_to_stop(config: Path, measured: Store) -> None:
    command = [str(Path(sys.executable).with_name("hefery-predictor")), "--config", str(config), "run"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        try:
            deadline_s = time.monotonic() + 20
            while len(measured.events("decision", 0, time.time_ns())) < 2:
                assert time.monotonic() < deadline_s, "no decision in 20 s"
                time.sleep(0.05)
        finally:
            running.send_signal(signal.SIGTERM)
        _, told = running.communicate(timeout=10)
    assert running.returncode == 0, told
    assert "no model in " in told
