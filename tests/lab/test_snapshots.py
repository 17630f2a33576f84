from pathlib import Path

import pytest

from lab import snapshots
from lab.errors import LabError
from lab.landscape import Instance


@pytest.fixture
def lab(tmp_path: Path) -> Instance:
    return Instance("x", state=tmp_path, run=tmp_path, cache=tmp_path)


@pytest.mark.parametrize("name", ["", "a b", "-S", "../x", "1"])
def test_refuses_a_name_that_qemu_would_read_otherwise(lab: Instance, name: str) -> None:
    with pytest.raises(LabError, match="a snapshot cannot be called"):
        snapshots.save(lab, name)


def test_a_snapshot_is_looked_for_before_anything_is_killed(lab: Instance) -> None:
    with pytest.raises(LabError, match="no snapshot base: there are none"):
        snapshots.require(lab, "base")
