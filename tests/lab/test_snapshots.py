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


XENS_OWN = "IDT=     ffff82d040577000 00000fff\nCR0=80050033\n"
XENS_OTHER_CPU = "IDT=     ffff83007fdbe000 00000fff\n"
GUESTS = "IDT=     fffffe0000000000 00000fff\n"


def test_a_cpu_within_a_guest_is_told_by_its_interrupt_table() -> None:
    assert not snapshots.in_guest(XENS_OWN + XENS_OTHER_CPU)
    assert snapshots.in_guest(XENS_OWN + GUESTS)
