"""The wheels that hosts install: what is asked of the lock file, and that the same sources give the same bytes."""

import hashlib
import importlib.util
import os
import re
import tarfile
from pathlib import Path

import pytest

from scripts import wheels


def names(text: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", text, flags=re.MULTILINE))


def test_a_xen_host_gets_what_the_agent_needs_and_no_more() -> None:
    base = names(wheels.requirements([]))

    assert {"influxdb-client", "psutil", "pydantic", "pydantic-core", "urllib3"} <= base
    assert not base & {"numpy", "scipy", "ansible-core", "pytest", "mitogen"}


def test_an_extra_adds_its_own_and_what_those_need() -> None:
    assert names(wheels.requirements(["predictor"])) - names(wheels.requirements([])) == {"numpy", "scipy"}


def test_every_line_is_pinned_with_hashes_and_has_no_comment() -> None:
    text = wheels.requirements(["predictor"])

    for entry in re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]:
        assert re.fullmatch(r"[a-z0-9-]+==\S+( ; [^\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n", entry), entry


def test_the_marker_is_that_of_the_requirements_file() -> None:
    text = wheels.requirements(["predictor"])

    assert wheels.dependencies_marker(["predictor"]) == hashlib.sha256(text.encode()).hexdigest()
    assert wheels.dependencies_marker(["predictor"]) != wheels.dependencies_marker([])


def test_the_same_sources_give_the_same_wheel_and_tar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    for folder, umask in (("one", 0o022), ("other", 0o077)):
        monkeypatch.setattr(wheels, "OUT", tmp_path / folder)
        (tmp_path / folder).mkdir()
        before = os.umask(umask)
        built.append(wheels.build_application())
        os.umask(before)

    assert built[0].read_bytes() == built[1].read_bytes()
    tars = [path.with_name("hefery.tar.gz") for path in built]
    assert tars[0].read_bytes() == tars[1].read_bytes()
    written = built[1].stat().st_mtime_ns
    assert wheels.build_application().stat().st_mtime_ns == written, "built again without need"
    assert sorted(path.name for path in built[1].parent.iterdir()) == [".application", built[1].name, tars[1].name]


def test_the_tar_is_roots_and_anyone_may_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "OUT", tmp_path)
    wheels.build_application()

    with tarfile.open(tmp_path / "hefery.tar.gz") as packed:
        entries = packed.getmembers()

    assert {(entry.uid, entry.gid) for entry in entries} == {(0, 0)}
    runs = {entry.name for entry in entries if entry.isfile() and entry.mode & 0o111}
    assert runs == {"bin/hefery-agent", "bin/hefery-predictor", "bin/hefery-remus"}
    assert {oct(entry.mode) for entry in entries} == {"0o644", "0o755"}
    sources = {entry.name for entry in entries if entry.name.endswith(".py")}
    compiled = {entry.name for entry in entries if entry.name.endswith(".pyc")}
    assert {importlib.util.source_from_cache(name) for name in compiled} == sources
