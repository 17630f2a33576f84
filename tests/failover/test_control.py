"""Both ends of a receiver's control socket, and what is no word at either."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover import control, copies
from failover.control import Control, NoReceiver

LIMIT_S = 10.0
MOST_UNREAD = 10_000


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[Control, socket.socket]]:
    """The client's and the receiver's."""
    copies.directory(tmp_path, "web1").mkdir(parents=True)
    with control.listen(tmp_path, "web1") as listener:
        client = Control(tmp_path, "web1")
        theirs, _ = listener.accept()
        with theirs:
            yield client, theirs
        client.close()


def test_a_word_and_its_answer(ends: tuple[Control, socket.socket]) -> None:
    client, theirs = ends
    client.tell("status")
    assert control.hear(theirs) == "status"
    control.answer(theirs, {"ok": True})
    assert client.hear(LIMIT_S) == {"ok": True}
    assert client.hear(0.01) is None


@pytest.mark.parametrize("packet", [b"\xff\xfe", b"\0", b"x" * 4096])
def test_what_is_no_word_is_only_an_unknown_one(ends: tuple[Control, socket.socket], packet: bytes) -> None:
    """An exception would end the receiver, and destroy the copy."""
    ends[0]._socket.send(packet)
    assert control.hear(ends[1]) not in {"", "status", "prepare", "take-over"}


def test_who_reads_no_answers_is_not_waited_for(ends: tuple[Control, socket.socket]) -> None:
    def answer() -> None:
        for _ in range(MOST_UNREAD):
            control.answer(ends[1], {"ok": True})

    answering = threading.Thread(target=answer, daemon=True)
    answering.start()
    answering.join(LIMIT_S)
    assert not answering.is_alive()


@pytest.mark.parametrize("packet", [b"\xff", b"{", b"[" * 4000])
def test_what_is_no_answer_is_an_error_in_words(ends: tuple[Control, socket.socket], packet: bytes) -> None:
    ends[1].send(packet)
    with pytest.raises(NoReceiver, match="what is no answer"):
        ends[0].hear(LIMIT_S)
