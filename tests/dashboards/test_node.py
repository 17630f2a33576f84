"""The folder that programs for Node run in: packages as locked, got once."""

import json
import stat
from pathlib import Path

import pytest

import dashboards.preview
import dashboards.typecheck
from dashboards.node import digest, prepared, set_stamp, sources, stamp

_NPM = "#!/bin/sh\nmkdir -p node_modules && echo $* >>npm.log\n"
_FOLDERS = [Path(str(module.__file__)).parent for module in (dashboards.preview, dashboards.typecheck)]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(_NPM)
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(npm.parent), prepend=":")
    source = tmp_path / "source"
    (source / "src").mkdir(parents=True)
    for name in ("package-lock.json", "src/page.js", "tool.py"):
        (source / name).write_text(name)
    return source


def test_packages_are_got_once_and_again_for_another_lock(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "build" / "page"
    for _ in range(2):
        assert prepared(source, folder) == folder
    assert (folder / "npm.log").read_text() == "ci\n"
    (source / "package-lock.json").write_text("other")
    prepared(source, folder)
    assert (folder / "npm.log").read_text() == "ci\nci\n"


def test_sources_are_copied_anew_but_for_pythons(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "page"
    before = digest(sources(source))
    prepared(source, folder)
    (source / "src" / "page.js").write_text("changed")
    prepared(source, folder)
    assert (folder / "src" / "page.js").read_text() == "changed"
    assert not (folder / "tool.py").exists()
    assert digest(sources(source)) != before


def test_a_folder_that_was_not_finished_has_no_stamp(tmp_path: Path) -> None:
    assert stamp(tmp_path) == ""
    set_stamp(tmp_path, "abc")
    assert stamp(tmp_path) == "abc"


@pytest.mark.parametrize("folder", _FOLDERS, ids=lambda folder: folder.name)
def test_locks_pin_every_package_by_its_contents_and_name_no_address(folder: Path) -> None:
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    assert all(version[0].isdigit() for version in wanted.values())
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert packages[""]["dependencies"] == wanted
    got = [package for name, package in packages.items() if name]
    assert got
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in got)
    assert "omit-lockfile-registry-resolved=true" in (folder / ".npmrc").read_text().splitlines()
