"""What every command has in common, on a command of two verbs."""

import argparse
import signal
from pathlib import Path

import pytest

from telemetry import command
from telemetry.settings import ConfigError, Section, load


class Settings(Section):
    number: int


class RefusedError(Exception):
    pass


def show(arguments: argparse.Namespace) -> int:
    print(load(arguments.config, Settings).number)
    return 0


def refuse(arguments: argparse.Namespace) -> int:
    raise {"own": RefusedError, "foreign": ValueError, "config": ConfigError, "os": OSError}[arguments.kind]("no way")


def interrupt(_: argparse.Namespace) -> int:
    signal.raise_signal(signal.SIGINT)
    return 0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text("number = 7\n", encoding="utf-8")
    return path


def run(*words: str, config: Path) -> int:
    parser = command.parser("tool", "a tool", "the end", config)
    verbs = parser.add_subparsers()
    command.add_verb(verbs, "show", show, "show the number")
    command.add_verb(verbs, "refuse", refuse, "refuse").add_argument("kind")
    command.add_verb(verbs, "interrupt", interrupt, "be interrupted")
    return command.main(parser, words, Settings, (RefusedError,))


@pytest.mark.parametrize("before", [True, False])
def test_config_may_stand_before_or_after_the_verb(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, before: bool
) -> None:
    other = tmp_path / "other.toml"
    other.write_text("number = 8\n", encoding="utf-8")
    given = ("--config", str(other))
    assert run(*((*given, "show") if before else ("show", *given)), config=config) == 0
    assert run("show", config=config) == 0
    assert capsys.readouterr().out == "8\n7\n"


def test_check_config_does_nothing_else(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--check-config", config=config) == 0
    assert capsys.readouterr().out == f"{config}: good\n"
    config.write_text("nummer = 7\n", encoding="utf-8")
    assert run("--check-config", str(config), config=tmp_path / "absent") == 1
    assert "nummer" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["own", "config", "os"])
def test_refusal_is_one_sentence(config: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    assert run("refuse", kind, config=config) == 1
    assert capsys.readouterr().err == "tool: no way\n"


def test_what_nobody_foresaw_is_not_hidden(config: Path) -> None:
    with pytest.raises(ValueError, match="no way"):
        run("refuse", "foreign", config=config)


def test_missing_verb_and_interrupt_have_their_codes(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(config=config)
    assert stopped.value.code == 2
    assert "a verb is missing" in capsys.readouterr().err
    assert run("interrupt", config=config) == 130
