import json
from pathlib import Path

import pytest

from agent.cli import main
from agent.hold import hold_path, read
from agent.spool_state import read_state
from tests.agent.jmeter import ANSWERS, RUN


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(
        f"""
host = "a"
run_dir = "{tmp_path / "run"}"
store = {{ kind = "sqlite", path = "{tmp_path / "store.db"}" }}
spool = {{ path = "{tmp_path / "spool.db"}" }}
xen = {{ enabled = false }}
checkpoints = {{ enabled = false }}
machine = {{ period_s = 0.2 }}
guest = {{ enabled = true, domain = "local", period_s = 0.2 }}
governor = {{ primary = "assumed", domains = ["local"] }}
"""
    )
    return path


def test_checks_a_configuration(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check-config", str(config)]) == 0
    assert main(["--config", str(config), "--check-config"]) == 0
    assert main(["--config", str(config), "--check-config", "."]) == 1
    assert capsys.readouterr().out == f"{config}: good\n" * 2
    config.write_text("[governer]\n")
    assert main(["--check-config", str(config)]) == 1
    assert "did you mean governor?" in capsys.readouterr().err


def test_a_missing_configuration_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(tmp_path / "none.toml"), "run"]) == 1
    sentence = "cannot be read: No such file or directory; name another with --config"
    assert capsys.readouterr().err == f"hefery-agent: {tmp_path / 'none.toml'}: {sentence}\n"


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    told = capsys.readouterr().out
    assert all(f"hefery-agent {verb}" in told for verb in ("once", "run", "status", "hold web --for 2h"))


def test_a_missing_verb_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "a verb is missing" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_once_shows_what_is_measured_and_sends_nothing(
    config: Path, words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["--config", str(config), "once", *words]) == 0
    told = capsys.readouterr().out
    if words:
        points = [point for seen in json.loads(told) for point in seen["points"]]
        assert {point["measurement"] for point in points} >= {"host", "domain"}
        assert all(0 <= point["fields"]["cpu_ratio"] <= 1 for point in points)
    else:
        assert "domain of a, local" in told
    assert not (tmp_path / "spool.db").exists()
    assert not (tmp_path / "store.db").exists()


def test_once_fails_where_a_collector_does(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    config.write_text(config.read_text().replace("xen = { enabled = false }", ""))
    assert main(["--config", str(config), "once"]) == 1
    assert "xentop cannot be started" in capsys.readouterr().out


def test_status_tells_what_is_wrong(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(config), "status"]) == 1
    assert "PROBLEM   the agent is not running" in capsys.readouterr().out
    assert main(["status", "--json", "--config", str(config)]) == 1
    assert json.loads(capsys.readouterr().out)["running"] is False


def test_holds_and_releases(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hold = ["--config", str(config), "hold", "local"]
    path = hold_path(tmp_path / "run", "local")
    assert main([*hold, "--for", "2h"]) == 0
    held = read(path)
    assert held is not None
    assert held.interval_ms == 25
    assert capsys.readouterr().out.startswith("local: at most 25 ms until 20")
    assert main([*hold, "--for", "1h", "--interval", "100"]) == 0
    held = read(path)
    assert held is not None
    assert held.interval_ms == 100
    assert main([*hold, "--release"]) == 0
    assert read(path) is None
    assert main(["--config", str(config), "hold", "other", "--for", "2h"]) == 0
    assert "not replicated from here now" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["local", "--for", "soon"], "'soon' is not a duration"),
        (["local", "--for", "99d"], "at most 30d"),
        (["local", "--for", "2h", "--interval", "24"], "--interval 24 is not between 25 and 8000 ms"),
        (["local", "--for", "2h", "--interval", "9000"], "--interval 9000 is not between 25 and 8000 ms"),
        (["../etc", "--for", "2h"], "'../etc' cannot be a domain's name"),
    ],
)
def test_a_bad_hold_is_one_sentence_and_no_hold(
    config: Path, tmp_path: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(config), "hold", *words]) == 1
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_an_event_waits_for_the_agent(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = ["event", "maintenance", "--text", "new disk", "--domain", "web", "--time", "1700000000000000000"]
    assert main(["--config", str(config), *event]) == 0
    assert read_state(tmp_path / "spool.db").points == 1
    assert main([*event, "--domain", "a\nb", "--config", str(config)]) == 1
    assert capsys.readouterr().err.startswith("hefery-agent: event: tag domain is 'a\\nb'")


def test_a_finished_run_of_jmeter_is_handed_to_the_sender(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--config", str(config), "import-jtl", str(RUN)]
    assert main(words) == 1
    assert "--domain is missing" in capsys.readouterr().err
    assert main([*words, "--domain", "web1", "--window", "5"]) == 0
    assert f"{ANSWERS} answers in 4 points" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--domain", "web1", "--window", "0"])


def test_a_run_of_jmeter_is_summed_up(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--config", str(config), "sum-up-jtl"]
    assert main([*words, str(RUN)]) == 0
    assert json.loads(capsys.readouterr().out)["count"] == ANSWERS
    assert main([*words, str(RUN), "--skip", "5"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 0 < told["count"] < ANSWERS
    assert told["times_ms"].keys() > {"mean_ms", "p95_ms"}
    assert main([*words, str(RUN), "--skip", "60"]) == 1
    assert f"{RUN}: no answer is left of " in capsys.readouterr().err
    assert main([*words, str(tmp_path / "none.jtl")]) == 1
    assert "none.jtl: cannot be read: No such file" in capsys.readouterr().err
