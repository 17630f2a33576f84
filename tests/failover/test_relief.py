import sys
from pathlib import Path

import pytest

from failover.relief import Relief


def test_a_guard_goes_on_where_another_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As while its programs are being replaced."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    relief, before = Relief(), descriptors()
    relief.want()
    relief.look()
    assert (relief.pid, relief.is_ready, relief.descriptors) == (0, False, ())
    assert descriptors() <= before


def descriptors() -> set[str]:
    """With the one that lists them, which has the lowest number that is free."""
    return {descriptor.name for descriptor in Path("/proc/self/fd").iterdir()}
