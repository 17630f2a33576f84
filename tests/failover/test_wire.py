import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.wire import Message, Session, WireError, read_key

KEY, OTHER = b"k" * 32, b"o" * 32
LIMIT_S = 5.0
CALL: Message = {"verb": "status", "domain": "web1", "host": "a"}


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def answering(connection: socket.socket, key: bytes = KEY) -> threading.Thread:
    def answer() -> None:
        session = Session(connection, key, is_caller=False)
        session.greet()
        try:
            session.tell({"ok": True, "heard": dict(session.hear_call(LIMIT_S))["verb"]})
        except WireError:
            connection.shutdown(socket.SHUT_RDWR)
            return
        connection.sendall(b"raw stream")

    thread = threading.Thread(target=answer)
    thread.start()
    return thread


def test_call_and_answer_and_what_follows_is_left(line: tuple[socket.socket, socket.socket]) -> None:
    thread = answering(line[1])
    session = Session(line[0], KEY, is_caller=True)
    assert session.call(CALL, LIMIT_S) == {"ok": True, "heard": "status"}
    thread.join()
    assert line[0].recv(100) == b"raw stream"


@pytest.mark.parametrize(("key", "complaint"), [(OTHER, "hung up"), (KEY, "")])
def test_only_who_has_the_key_is_heard(line: tuple[socket.socket, socket.socket], key: bytes, complaint: str) -> None:
    thread = answering(line[1], key)
    session = Session(line[0], KEY, is_caller=True)
    if complaint:
        with pytest.raises(WireError, match=complaint):
            session.call(CALL, LIMIT_S)
    else:
        session.call(CALL, LIMIT_S)
    thread.join()


def test_answer_of_a_stranger_is_not_believed(line: tuple[socket.socket, socket.socket]) -> None:
    line[1].sendall(b"hefery-remus 1 0123\n" + b"0" * 64 + b' {"ok": true, "had_copy": true}\n')
    with pytest.raises(WireError, match="another key"):
        Session(line[0], KEY, is_caller=True).call(CALL, LIMIT_S)


def test_what_was_said_before_cannot_be_said_again(line: tuple[socket.socket, socket.socket]) -> None:
    caller = Session(line[0], KEY, is_caller=True)
    caller.tell({"destroyed": True})
    said = line[1].recv(4096)
    line[0].sendall(said + said)
    receiver = Session(line[1], KEY, is_caller=False)
    assert receiver.hear(LIMIT_S) == {"destroyed": True}
    with pytest.raises(WireError, match="another key"):
        receiver.hear(LIMIT_S)


def test_what_was_said_cannot_be_sent_back(line: tuple[socket.socket, socket.socket]) -> None:
    caller = Session(line[0], KEY, is_caller=True)
    caller.tell({"ok": True})
    line[1].sendall(line[1].recv(4096))
    with pytest.raises(WireError, match="another key"):
        caller.hear(LIMIT_S)


def test_silence_and_strangers(line: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(WireError, match=r"said nothing within 0\.05 s"):
        Session(line[0], KEY, is_caller=True).call(CALL, 0.05)
    line[1].sendall(b"SSH-2.0-OpenSSH_9.2\n")
    with pytest.raises(WireError, match="no receiver of Hefery's"):
        Session(line[0], KEY, is_caller=True).call(CALL, LIMIT_S)


def test_key_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(WireError, match="cannot be read"):
        read_key(path)
    path.write_bytes(KEY + b"\n")
    path.chmod(0o644)
    with pytest.raises(WireError, match="others may read it; make it 0600"):
        read_key(path)
    path.chmod(0o600)
    assert read_key(path) == KEY
    path.write_bytes(b"short\n")
    with pytest.raises(WireError, match="holds 5 bytes"):
        read_key(path)


@pytest.mark.parametrize("text", [b"{", b"[1]", b"\xff", b"[" * 4000])
def test_what_is_no_message_is_an_error_in_words(line: tuple[socket.socket, socket.socket], text: bytes) -> None:
    """Even of one who has the key, as another version."""
    hearing, telling = Session(line[0], KEY, is_caller=True), Session(line[1], KEY, is_caller=False)
    line[1].sendall(telling._mac(b"answer", text) + b" " + text + b"\n")
    with pytest.raises(WireError, match="not a message"):
        hearing.hear(LIMIT_S)
