import subprocess
import sys
from pathlib import Path

import pytest

from agent.lock import LockTaken, held, is_held

HOLD = """
import sys
from pathlib import Path
from agent.lock import held

with held(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


def test_a_lock_is_held_once_and_ends_with_its_block(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"
    assert not is_held(path)
    with held(path):
        assert is_held(path)
        with pytest.raises(LockTaken, match="stop it first"), held(path):
            pass
    assert not is_held(path)
    with held(path):
        assert is_held(path)


def test_a_lock_ends_with_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(LockTaken, match=f"process {process.pid};"), held(path):
            pass
        process.kill()
        process.wait()
    assert not is_held(path)
