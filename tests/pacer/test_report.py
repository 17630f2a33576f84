"""The pacer's reports, as the agent reads them."""

import random
import subprocess
from pathlib import Path

from agent.reports import MAX_BYTES, Applied, Checkpoint, parse

SEED = 21
MS = 10**6


def tell(built: Path, *questions: str) -> list[bytes]:
    told = subprocess.run([built / "probe"], input="\n".join(questions).encode(), capture_output=True, check=True)
    return told.stdout.splitlines()


def test_a_checkpoint_is_told_to_the_microsecond(built: Path) -> None:
    (text,) = tell(built, f"checkpoint 17 200 {364_100_999} {160 * MS} {3_600}")
    assert parse(text) == Checkpoint(17, 200.0, 364.1, 160.0, 0.003)


def test_what_could_not_be_measured_is_left_out(built: Path) -> None:
    assert parse(tell(built, "checkpoint 0 25 -1 -1 -1")[0]) == Checkpoint(0, 25.0, None, None, None)


def test_every_report_is_one_that_the_agent_takes(built: Path) -> None:
    chance = random.Random(SEED)
    longest = 2**63 - 1

    def number(most: int) -> int:
        return chance.choice([0, 1, most, chance.randrange(most), chance.randrange(min(most, 10**10))])

    checkpoints = [
        f"checkpoint {number(10**18)} {number(10**7)} {number(longest)} {number(longest)} {number(longest)}"
        for _ in range(500)
    ]
    applied = [f"applied {number(10**18)} {number(10**7)} {number(longest)}" for _ in range(500)]
    told = tell(built, *checkpoints, *applied)
    assert max(map(len, told)) <= MAX_BYTES
    assert [type(parse(text)) for text in told] == [Checkpoint] * 500 + [Applied] * 500
