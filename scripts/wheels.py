"""The wheels that hosts install: in, the sources and the lock file; out, build/wheels, and the markers that name it.

build/wheels/hefery-*.whl       Hefery itself, the same bytes from the same sources
build/wheels/hefery.tar.gz      as hosts have it: bin/, and lib/ with the byte code of the Python that runs here
build/wheels/SET/               requirements.txt (pinned, with hashes) and its wheels; SET is base, or extras: predictor
build/wheels/SET.tar            the same as one file

A host's venv is up to date when its file .dependencies holds the SHA-256 of SET/requirements.txt, and its link
application leads to application-SHA, which is named after that of Hefery's wheel.
usage: python scripts/wheels.py [--marker EXTRAS | --application-marker]
"""

import argparse
import compileall
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "wheels"
SETS: tuple[tuple[str, ...], ...] = ((), ("predictor",))
"""The extras that hosts are given: none on Xen hosts, the predictor's where forecasts are made."""

_HOST_PYTHON = "3.11"  # Debian 12's, whatever runs here
_HOST_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_HOST_INTERPRETER = "/opt/hefery/venv/bin/python"  # role python_app makes it
_SOURCE_DATE_EPOCH = 315_532_800  # 1980, the oldest that a zip file can hold: the same bytes from the same sources
_OWNED_BY_ROOT = ("--owner=root:0", "--group=root:0", "--mode=go=rX", "--sort=name", f"--mtime=@{_SOURCE_DATE_EPOCH}")


def set_name(extras: Iterable[str]) -> str:
    """The folder of a set of extras."""
    return "-".join(sorted(extras)) or "base"


def requirements(extras: Iterable[str]) -> str:
    """What of the lock file Hefery needs with `extras` on a host, pinned and with hashes."""
    locked = _locked()
    return "".join(locked[name] for name in sorted(_closure(_roots(extras))))


def dependencies_marker(extras: Iterable[str]) -> str:
    """What a venv's .dependencies holds once everything for `extras` is installed."""
    return hashlib.sha256(requirements(extras).encode()).hexdigest()


def application_marker() -> str:
    """The SHA that a venv's application is named after once this Hefery is installed; builds the wheel if need be."""
    return hashlib.sha256(build_application().read_bytes()).hexdigest()


def build_application() -> Path:
    """Hefery's own wheel, and its tar; built from a copy so that nothing left over in the tree gets in."""
    packages = _pyproject()["tool"]["setuptools"]["packages"]
    sources = [ROOT / "pyproject.toml", ROOT / "README.md"]
    sources += [path for name in packages for path in sorted(ROOT.joinpath(*name.split(".")).glob("*.py"))]
    key = _digest([*sources, Path(__file__)])
    found = sorted(OUT.glob("hefery-*.whl"))
    if len(found) == 1 and _read(OUT / ".application") == key:
        return found[0]
    with tempfile.TemporaryDirectory(dir=OUT) as scratch:
        for path in sources:
            copy = Path(scratch, "source", path.relative_to(ROOT))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            copy.chmod(0o644)
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", f"{scratch}/out"]
        _run([*command, f"{scratch}/source"], SOURCE_DATE_EPOCH=f"{_SOURCE_DATE_EPOCH}")
        (wheel,) = Path(scratch, "out").glob("*.whl")
        _unpack(wheel, Path(scratch, "unpacked"))
        pack = ["tar", "--create", "--gzip", f"--file={scratch}/archive", *_OWNED_BY_ROOT]
        _run([*pack, f"--directory={scratch}/unpacked", "bin", "lib"])
        for old in found:
            old.unlink()
        wheel.rename(OUT / wheel.name)
        Path(scratch, "archive").rename(OUT / "hefery.tar.gz")
    (OUT / ".application").write_text(key)
    return OUT / wheel.name


def fetch_dependencies(extras: tuple[str, ...]) -> Path:
    """The folder with the wheels of a set, each one's hash verified against the lock file."""
    text, folder = requirements(extras), OUT / set_name(extras)
    archive = folder.with_suffix(".tar")
    if _read(folder / "requirements.txt") == text and archive.exists():
        return folder
    with tempfile.TemporaryDirectory(dir=OUT) as scratch:
        new = Path(scratch, folder.name)
        new.mkdir()
        (new / "requirements.txt").write_text(text)
        platforms = [f"--platform={name}" for name in _HOST_PLATFORMS]
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        only = ["--no-deps", "--only-binary=:all:", f"--python-version={_HOST_PYTHON}", *platforms]
        _run([*pip, *only, f"--dest={new}", "--require-hashes", f"--requirement={new}/requirements.txt"])
        with tarfile.open(f"{scratch}/archive", "w") as tar:
            tar.add(new, arcname=".")
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
        Path(scratch, "archive").rename(archive)
    return folder


def _unpack(wheel: Path, tree: Path) -> None:
    """Install a wheel into `tree`, for the hosts' interpreter."""
    schemes = {"purelib": f"{tree}/lib", "scripts": f"{tree}/bin"}
    with WheelFile.open(wheel) as source:
        install(source, SchemeDictionaryDestination(schemes, _HOST_INTERPRETER, "posix"), additional_metadata={})
    for path in tree.rglob("*"):
        os.utime(path, (_SOURCE_DATE_EPOCH, _SOURCE_DATE_EPOCH))
    # by time and not by hash: a start need not read the sources, and yet notices where one was edited
    compileall.compile_dir(tree / "lib", quiet=1, stripdir=tree, invalidation_mode=PycInvalidationMode.TIMESTAMP)


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _roots(extras: Iterable[str]) -> list[Requirement]:
    project = _pyproject()["project"]
    optional = project["optional-dependencies"]
    return [Requirement(line) for line in [*project["dependencies"], *(one for e in extras for one in optional[e])]]


def _closure(roots: Iterable[Requirement]) -> set[str]:
    """Names of `roots` and all that they need, by the metadata of what is installed here from the same lock file."""
    environment = {name: str(value) for name, value in default_environment().items()}
    environment |= {"python_version": _HOST_PYTHON, "python_full_version": f"{_HOST_PYTHON}.0"}
    waiting, names = list(roots), set[str]()
    while waiting:
        root = waiting.pop()
        names.add(canonicalize_name(root.name))
        for line in metadata.requires(root.name) or ():
            below = Requirement(line)
            wanted = any(
                below.marker is None or below.marker.evaluate(environment | {"extra": extra})
                for extra in ("", *root.extras)
            )
            if wanted and canonicalize_name(below.name) not in names:
                waiting.append(below)
    return names


def _locked() -> dict[str, str]:
    """The lock file's entries by name: the pinned requirement and its hashes, without comments."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / "requirements.lock").read_text(encoding="utf-8"), flags=re.MULTILINE)
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    return {canonicalize_name(entry.split("==")[0]): entry for entry in entries}


def _digest(paths: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        whole.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return whole.hexdigest()


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _run(command: list[str], **environment: str) -> None:
    """Run it; files that it makes are readable for all."""
    whole = {**os.environ, **environment}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=whole, umask=0o022)
    if done.returncode:
        sys.exit(f"wheels: {' '.join(command[:4])} failed:\n{done.stdout}{done.stderr}")


def main() -> None:
    """Make build/wheels, or print a marker."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--marker", metavar="EXTRAS", help="print .dependencies for these extras, joined by commas")
    parser.add_argument("--application-marker", action="store_true", help="print .application")
    arguments = parser.parse_args()
    if arguments.marker is not None:
        print(dependencies_marker(filter(None, arguments.marker.split(","))))
        return
    OUT.mkdir(parents=True, exist_ok=True)
    if arguments.application_marker:
        print(application_marker())
        return
    build_application()
    for extras in SETS:
        fetch_dependencies(extras)
    print(OUT)


if __name__ == "__main__":
    main()
