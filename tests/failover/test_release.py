import subprocess
from pathlib import Path

from tests.failover.hosts import Pair


def test_release_of_a_domain_that_has_ended_is_an_error(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    try:
        remus = pair.protect()
        subprocess.run([pair.a.folder / "bin" / "xl", "destroy", pair.domain], env=pair.a.environment, check=True)
        remus.wait()
        code, told = pair.a.act("release")
    finally:
        pair.end()
    assert code == 1
    assert "is not here any more" in told["error"]
    assert "event released" not in pair.a.events()
