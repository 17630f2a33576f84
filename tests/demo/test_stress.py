import time
from pathlib import Path

import psutil
import pytest

from demo.processes import ChildFailed
from demo.stress import MOST_MEMORY_BYTES, Means, Stress, arguments, disturbed
from demo.timeline import Disturbance, Load, Stage

MIB = 2**20
LIGHT = Disturbance(
    ramp_s=1, peak_s=1, stages=(Stage(0, Load(cpu=0.01)), Stage(1, Load(memory=1.0, disk=1)), Stage(5, Load(network=1)))
)


def means(folder: Path) -> Means:
    return Means(cpus=1, memory_bytes=MIB, folder=folder)


def stressors() -> list[psutil.Process]:
    """The processes of stress-ng that this one has started, with all of theirs."""
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if child.name().startswith(("setpriv", "nice", "stress-ng"))
    ]


def advance_for_a_while(stress: Stress) -> None:
    deadline_s = time.monotonic() + 5
    while time.monotonic() < deadline_s:
        stress.advance(0.5)
        time.sleep(0.02)


def test_arguments_keep_within_the_means(tmp_path: Path) -> None:
    own = Means(cpus=4, memory_bytes=1000 * MIB, folder=tmp_path)
    assert arguments(Load(cpu=0.07), own) == ["--cpu", "4", "--cpu-load", "7"]
    assert arguments(Load(memory=0.25), own)[:4] == ["--vm", "1", "--vm-bytes", str(250 * MIB)]
    assert arguments(Load(disk=2), own)[:2] == ["--hdd", "2"]
    network = arguments(Load(network=1), own)
    assert network[:4] == ["--udp", "1", "--udp-if", "lo"]
    assert 1024 <= int(network[-1]) < 65536
    assert arguments(Load(), own) == []


def test_a_quarter_of_the_free_memory_may_be_taken(tmp_path: Path) -> None:
    free_bytes = psutil.virtual_memory().available
    assert 0 < Means.measure(tmp_path, cgroup=tmp_path).memory_bytes <= min(free_bytes / 3, MOST_MEMORY_BYTES)


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(f"{100 * MIB}\n")
    (tmp_path / "memory.current").write_text(f"{60 * MIB}\n")
    assert Means.measure(tmp_path, cgroup=tmp_path).memory_bytes == 10 * MIB


def test_a_container_without_a_limit_is_a_machine(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1\n")
    assert Means.measure(tmp_path, cgroup=tmp_path).memory_bytes > 10 * MIB


def test_stages_begin_when_they_are_due_and_all_is_gone_afterwards(tmp_path: Path) -> None:
    with disturbed(LIGHT, means(tmp_path)) as stress:
        stress.advance(0.5)
        first = stressors()
        assert first
        stress.advance(1.0)
        stress.advance(1.2)
        deadline_s = time.monotonic() + 10
        while not list(tmp_path.glob("stress-*/*")):  # disk load has made its folder
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        both = stressors()
        assert len({child.pid for child in both} - {child.pid for child in first}) >= 2
    gone, alive = psutil.wait_procs(both, timeout=5)
    assert (len(gone), alive) == (len(both), [])
    assert list(tmp_path.glob("stress-*/")) == []


def test_all_is_gone_when_something_fails(tmp_path: Path) -> None:
    started: list[psutil.Process] = []

    def fail_on_the_way() -> None:
        with disturbed(LIGHT, means(tmp_path)) as stress:
            stress.advance(0)
            started.extend(stressors())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_on_the_way()
    assert started
    assert psutil.wait_procs(started, timeout=5)[1] == []


def test_a_stressor_that_dies_is_told_of(tmp_path: Path) -> None:
    stress = Stress(LIGHT, means(tmp_path))
    try:
        stress.advance(0)
        for child in psutil.Process().children():
            if child in stressors():
                child.kill()
        with pytest.raises(ChildFailed, match="nice ended with status -9"):
            advance_for_a_while(stress)
    finally:
        stress.end()
