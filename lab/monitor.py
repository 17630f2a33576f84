"""QEMU's monitor: in, the path of a QMP socket and a command; out, what QEMU answers."""

import json
import socket
import time
from pathlib import Path
from typing import Any

from lab.errors import LabError


class Monitor:
    """A connection to one QEMU, as a context; one at a time, QEMU makes others wait."""

    def __init__(self, path: Path, timeout_s: float = 60) -> None:
        self._path = path
        self._socket = _connect(path, timeout_s)
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._lines.readline()  # QEMU's greeting
        self.execute("qmp_capabilities")

    def __enter__(self) -> "Monitor":
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def execute(self, command: str, **arguments: Any) -> Any:
        """What a QMP command returns; events in between are left out. Raises LabError."""
        words = json.dumps({"execute": command, "arguments": arguments})
        try:
            self._socket.sendall(f"{words}\n".encode())
            for line in self._lines:
                answer = json.loads(line)
                if "error" in answer:
                    raise LabError(f"QEMU at {self._path} refuses {command}: {answer['error'].get('desc')}")
                if "return" in answer:
                    return answer["return"]
        except OSError as error:
            raise LabError(f"QEMU at {self._path} does not answer {command}: {error}") from None
        raise LabError(f"QEMU at {self._path} ended while it was asked for {command}")

    def human(self, line: str) -> None:
        """A command of the human monitor that prints nothing when it succeeds. Raises LabError with what it prints."""
        said = str(self.execute("human-monitor-command", **{"command-line": line})).strip()
        if said:
            raise LabError(f"QEMU at {self._path} cannot {line}: {said}")


def _connect(path: Path, timeout_s: float) -> socket.socket:
    deadline = time.monotonic() + timeout_s
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(path))
        except OSError as error:
            connection.close()
            if time.monotonic() > deadline:
                raise LabError(f"no QEMU answers at {path}: {error}; see `python -m lab status`") from None
            time.sleep(0.02)
        else:
            return connection
