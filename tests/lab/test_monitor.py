import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.monitor import Monitor


@contextmanager
def qemu(path: Path, answers: dict[str, list[str]]) -> Iterator[list[str]]:
    """Speaks QMP as QEMU 7.2 does: a greeting, an answer a command, events in between; then ends."""
    asked: list[str] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rw") as lines:
                lines.write('{"QMP": {"version": {}, "capabilities": ["oob"]}}\n')
                lines.flush()
                for line in lines:
                    asked.append(json.loads(line)["execute"])
                    lines.writelines(f"{answer}\n" for answer in answers.get(asked[-1], ['{"return": {}}']))
                    lines.flush()
                    if asked[-1] == "quit":
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        yield asked
        thread.join()


def test_finds_the_answer_among_events(tmp_path: Path) -> None:
    answers = {"query-status": ['{"event": "STOP", "timestamp": {}}', '{"return": {"running": false}}']}
    with qemu(tmp_path / "s", answers) as asked, Monitor(tmp_path / "s", timeout_s=5) as monitor:
        assert monitor.execute("query-status") == {"running": False}
    assert asked == ["qmp_capabilities", "query-status"]


def test_tells_why_qemu_refuses(tmp_path: Path) -> None:
    answers = {
        "cont": ['{"error": {"class": "GenericError", "desc": "Resetting is required"}}'],
        "human-monitor-command": ['{"return": "Error: no block device can store vmstate\\r\\n"}'],
        "quit": [],
    }
    with qemu(tmp_path / "s", answers), Monitor(tmp_path / "s", timeout_s=5) as monitor:
        with pytest.raises(LabError, match="refuses cont: Resetting is required"):
            monitor.execute("cont")
        with pytest.raises(LabError, match="cannot savevm x: Error: no block device"):
            monitor.human("savevm x")
        with pytest.raises(LabError, match="ended while it was asked for quit"):
            monitor.execute("quit")


def test_tells_that_no_qemu_is_there(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no QEMU answers at"):
        Monitor(tmp_path / "s", timeout_s=0.1)
