"""scripts/influxd finds a server, or makes one exactly once; the tools that it runs are stand-ins here."""

from functools import partial
from pathlib import Path

import pytest

from tests.scripts import stand_ins
from tests.scripts.stand_ins import Tool

ORDINARY = "bash cat chmod cut dirname find flock grep mkdir mktemp mv realpath rm sha256sum tail tar uname touch sleep"
IS_2X = "echo 'InfluxDB v2.7.1 (git: 407fa622e) build_date: 2023-04-28T13:24:27Z'"
IS_1X = "echo 'InfluxDB v1.6.7 (git: unknown unknown)'"
BUILD = """
case "$*" in
  *cmd/influxd) echo built >>"$HOME/builds" ;;
  build*) ;;
  *) exit 0 ;;
esac
while [ "$1" != -o ]; do shift; done
sleep 0.2
printf '#!/bin/sh\\n%s\\n' "echo 'InfluxDB v2.9.1'" >"$2"
chmod +x "$2"
"""

start = partial(stand_ins.start, "influxd")
run = partial(stand_ins.run, "influxd")


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    return stand_ins.tools(tmp_path / "bin", ORDINARY)


@pytest.fixture
def environment(tmp_path: Path, tool: Tool) -> dict[str, str]:
    for name in ("gcc", "pkg-config", "cargo"):
        tool(name, "true")
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), "HEFERY_CACHE": str(tmp_path / "cache")}


def test_takes_the_server_that_it_is_told(environment: dict[str, str], tool: Tool, tmp_path: Path) -> None:
    mine = tool("mine", IS_2X)
    assert run(environment | {"INFLUXD": str(mine)}, "--find") == (0, str(mine), "")


@pytest.mark.parametrize("what", [IS_1X, "exit 1"])
def test_refuses_to_be_told_another(environment: dict[str, str], tool: Tool, what: str) -> None:
    mine = tool("mine", what)
    code, out, errors = run(environment | {"INFLUXD": str(mine)})
    assert (code, out) == (1, "")
    assert errors == f"influxd: INFLUXD={mine} is not an InfluxDB 2.x server; correct or unset INFLUXD\n"


def test_takes_the_server_on_path_if_it_is_2x(environment: dict[str, str], tool: Tool) -> None:
    found = tool("influxd", IS_2X)
    assert run(environment, "--find") == (0, str(found), "")
    tool("influxd", IS_1X)
    code, out, errors = run(environment, "--find")
    assert (code, out) == (1, "")
    assert f"{found} on PATH is not 2.x" in errors


def test_only_finding_names_the_remedy(environment: dict[str, str], tool: Tool) -> None:
    tool("go", BUILD)
    remedy = "influxd: there is no influxd 2.x here: run `make influxd`, or set INFLUXD to one\n"
    assert run(environment, "--find") == (1, "", remedy)


def test_two_at_once_build_one_server(environment: dict[str, str], tool: Tool, tmp_path: Path) -> None:
    tool("go", BUILD)
    outputs = [process.communicate() for process in [start(environment), start(environment)]]
    (path,) = {out.strip() for out, _ in outputs}
    assert (tmp_path / "builds").read_text() == "built\n"
    assert Path(path).parent.parent == tmp_path / "cache"
    assert sorted(file.name for file in Path(path).parent.iterdir()) == [".lock", "influxd"]
    assert run(environment, "--find") == (0, path, "")


def test_does_not_use_an_archive_with_another_checksum(environment: dict[str, str], tool: Tool, tmp_path: Path) -> None:
    tool("go", BUILD)
    tool("curl", 'while [ "$1" != -o ]; do shift; done; echo "log in first" >"$2"')
    code, _, errors = run(environment)
    assert code == 0
    assert "what came is not the vendor's archive: not used" in errors
    assert (tmp_path / "builds").exists()


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ({}, "the build needs Go >= 1.25.10: install Go, or set INFLUXD to a 2.x server"),
        (
            {"go": "[ $1 = version ] && echo go version go1.19"},
            "the build needs Go >= 1.25.10, go version go1.19 is too old",
        ),
        ({"go": "[ $1 = list ] || { echo 'link: broken' >&2; exit 1; }"}, "link: broken\ninfluxd: the build failed"),
    ],
)
def test_says_what_a_build_lacks(environment: dict[str, str], tool: Tool, tools: dict[str, str], said: str) -> None:
    for name, text in tools.items():
        tool(name, text)
    code, out, errors = run(environment)
    assert (code, out) == (1, "")
    assert said in errors
    assert run(environment, "--find")[0] == 1


def test_a_build_needs_rust(environment: dict[str, str], tool: Tool) -> None:
    tool("cargo", "").unlink()
    assert "the build needs cargo >= 1.83: install Rust" in run(environment)[2]
