from collections.abc import Iterator
from pathlib import Path

import pytest

from failover import copies, orders
from failover.control import Control
from failover.orders import Orders

STATUS = {"ok": True, "phase": "protected"}
OUTCOME = {"ok": True, "running": True}
LIMIT_S = 10.0


class Receiver:
    """It serves its orders when it is told to."""

    def __init__(self, folder: Path) -> None:
        copies.directory(folder, "web1").mkdir(parents=True)
        self.orders = Orders(folder, "web1")
        self.client = Control(folder, "web1")

    def close(self) -> None:
        self.client.close()
        self.orders.close()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path)
    receiver.orders.serve(receiver.orders.descriptors[0], lambda: STATUS, is_complete=True)
    yield receiver
    receiver.close()


def say(receiver: Receiver, word: str) -> None:
    receiver.client.tell(word)
    receiver.orders.serve(receiver.orders.descriptors[1], lambda: STATUS, is_complete=True)


def test_who_has_ordered_hears_the_outcome(receiver: Receiver) -> None:
    say(receiver, "prepare")
    assert receiver.client.hear(LIMIT_S) == STATUS
    say(receiver, "take-over")
    assert receiver.client.hear(0.1) is None
    receiver.orders.answer(OUTCOME)
    assert receiver.client.hear(LIMIT_S) == OUTCOME
    assert receiver.client.hear(0.1) is None


def test_who_orders_what_is_done_already_hears_the_outcome(receiver: Receiver) -> None:
    """With a lease the copy wakes once that is given back, which may be sooner than the order."""
    say(receiver, "prepare")
    assert receiver.client.hear(LIMIT_S) == STATUS
    receiver.orders.answer(OUTCOME)
    assert receiver.client.ask("take-over", LIMIT_S) == OUTCOME


def test_who_asks_how_it_is_hears_no_outcome(receiver: Receiver) -> None:
    say(receiver, "status")
    assert receiver.client.hear(LIMIT_S) == STATUS
    receiver.orders.answer(OUTCOME)
    assert receiver.client.hear(0.1) is None


def test_an_announcer_that_has_gone_is_no_fault(receiver: Receiver) -> None:
    say(receiver, "prepare")
    receiver.client.close()
    receiver.orders.serve(receiver.orders.descriptors[1], lambda: STATUS, is_complete=True)
    assert receiver.orders.is_announced(has_ended=False)
    receiver.orders.answer(OUTCOME)


def test_an_announcement_stands_while_one_of_its_announcers_does(receiver: Receiver, tmp_path: Path) -> None:
    say(receiver, "prepare")
    other = Control(tmp_path, "web1")
    receiver.orders.serve(receiver.orders.descriptors[0], lambda: STATUS, is_complete=True)
    other.tell("prepare")
    receiver.orders.serve(receiver.orders.descriptors[2], lambda: STATUS, is_complete=True)
    other.close()
    receiver.orders.serve(receiver.orders.descriptors[2], lambda: STATUS, is_complete=True)
    receiver.orders.answer(OUTCOME)
    assert receiver.client.hear(LIMIT_S) == STATUS
    assert receiver.client.hear(LIMIT_S) == OUTCOME


@pytest.mark.parametrize("has_ended", [True, False])
def test_an_announcement_is_forgotten_unless_the_stream_ends(
    receiver: Receiver, has_ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "_FORGET_S", 0.0)
    say(receiver, "prepare")
    assert receiver.orders.is_announced(has_ended=has_ended)
    receiver.client.close()
    receiver.orders.serve(receiver.orders.descriptors[1], lambda: STATUS, is_complete=True)
    assert receiver.orders.is_announced(has_ended=has_ended) is has_ended
