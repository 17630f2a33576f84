import os
import socket
import threading
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import pytest

from telemetry.notify import Notifier


@pytest.mark.parametrize("abstract", [True, False])
def test_tells_the_service_manager(tmp_path: Path, abstract: bool) -> None:
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name[1:]}" if abstract else name)
        manager.settimeout(5.0)
        notifier = Notifier({"NOTIFY_SOCKET": f"@{name[1:]}" if abstract else name})
        notifier.ready()
        notifier.alive()
        notifier.main_is(42)
        notifier.stopping()
        assert [manager.recv(100) for _ in range(4)] == [b"READY=1", b"WATCHDOG=1", b"MAINPID=42", b"STOPPING=1"]


def test_a_sign_of_life_is_told_no_oftener_than_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1000.0
    monkeypatch.setattr("telemetry.notify.time.monotonic", lambda: now_s)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5.0)
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "10000000"})
        for _ in range(100):
            notifier.alive()
            now_s += 0.1
        notifier.stopping()
        assert [manager.recv(100) for _ in range(5)] == [*[b"WATCHDOG=1"] * 4, b"STOPPING=1"]


def test_that_another_process_is_the_main_one_waits_for_who_is_to_hear_it(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, ExitStack() as stack:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5.0)
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        sender = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
        with suppress(BlockingIOError):
            while True:
                sender.sendto(b"full", str(tmp_path / "notify"))
        telling = threading.Thread(target=notifier.main_is, args=(42,))
        telling.start()
        telling.join(0.1)
        assert telling.is_alive()
        assert b"MAINPID=42" in iter(partial(manager.recv, 100), None)
        telling.join()


def test_nobody_need_listen(tmp_path: Path) -> None:
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_knows_how_often_a_sign_of_life_is_wanted(environment: dict[str, str], seconds: float | None) -> None:
    assert Notifier(environment).watchdog_s == seconds
