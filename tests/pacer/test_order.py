"""The pacer's reading of orders against the agent's, which is the contract."""

import random
import subprocess
from collections.abc import Iterable
from pathlib import Path

from agent.order import MAX_AHEAD_NS, Order, OrderError, effective_interval_ms

NOW_NS = 5_000_000_000_000
S = 10**9
SEED = 20
NEVER_NS = 2**63 - 1
LINE = Order(7, 2000, NOW_NS + 10 * S).encode().encode()

Question = tuple[bytes, int, int]  # text, now, protective interval


def answers(built: Path, questions: Iterable[Question]) -> list[tuple[int, int, int]]:
    """Sequence and interval in force, and the next change, as the pacer has them."""
    lines = "".join(f"order {now_ns} {protective_ms} {text.hex()}\n" for text, now_ns, protective_ms in questions)
    told = subprocess.run([built / "probe"], input=lines, capture_output=True, text=True, check=True)
    return [(int(a), int(b), int(c)) for a, b, c in (line.split() for line in told.stdout.splitlines())]


def expected(text: bytes, now_ns: int, protective_ms: int) -> tuple[int, int]:
    try:
        decoded = text.decode("ascii")
        order = Order.parse(decoded)
    except (UnicodeError, OrderError):
        return 0, protective_ms
    sequence = order.sequence if order.stands(now_ns) else 0
    return sequence, effective_interval_ms(decoded, now_ns, protective_ms)


def orders(chance: random.Random) -> Iterable[Question]:
    """Well-formed ones of all sizes, with deadlines at and around every edge."""
    for _ in range(3000):
        now_ns = chance.choice([0, NOW_NS, chance.randrange(10**17)])
        ahead_ns = chance.choice([0, MAX_AHEAD_NS, chance.randrange(2 * MAX_AHEAD_NS)]) + chance.choice([-1, 0, 1])
        order = Order(
            chance.choice([0, 1, 10**18 - 1, chance.randrange(10**6)]),
            chance.choice([1, 25, 9_999_999, chance.randrange(1, 5000)]),
            min(max(0, now_ns + ahead_ns), 10**18 - 1),
        )
        yield order.encode().encode(), now_ns, chance.choice([1, 25, 500, 3_600_000])


def mutations(chance: random.Random) -> Iterable[Question]:
    """Orders cut, doubled, and with bytes and fields changed."""
    pieces = [b"0", b"00", b"-1", b"+1", b"1e3", b"1.0", b" ", b"\n", b"\0", b"}", b"{", b",", b'"', b"\xff", b"9" * 19]
    for _ in range(6000):
        text = bytearray(LINE)
        for _ in range(chance.choice([1, 1, 1, 2, 5])):
            start = chance.randrange(len(text) + 1)
            end = min(len(text), start + chance.choice([0, 1, 1, 2, 8]))
            text[start:end] = chance.choice([chance.choice(pieces), bytes([chance.randrange(256)]), b""])
        yield bytes(text), NOW_NS, 25


def test_what_is_in_force_is_what_the_contract_says(built: Path) -> None:
    chance = random.Random(SEED)
    questions = [*orders(chance), *mutations(chance), (b"", NOW_NS, 25), (LINE * 2, NOW_NS, 25), (LINE * 500, 0, 25)]
    questions += [
        (LINE.replace(b"2000", spelling), NOW_NS, 25) for spelling in (b"0", b"02000", b"9999999", b"10000000")
    ]
    questions += [(LINE.replace(b" 7", spelling), NOW_NS, 25) for spelling in (b" 07", b" 0", b" 00", b" ")]
    questions += [(LINE[:length], NOW_NS, 25) for length in range(len(LINE) + 1)]
    found = answers(built, questions)
    wrong = [
        (question, answer[:2])
        for question, answer in zip(questions, found, strict=True)
        if answer[:2] != expected(*question)
    ]
    assert wrong == []
    standing = sum(
        answer[0] != 0 or answer[1] != question[2] for question, answer in zip(questions, found, strict=True)
    )
    assert standing > 500  # or the comparison would be of nonsense alone


def test_the_next_change_is_when_the_interval_in_force_changes_by_itself(built: Path) -> None:
    chance = random.Random(SEED)
    questions = list(orders(chance))
    for (text, now_ns, protective_ms), (_, _, next_ns) in zip(questions, answers(built, questions), strict=True):
        if next_ns == NEVER_NS:
            assert expected(text, now_ns + 1, protective_ms) == expected(text, now_ns, protective_ms)
            continue
        assert next_ns > now_ns
        assert expected(text, next_ns - 1, 1) == expected(text, now_ns, 1)
        order = Order.parse(text.decode())
        assert order.stands(next_ns) != order.stands(now_ns)
