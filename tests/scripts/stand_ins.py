"""Scripts among stand-ins: in, a folder and the ordinary tools; out, a maker of programs, and runs of a script."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

Tool = Callable[[str, str], Path]

_SCRIPTS = Path(__file__).parents[2] / "scripts"


def tools(folder: Path, ordinary: str) -> Tool:
    """Puts a program of a name on the PATH `folder`, where there are these ordinary tools and no others."""
    folder.mkdir()
    for name in ordinary.split():
        (folder / name).symlink_to(str(shutil.which(name)))

    def make(name: str, text: str) -> Path:
        (folder / name).write_text(f"#!{shutil.which('sh')}\n{text}\n")
        (folder / name).chmod(0o755)
        return folder / name

    return make


def start(script: str, environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    """A script of scripts/, its outputs piped."""
    pipe = subprocess.PIPE
    return subprocess.Popen([str(_SCRIPTS / script), *arguments], env=environment, stdout=pipe, stderr=pipe, text=True)


def run(script: str, environment: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    process = start(script, environment, *arguments)
    out, errors = process.communicate()
    return process.returncode, out.rstrip("\n"), errors
