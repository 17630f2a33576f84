"""The demo guest's server, as guest/build compiles it, in a network and below a root of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program."""
    program = tmp_path_factory.mktemp("server") / "server"
    strict = ["-O2", "-static", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    subprocess.run(["gcc", "-std=gnu11", *strict, "-o", program, ROOT / "guest" / "server.c"], check=True)
    return program


@contextmanager
def running(server: Path, root: Path) -> Iterator[tuple[int, Callable[[str], str]]]:
    """The number of its process, and what asks it."""
    (root / "server").hardlink_to(server)
    begin = f"ip link set lo up; exec chroot {root} /server"
    words = ["unshare", "--user", "--map-root-user", "--net", "sh", "-ec", begin]
    with subprocess.Popen(words, start_new_session=True) as process:
        inside = ["nsenter", f"--target={process.pid}", "--user", "--net", "--preserve-credentials"]

        def ask(path: str) -> str:
            client = [*inside, sys.executable, "-m", "lab.trials.client", "127.0.0.1", path]
            return subprocess.run(client, cwd=ROOT, capture_output=True, text=True, check=False).stdout

        try:
            wait_for(lambda: "counter=" in ask("/"))
            yield process.pid, ask
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def count(root: Path) -> int:
    """How often it has written."""
    path = root / "disk" / "writes"
    return int(path.read_text() or 0) if path.exists() else 0


def writers(pid: int) -> list[str]:
    """Its children."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_it_writes_its_disk_as_often_as_it_is_told_until_it_is_told_otherwise(server: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with running(server, tmp_path) as (pid, ask):
        began_s = time.monotonic()
        assert "loaded" in ask("/load?writes_per_s=20&seconds=60")
        wait_for(lambda: count(tmp_path) >= 10)
        assert count(tmp_path) <= 2 + 20 * (time.monotonic() - began_s)
        (writer,) = writers(pid)
        descriptor = Path(f"/proc/{writer}/fdinfo/0").read_text().split()
        assert int(descriptor[descriptor.index("flags:") + 1], 8) & os.O_DSYNC
        length = (tmp_path / "disk" / "writes").stat().st_size
        assert "loaded" in ask("/load?cpu=0")
        wait_for(lambda: not writers(pid))
        written = count(tmp_path)
        assert "counter=" in ask("/")
        assert (count(tmp_path), (tmp_path / "disk" / "writes").stat().st_size) == (written, length)


def test_it_writes_for_a_bounded_time(server: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with running(server, tmp_path) as (pid, ask):
        assert "loaded" in ask("/load?writes_per_s=100&seconds=0.5")
        wait_for(lambda: count(tmp_path) > 0)
        wait_for(lambda: not writers(pid))
        assert "out of range" in ask("/load?writes_per_s=101")
        assert writers(pid) == []


def test_without_a_disk_it_is_loaded_all_the_same(server: Path, tmp_path: Path) -> None:
    with running(server, tmp_path) as (pid, ask):
        assert "loaded" in ask("/load?writes_per_s=20&pages_per_s=100&seconds=60")
        assert len(writers(pid)) == 1
        assert "counter=" in ask("/")
