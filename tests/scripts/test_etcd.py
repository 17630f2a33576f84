"""scripts/etcd finds a server, or gets one exactly once; the tools that it runs are stand-ins here."""

from functools import partial
from pathlib import Path

import pytest

from tests.scripts import stand_ins
from tests.scripts.stand_ins import Tool

ORDINARY = "bash cat chmod dirname flock mkdir mktemp mv rm sleep tail touch"
IS_3X = "echo 'etcd Version: 3.4.23'; echo 'Git SHA: Not provided'"
IS_2X = "echo 'etcd Version: 2.3.7'"
UNPACKS = (
    f"""mkdir -p "$3/usr/bin"; printf '#!/bin/sh\\n%s\\n' "{IS_3X}" >"$3/usr/bin/etcd"; chmod +x "$3/usr/bin/etcd" """
)

start = partial(stand_ins.start, "etcd")
run = partial(stand_ins.run, "etcd")


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    return stand_ins.tools(tmp_path / "bin", ORDINARY)


@pytest.fixture
def environment(tmp_path: Path, tool: Tool) -> dict[str, str]:
    tool("sudo", 'exec "$@"')
    tool("dpkg-deb", UNPACKS)
    tool("apt-get", f'echo "$1" >>{tmp_path}/apt; [ "$1" = update ] || {{ sleep 0.2; touch etcd-server_3.deb; }}')
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), "HEFERY_CACHE": str(tmp_path / "cache")}


def test_takes_the_server_that_it_is_told(environment: dict[str, str], tool: Tool) -> None:
    mine = tool("mine", IS_3X)
    assert run(environment | {"HEFERY_ETCD": str(mine)}, "--find") == (0, str(mine), "")


@pytest.mark.parametrize("what", [IS_2X, "exit 1"])
def test_refuses_to_be_told_another(environment: dict[str, str], tool: Tool, what: str) -> None:
    mine = tool("mine", what)
    complaint = f"etcd: HEFERY_ETCD={mine} is not an etcd 3.x; correct or unset HEFERY_ETCD\n"
    assert run(environment | {"HEFERY_ETCD": str(mine)}) == (1, "", complaint)


def test_takes_the_server_on_path_if_it_is_3x(environment: dict[str, str], tool: Tool) -> None:
    found = tool("etcd", IS_3X)
    assert run(environment, "--find") == (0, str(found), "")
    tool("etcd", IS_2X)
    assert run(environment, "--find")[0] == 1


def test_only_finding_names_the_remedy(environment: dict[str, str], tmp_path: Path) -> None:
    remedy = "etcd: there is no etcd 3.x here: run `make test`, or set HEFERY_ETCD to one\n"
    assert run(environment, "--find") == (1, "", remedy)
    assert not (tmp_path / "apt").exists()


def test_two_at_once_get_one_server(environment: dict[str, str], tmp_path: Path) -> None:
    outputs = [process.communicate() for process in [start(environment), start(environment)]]
    (path,) = {out.strip() for out, _ in outputs}
    assert (tmp_path / "apt").read_text() == "download\n"
    assert sorted(file.name for file in Path(path).parent.iterdir()) == [".lock", "etcd"]
    assert run(environment, "--find") == (0, path, "")


def test_lists_are_fetched_where_they_are_missing(environment: dict[str, str], tool: Tool, tmp_path: Path) -> None:
    tool(
        "apt-get",
        f"case $1 in update) touch {tmp_path}/lists ;; *) [ -e {tmp_path}/lists ] && touch etcd-server_3.deb ;; esac",
    )
    assert run(environment)[0] == 0


def test_says_what_is_wrong(environment: dict[str, str], tool: Tool) -> None:
    tool("dpkg-deb", "")
    assert run(environment)[2].endswith("etcd: what came does not run as etcd 3.x\n")
    tool("apt-get", "echo 'E: no network' >&2; exit 1")
    assert run(environment)[2].endswith("etcd: not to be had: E: no network\n")
    tool("apt-get", "").unlink()
    assert "there is no apt-get here" in run(environment)[2]
