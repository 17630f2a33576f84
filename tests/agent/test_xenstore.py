import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.xenstore import Xenstore, XenstoreFailed
from tests.agent.fake_xenstored import nodes, xenstored


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Xenstore]:
    with xenstored(tmp_path / "socket", {**nodes(), "/forbidden": "EACCES"}):
        connection = Xenstore(tmp_path / "socket")
        yield connection
        connection.close()


def test_reads_values_and_names(store: Xenstore) -> None:
    assert store.names("/local/domain") == ["0", "1", "12"]
    assert store.read("/local/domain/12/name") == "web shop 1"
    assert store.read("/local/domain/1/data") == ""


def test_a_node_that_is_not_there_has_no_value_and_no_children(store: Xenstore) -> None:
    assert store.read("/local/domain/12/data/hefery/memory") is None
    assert store.names("/local/domain/77") == []


def test_a_refusal_is_told_in_xenstores_word(store: Xenstore) -> None:
    with pytest.raises(XenstoreFailed, match=r"/forbidden: EACCES$"):
        store.read("/forbidden")


def test_a_daemon_that_is_not_there_or_goes_away_is_said(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with pytest.raises(XenstoreFailed, match="No such file or directory; does xenstored run"):
        Xenstore(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        store = Xenstore(path)
        listener.accept()[0].close()
        with pytest.raises(XenstoreFailed, match=r"closed the connection|Broken pipe|reset"):
            store.read("/local")
        store.close()
