"""The words that the fence understands, and those that it does not."""

import json
from pathlib import Path

import pytest

from fence.__main__ import main
from tests.fence.server import HOSTS, running_server


@pytest.fixture
def settings(tmp_path: Path) -> str:
    """Of a server with nothing in it: who does anything there, fails."""
    paths = {f"{name}_path": f"/nowhere/{name}" for name in ("images", "views", "state", "exports", "etab", "nfsd")}
    path = tmp_path / "fence.json"
    path.write_text(json.dumps({"hosts": HOSTS, "guests": ["web1", "web2"], "limit_s": 1, **paths}))
    return str(path)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("", "not understood"),
        ("give web1 a", "not understood"),
        ("give  web1 a 5", "not understood"),
        ("give web1 a 5 6", "not understood"),
        ("give web1 a 0", "is no epoch"),
        ("give web1 a -5", "is no epoch"),
        ("give web1 a 5;reboot", "is no epoch"),
        ("give web1 a \u0665", "is no epoch"),
        ("give web1 a 9999999999999999999", "is no epoch"),
        ("give web1 b 5", "this key is a's"),
        ("give ../web1 a 5", "no guest is named '../web1'"),
        ("give web1\nx a 5", "no guest is named"),
        ("show web3", "no guest is named 'web3'"),
        ("forget web1 --epoch 5", "not understood"),
        ("restore", "not understood"),
        ("--settings /tmp/x give web1 a 5", "not understood"),
    ],
)
def test_a_host_may_ask_nothing_else(
    words: str, reason: str, settings: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", words)
    assert main(["--settings", settings, "--from", "a"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["answer"] == "refused"
    assert reason in answer["reason"]


def test_a_host_asks_for_itself(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        server.call("restore")
        answer = server.call("--from", "b", ssh="give web2 b 7")
        assert answer == {"answer": "done", "guest": "web2", "host": "b", "epoch": 7}
        shown = {"host": "b", "epoch": 7, "writable": ["b"], "exported_writable": ["b"]}
        assert server.call("--from", "a", ssh="show web2") == {"answer": "done", "guest": "web2", **shown}
        nobody: dict[str, object] = {"host": None, "epoch": None, "writable": [], "exported_writable": []}
        assert server.call("show")["guests"] == {"web1": nobody, "web2": shown}


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["give", "web1", "c", "5"], 3, "no host is named 'c'"),
        (["forget", "web1", "5"], 3, "not understood"),
        (["forget", "web1", "--epoch", "five"], 3, "is no epoch"),
        (["give", "web1", "a", "5"], 1, "/nowhere/state/web1.lock"),
        (["restore"], 1, "/nowhere"),
    ],
)
def test_an_operator_is_told_what_is_wrong(
    words: list[str], status: int, reason: str, settings: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--settings", settings, *words]) == status
    assert reason in json.loads(capsys.readouterr().out)["reason"]


def test_no_configuration_is_a_failure_that_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--settings", str(tmp_path / "none.json"), "show"]) == 1
    assert "none.json" in json.loads(capsys.readouterr().out)["reason"]
