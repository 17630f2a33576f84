"""The path of a role's Python file -> its module; Ansible copies such files, it does not import them from a package."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROLES = Path(__file__).parents[2] / "roles"


def load(path: str) -> ModuleType:
    """Load a file under roles/."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROLES / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
