"""A configuration file becomes frozen settings, or one sentence with the file's name."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from telemetry.settings import ConfigError, InfluxSettings, Section, SqliteSettings, StoreSettings, load


class Program(Section):
    store: StoreSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "program.toml"


def test_reads_either_store(file: Path) -> None:
    file.write_text('[store]\nkind = "sqlite"\npath = "points.db"')
    assert load(file, Program).store == SqliteSettings(kind="sqlite", path=Path("points.db"))
    file.write_text('[store]\nkind = "influxdb"\nurl = "https://db:8086"\norg = "site"\ntoken_file = "/run/token"')
    expected = InfluxSettings(kind="influxdb", url="https://db:8086", org="site", token_file=Path("/run/token"))
    assert load(file, Program).store == expected


def test_settings_cannot_be_changed() -> None:
    settings = SqliteSettings(kind="sqlite", path=Path("x"))
    with pytest.raises(ValidationError, match="frozen"):
        settings.path = Path("y")


def test_names_file_and_key(file: Path) -> None:
    file.write_text("[stor]")
    with pytest.raises(ConfigError) as caught:
        load(file, Program)
    missing, unknown = str(caught.value).splitlines()
    assert missing == f"{file}: store is missing; add it"
    assert unknown == f"{file}: stor is not a known key; did you mean store?"


def test_names_the_line_of_a_syntax_error(file: Path) -> None:
    file.write_text('[store]\nkind = "sqlite\n')
    with pytest.raises(ConfigError) as caught:
        load(file, Program)
    assert str(caught.value) == f"{file}: not valid TOML: Illegal character '\\n' (at line 2, column 15)"


def test_says_when_a_file_is_not_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=f"{file}: not valid TOML: 'utf-8' codec can't decode byte 0xff"):
        load(file, Program)


def test_refuses_a_password_in_the_url(file: Path) -> None:
    file.write_text('[store]\nkind = "influxdb"\nurl = "http://me:secret@db"\norg = "site"\ntoken_file = "/run/token"')
    with pytest.raises(ConfigError, match=r"store\.url is .* should match pattern"):
        load(file, Program)


@pytest.mark.parametrize("text", ["a = " + "9" * 5_000, "a = " + "[" * 5_000 + "]" * 5_000])
def test_says_when_a_file_is_too_much_to_read(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=f"{file}: not valid TOML: "):
        load(file, Program)


@pytest.mark.parametrize("path", ["", ".", "a\\u0000b"])
def test_refuses_a_path_that_names_nothing(file: Path, path: str) -> None:
    file.write_text(f'[store]\nkind = "sqlite"\npath = "{path}"')
    with pytest.raises(ConfigError, match=r"store.path: .* names no file; write its whole path"):
        load(file, Program)


def test_says_when_a_file_cannot_be_read(file: Path) -> None:
    with pytest.raises(ConfigError, match=f"{file}: cannot be read: No such file or directory; name another"):
        load(file, Program)
    with pytest.raises(ConfigError, match=f"{file.parent}: cannot be read: Is a directory; name another"):
        load(file.parent, Program)
