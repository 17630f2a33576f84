"""What is wrong with a configuration is said by key and remedy."""

from pathlib import Path
from typing import Annotated, Self

import pytest
from pydantic import Field, model_validator

from telemetry.settings import ConfigError, FilePath, Section, StoreSettings, load


class Disk(Section):
    name: str
    size: int = Field(default=1, ge=1, description="Gigabytes.")


class Program(Section):
    store: StoreSettings = Field(description="Where points are kept.")
    folder: FilePath | None = None
    disks: Annotated[tuple[Disk, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if len(self.disks) > 2:
            raise ValueError("three disks are too many; leave one out")
        return self


SQLITE = '[store]\nkind = "sqlite"\npath = "points.db"\n'
INFLUX = '[store]\nkind = "influxdb"\nurl = "https://db:8086"\norg = "site"\ntoken_file = "/run/token"\n'
DISK = '[[disks]]\nname = "a"\n'


def complaints(file: Path, text: str) -> list[str]:
    """What is said of a file that holds `text`, without the file's name."""
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, Program)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{file}: ") for line in lines)
    return [line.removeprefix(f"{file}: ") for line in lines]


def test_takes_what_is_right(tmp_path: Path) -> None:
    (tmp_path / "f").write_text(f'folder = "x"\n{SQLITE}{DISK}')
    assert load(tmp_path / "f", Program).disks == (Disk(name="a"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "store is missing; add it (Where points are kept)"),
        (SQLITE + "zzz = 1", "store.zzz is not a known key; known are kind, path, retention_days"),
        (SQLITE + "[folders]", "folders is not a known key; did you mean folder?"),
        (
            SQLITE + "retention_days.telemetri = 9",
            "store.retention_days.telemetri is not a known key; did you mean telemetry?",
        ),
        (SQLITE + DISK + "sice = 9", "disks.0.sice is not a known key; did you mean size?"),
    ],
)
def test_names_unknown_and_missing_keys(tmp_path: Path, text: str, said: str) -> None:
    assert complaints(tmp_path / "f", text) == [said]


def test_says_everything_at_once(tmp_path: Path) -> None:
    assert complaints(tmp_path / "f", SQLITE.replace("path", "pth")) == [
        "store.path is missing; add it (The database file)",
        "store.pth is not a known key; did you mean path?",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[store]\nkind = "sqlit"', "store.kind should be one of 'sqlite', 'influxdb'"),
        ('[store]\npath = "x"', "store.kind should be one of 'sqlite', 'influxdb'"),
        ("store = 3", "store is 3; it should be a table (Where points are kept)"),
        (
            INFLUX + 'timeout_s = "9"',
            "store.timeout_s is '9'; it should be a valid number (How long one request may take)",
        ),
        (
            INFLUX + "timeout_s = inf",
            "store.timeout_s is inf; it should be a finite number (How long one request may take)",
        ),
        (INFLUX + "timeout_s = 0", "store.timeout_s is 0; it should be greater than 0 (How long one request may take)"),
        (
            INFLUX.replace('"site"', '""'),
            "store.org is ''; it should have at least 1 character (Organisation that owns the buckets)",
        ),
        (f"folder = 3\n{SQLITE}", "folder is 3; it should be a path, as text"),
        (SQLITE + DISK + DISK + "size = 0", "disks.1.size is 0; it should be greater than or equal to 1 (Gigabytes)"),
        (SQLITE + DISK * 3, "three disks are too many; leave one out"),
    ],
)
def test_says_what_a_value_should_be(tmp_path: Path, text: str, said: str) -> None:
    assert complaints(tmp_path / "f", text) == [said]


def test_shows_an_address_as_it_should_be(tmp_path: Path) -> None:
    (said,) = complaints(tmp_path / "f", INFLUX.replace("https://", ""))
    assert said.startswith("store.url is 'db:8086'; it should match pattern")
    assert said.endswith("(Address of the server, such as http://127.0.0.1:8086)")


def test_shortens_what_it_quotes(tmp_path: Path) -> None:
    (said,) = complaints(tmp_path / "f", f"folder = {['x' * 9999]}\n{SQLITE}")
    assert said == "folder is ['xxxxxxxxxxxx...xxxxxxxxxxxxx']; it should be a path, as text"
