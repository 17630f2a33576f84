"""The role python_app: its markers are those of the wheels; its scripts leave a host whole, whatever broke before."""

import io
import os
import subprocess
import tarfile
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from scripts import wheels
from tests.ansible.plugins import ROLES
from tests.ansible.rendering import evaluate

COMMANDS = ["hefery-agent", "hefery-remus"]


class Host:
    """Folders of a host, and the wheels that it is given; the role's scripts run on them."""

    def __init__(self, folder: Path, made: Path, *, with_pip: bool = False) -> None:
        self.venv, self.links, self.wheels = folder / "venv", folder / "bin", folder / "wheels"
        self.links.mkdir()
        self.wheels.mkdir()
        venv.create(self.venv, symlinks=True, with_pip=with_pip)
        (self.venv / ".dependencies").write_text("dependencies\n")
        for path in made.iterdir():
            (self.wheels / path.name).hardlink_to(path)
        self._variables: dict[str, Any] = {
            "python_app_wheels_path": str(self.wheels),
            "python_app_commands": COMMANDS,
            "__python_app_venv": str(self.venv),
            "__python_app_links": str(self.links),
            "__python_app_configuration": str(folder / "etc"),
            "__python_app_copy": str(folder / "copy"),
            "__python_app_wheels_copy": str(folder / "wheels.tar"),
        }

    def install(self) -> subprocess.CompletedProcess[str]:
        """Copy what the role copies, run what it runs."""
        Path(self._variables["__python_app_copy"]).write_bytes((self.wheels / "hefery.tar.gz").read_bytes())
        return self._run("application", "ansible.builtin.shell")

    def renew(self, marker: str, requirements: str = "") -> subprocess.CompletedProcess[str]:
        """The same for what Hefery needs, by wheels of which there are none."""
        self._variables["__python_app_dependencies"] = marker
        with tarfile.open(self._variables["__python_app_wheels_copy"], "w") as packed:
            entry = tarfile.TarInfo("requirements.txt")
            entry.size = len(requirements)
            packed.addfile(entry, io.BytesIO(requirements.encode()))
        return self._run("dependencies", "ansible.builtin.shell")

    def told(self) -> list[str]:
        """What the role's question is answered with."""
        return self._run("preflight", "ansible.builtin.raw").stdout.splitlines()

    def give(self, application: bytes) -> None:
        """Let the controller have another tar, beside another wheel."""
        for path in (self.wheels / "hefery.tar.gz", *self.wheels.glob("*.whl")):
            path.unlink()
            path.write_bytes(application)

    def files(self) -> set[str]:
        """All files of Hefery."""
        found = (path.relative_to(self.venv) for path in self.venv.rglob("*") if path.is_file())
        return {str(path) for path in found if path.parts[0].startswith("application")}

    def hear(self, *words: str) -> str:
        """What the venv's Python prints."""
        command = [str(self.venv / "bin" / "python"), *words]
        alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=alone, cwd="/").stdout

    def marker(self) -> str:
        """What the role wants to hear of Hefery itself."""
        found: str = evaluate("__python_app_application", "python_app", **self._variables)
        return found

    def _run(self, tasks: str, module: str) -> subprocess.CompletedProcess[str]:
        (script,) = (
            task[module]
            for task in yaml.safe_load((ROLES / "python_app" / "tasks" / f"{tasks}.yml").read_text())
            if module in task
        )
        text = evaluate("script", "python_app", script=script, **self._variables)
        return subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make wheels` makes of Hefery itself."""
    folder = tmp_path_factory.mktemp("wheels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wheels, "OUT", folder)
        wheels.build_application()
    return folder


@pytest.fixture
def host(tmp_path: Path, made: Path) -> Host:
    return Host(tmp_path, made)


def changed(archive: Path, *, without: str, and_with: str) -> bytes:
    """A tar that lacks what `without` is part of the name of, and has an empty file more."""
    packed = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=packed, mode="w:gz") as new:
        for entry in old:
            if without not in entry.name:
                new.addfile(entry, old.extractfile(entry))
        new.addfile(tarfile.TarInfo(and_with))
    return packed.getvalue()


def test_markers_are_those_of_the_script(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "OUT", made)
    (tmp_path / "predictor").mkdir()
    (tmp_path / "predictor" / "requirements.txt").write_text(wheels.requirements(["predictor"]))
    given = {"python_app_wheels_path": str(tmp_path), "python_app_extras": ["predictor"]}

    assert evaluate("__python_app_dependencies", "python_app", **given) == wheels.dependencies_marker(["predictor"])
    assert Host(tmp_path, made).marker() == f"application-{wheels.application_marker()}"


def test_commands_are_for_the_venv_that_the_role_makes(made: Path) -> None:
    with tarfile.open(made / "hefery.tar.gz") as packed:
        command = packed.extractfile("bin/hefery-agent")
        assert command is not None
        assert command.readline().decode() == f"#!{evaluate('__python_app_venv', 'python_app')}/bin/python\n"


def test_installs_all_with_byte_code_so_that_a_start_writes_nothing(host: Host) -> None:
    assert host.told() == ["dependencies"]

    assert host.install().returncode == 0

    assert host.told() == ["dependencies", host.marker(), *COMMANDS]
    before = host.files()
    assert "usage: hefery-remus" in host.hear(str(host.links / "hefery-remus"), "--help")
    assert host.hear("-c", "import agent; print(agent.__file__)").startswith(f"{host.venv}/application/lib/")
    assert host.files() == before


def test_while_what_it_needs_is_renewed_its_commands_can_start(host: Host) -> None:
    """A guard that dies meanwhile has to."""
    host.install()
    works = [str(host.links / "hefery-remus"), "--help"]
    assert host.renew("newer", "missing==1 --hash=sha256:" + 64 * "0").returncode != 0
    assert "usage: hefery-remus" in host.hear(*works)
    assert host.told() == ["dependencies", host.marker(), *COMMANDS]

    done = host.renew("newer")
    assert done.returncode == 0, done.stderr
    assert host.told() == ["newer", host.marker(), *COMMANDS]
    assert "usage: hefery-remus" in host.hear(*works)
    assert {path.name for path in host.venv.parent.iterdir()} == {"bin", "etc", "venv", "wheels"}


def test_compiles_on_a_host_of_another_python(host: Host, made: Path) -> None:
    host.install()
    whole = host.files()
    host.give(changed(made / "hefery.tar.gz", without="__pycache__", and_with="lib/more"))

    host.install()

    assert len(host.files()) == len(whole) + 1


def test_an_update_leaves_nothing_behind(host: Host, made: Path) -> None:
    host.install()
    host.give(changed(made / "hefery.tar.gz", without="lib/agent/", and_with="lib/other.py"))

    host.install()

    assert host.told() == ["dependencies", host.marker(), *COMMANDS]
    assert [path for path in host.files() if "/lib/agent/" in path] == []
    assert len(list(host.venv.glob("application*"))) == 2, "the folder, and the link to it"
    assert host.hear("-c", "import other; print(other.__file__)").startswith(f"{host.venv}/application/lib/")


def test_what_broke_in_the_middle_is_not_in_force_and_is_repaired(host: Host, made: Path) -> None:
    host.install()
    former = host.told()
    whole = changed(made / "hefery.tar.gz", without="nothing", and_with="lib/more")
    host.give(whole[: len(whole) // 2])

    assert host.install().returncode != 0

    assert host.told() == former
    assert host.marker() not in former
    assert "usage: hefery-remus" in host.hear(str(host.links / "hefery-remus"), "--help")

    host.give(whole)
    assert host.install().returncode == 0
    assert host.marker() in host.told()


def test_takes_the_place_of_what_pip_installed(tmp_path: Path, made: Path) -> None:
    host = Host(tmp_path, made, with_pip=True)
    (wheel,) = made.glob("*.whl")
    host.hear("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel))

    assert host.install().returncode == 0

    assert host.hear("-c", "import agent; print(agent.__file__)").startswith(f"{host.venv}/application/lib/")
    assert not (host.venv / "bin" / "hefery-agent").exists()
