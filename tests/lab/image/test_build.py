import shutil
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.image import build
from lab.landscape import Instance


@pytest.fixture
def inputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the inputs that may be changed."""
    copy = tmp_path / "inputs"
    shutil.copytree(build.__file__.rpartition("/")[0], copy, symlinks=True)
    monkeypatch.setattr(build, "_HERE", copy)
    return copy


def test_the_key_names_the_inputs_and_nothing_else(inputs: Path) -> None:
    key = build.key()
    (inputs / "__pycache__").mkdir(exist_ok=True)
    (inputs / "__pycache__" / "new.pyc").write_text("")
    assert build.key() == key
    with (inputs / "xen.packages").open("a") as packages:
        packages.write("strace\n")
    assert build.key() != key


def test_what_is_in_the_cache_is_not_built_again(tmp_path: Path) -> None:
    lab = Instance("x", state=tmp_path, run=tmp_path, cache=tmp_path / "cache")
    (lab.cache / build.key()).mkdir(parents=True)
    assert build.images(lab).folder == lab.cache / build.key()


def test_a_build_that_fails_leaves_no_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(out: Path) -> None:
        (out / "base").mkdir()
        raise LabError("no mirror")

    monkeypatch.setattr(build, "_build", fail)
    lab = Instance("x", state=tmp_path, run=tmp_path, cache=tmp_path / "cache")
    for _ in range(2):
        with pytest.raises(LabError, match="no mirror"):
            build.images(lab)
    assert not (lab.cache / build.key()).exists()


def test_packages_and_units_are_named_one_a_line() -> None:
    here = Path(build.__file__).parent
    for path in (*here.glob("*.packages"), *here.glob("*.masked")):
        names = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        assert names == [name for line in names for name in line.split()], path
        assert len(set(names)) == len(names), path
