"""What is found in the place of the order file, and that nothing there is waited for."""

import os
import socket
import subprocess
from pathlib import Path

from agent.order import Order, write

ORDER = Order(1, 2000, 10**12)
PATIENCE_S = 10.0


def read(built: Path, path: Path) -> int:
    """The interval that the pacer finds; 0 for no order."""
    told = subprocess.run(
        [built / "probe"], input=f"file {path}\n", capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    return int(told.stdout)


def test_an_order_is_read(built: Path, tmp_path: Path) -> None:
    write(tmp_path / "order", ORDER)
    assert read(built, tmp_path / "order") == ORDER.interval_ms


def test_only_a_regular_file_holds_an_order(built: Path, tmp_path: Path) -> None:
    write(tmp_path / "order", ORDER)
    (tmp_path / "link").symlink_to(tmp_path / "order")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for name in ("link", "fifo", "directory", "socket", "missing"):
            assert read(built, tmp_path / name) == 0, name


def test_an_order_in_a_pipe_is_none(built: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "order")
    pipe = os.open(tmp_path / "order", os.O_RDWR)
    try:
        os.write(pipe, ORDER.encode().encode())
        assert read(built, tmp_path / "order") == 0
    finally:
        os.close(pipe)


def test_a_huge_file_is_no_order_and_not_read_to_its_end(built: Path, tmp_path: Path) -> None:
    path = tmp_path / "order"
    path.write_text(ORDER.encode())
    os.truncate(path, 1 << 40)
    assert read(built, path) == 0
