from pathlib import Path

from lab.trials.client import answer
from lab.trials.guest import Guest
from lab.trials.sightings import Answer
from lab.trials.site import copies

DATA = Path(__file__).parents[1] / "data"


def test_copies_are_those_that_xl_lists_under_the_guests_name() -> None:
    backup, primary = ((DATA / f"xl-list-4.17-{name}.txt").read_text() for name in ("backup", "replicating"))
    name = primary.splitlines()[-1].split()[0]
    assert copies(primary, name) == [name]
    assert copies(backup, name) == [f"{name}--incoming"]
    assert copies(primary, name[:-1]) == []


def test_the_guest_is_the_first_that_the_inventory_declares() -> None:
    guest = Guest.declared()
    assert (guest.name, guest.primary.name, guest.backup.name) == ("web1", "a", "b")
    assert guest.unit == "remus@web1.service"


def test_an_answer_is_understood_and_a_strange_one_is_not() -> None:
    reply = b"HTTP/1.1 200 OK\r\n\r\ncounter=517 requests=3 boot=0a1b2c3d uptime=12.34\n"
    assert answer(1, 2, reply) == Answer(1, 2, 517, "0a1b2c3d")
    assert answer(1, 2, b"HTTP/1.1 502 Bad Gateway\r\n\r\n") is None
