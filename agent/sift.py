"""A batch that a store may refuse: in, rows with their points; out, all good ones stored, the bad ones alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agent.rows import Row, RowError, decode
from telemetry.point import Point
from telemetry.store import BatchMalformed, BatchPartlyWritten, BatchTooLarge, Store

Pair = tuple[Row, Point]
Refusal = tuple[Row, str]


@dataclass
class Sifted:
    """What a batch came to: rows `refused` alone, each with the reason; `fitting` points at once were not too many."""

    refused: list[Refusal] = field(default_factory=list)
    fitting: int | None = None


def sift(
    store: Store, pairs: Sequence[Pair], acknowledge: Callable[[Sequence[Row]], None], *, most_requests: int
) -> Sifted:
    """Store the points, halving what is refused until those at fault are alone; newest first.

    `acknowledge` gets the rows of each request that was taken. Rows that `most_requests` do not suffice for are in none
    of the answers. StoreUnavailable and StoreRefused go through, after what was taken until then is acknowledged.
    """
    sifted = Sifted()
    parts = [pairs] if pairs else []
    for _ in range(most_requests):
        if not parts:
            break
        part = parts.pop()
        middle = len(part) // 2
        try:
            store.append([point for _, point in part])
        except (BatchTooLarge, BatchMalformed, BatchPartlyWritten) as error:
            if isinstance(error, BatchTooLarge):
                sifted.fitting = max(1, middle)
            if middle:
                parts += [part[:middle], part[middle:]]
            else:
                sifted.refused.append((part[0][0], str(error)))
        else:
            acknowledge([row for row, _ in part])
    return sifted


def decoded(rows: Sequence[Row]) -> tuple[list[Pair], list[Refusal]]:
    """The rows with their points, and the rows that hold none, each with the reason."""
    pairs: list[Pair] = []
    refused: list[Refusal] = []
    for row in rows:
        try:
            pairs.append((row, decode(row.body)))
        except RowError as error:
            refused.append((row, str(error)))
    return pairs, refused
