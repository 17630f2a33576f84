import sys
from pathlib import Path

import pytest

from failover import relief as reliefs
from failover.relief import Relief
from telemetry.units import NS_PER_S
from tests.waiting import wait_for


def test_a_guard_goes_on_where_another_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As while its programs are being replaced."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    relief, before = Relief(), descriptors()
    relief.want()
    relief.look()
    assert (relief.pid, relief.is_ready, relief.descriptors) == (0, False, ())
    assert descriptors() <= before


def test_a_guard_that_hangs_before_it_is_ready_is_ended_and_another_may_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nexec sleep 1000\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(hanging))
    monkeypatch.setattr(reliefs, "START_LIMIT_NS", NS_PER_S // 5)
    relief, before = Relief(), descriptors()
    for _ in range(2):
        relief.want()
        relief.look()
        assert relief.pid
        wait_for(lambda: is_buried(relief))
        assert descriptors() <= before


def is_buried(relief: Relief) -> bool:
    relief.look()
    return relief.pid == 0


def descriptors() -> set[str]:
    """With the one that lists them, which has the lowest number that is free."""
    return {descriptor.name for descriptor in Path("/proc/self/fd").iterdir()}
