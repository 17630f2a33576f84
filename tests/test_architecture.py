"""The arrows between the packages, and the libraries: they point at telemetry alone, nothing is undeclared."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.settings import SqliteSettings
from telemetry.store import StoreRefused
from telemetry.stores import open_store

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "agent": {"agent", "telemetry"},
    "failover": {"failover", "telemetry"},
    "fence": {"fence"},
    "predictor": {"predictor", "telemetry"},
    "telemetry": {"telemetry"},
}
OPTIONAL = {"sklearn"}
"""Imported where an extra is used, and only inside functions."""


def imports(package: str) -> Iterator[tuple[str, str, bool]]:
    """Every module that a file of `package` imports: file, top-level name, whether at the file's top level."""
    for path in sorted((ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}: imports are absolute"
                names = [node.module or ""]
            yield from ((str(path.relative_to(ROOT)), name.partition(".")[0], node in tree.body) for name in names)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_arrows_point_at_telemetry_alone(package: str) -> None:
    found = [(path, name) for path, name, _ in imports(package) if name in MAY_IMPORT]
    assert found
    assert [pair for pair in found if pair[1] not in MAY_IMPORT[package]] == []


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_libraries_are_those_that_the_distribution_depends_on(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [] if package in {"agent", "failover", "fence"} else project["optional-dependencies"]["predictor"]
    declared = {re.split(r"[=<>]", line)[0].replace("-", "_") for line in [*project["dependencies"], *extras]}
    own = set(MAY_IMPORT) | sys.stdlib_module_names
    foreign = [(path, name, at_top) for path, name, at_top in imports(package) if name not in own]
    assert [entry for entry in foreign if entry[1] not in declared | OPTIONAL] == []
    assert [entry for entry in foreign if entry[1] in OPTIONAL and entry[2]] == []


def test_agent_with_a_server_does_without_the_predictors_libraries() -> None:
    program = "import sys; sys.modules.update(numpy=None, scipy=None); import agent.cli, telemetry.influx"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_store_that_needs_them_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    for name in ("telemetry.sqlite", "telemetry.columns"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(StoreRefused, match=r"needs numpy; install hefery\[predictor\]"):
        open_store(SqliteSettings(kind="sqlite", path=tmp_path / "store.db"))
