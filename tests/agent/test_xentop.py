from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.xentop import DomainSample, XentopFormatError, XentopParser

DATA = Path(__file__).parent.parent / "data"
HEADER = (
    "      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k) VBDS"
    "   VBD_OO   VBD_RD   VBD_WR  VBD_RSECT  VBD_WSECT SSID"
)
ROW = (
    "        h1 --b---         17   51.9      98368    6.3      99328       6.3     1    1        3       47    0"
    "        0        0        0          0          0    0"
)


def iterations(lines: Sequence[str]) -> list[list[DomainSample]]:
    parser = XentopParser()
    seen: list[list[DomainSample]] = []
    for line in lines:
        sample = parser.feed(line)
        if sample is None:
            seen.append([])
        else:
            seen[-1].append(sample)
    return seen


def capture(name: str) -> list[list[DomainSample]]:
    return iterations((DATA / f"xentop-{name}.txt").read_text().splitlines())


def test_reads_every_row_of_a_replicating_domain() -> None:
    seen = capture("4.17-replicating-200ms")
    assert [[sample.name for sample in rows] for rows in seen] == [["Domain-0", "h1"]] * 6
    assert seen[3][1] == DomainSample(
        name="h1", state="--b---", cpu_s=17, cpu_percent=51.9, vcpus=1, network_kib=50, disk_requests=0
    )
    assert [rows[1].cpu_percent for rows in seen] == [0.0, 53.4, 50.5, 51.9, 49.6, 54.7]
    assert [rows[1].network_kib for rows in seen] == [42, 44, 47, 50, 52, 54]


def test_the_incoming_copy_keeps_its_own_name() -> None:
    assert [rows[1].name for rows in capture("4.17-backup-incoming")] == ["h1--incoming"] * 3


def test_no_limit_and_unreadable_disks_shift_no_column() -> None:
    plain, odd = capture("4.17-replicating-200ms"), capture("4.17-derived-no-limit-unreadable-disks")
    assert [rows[0] for rows in odd] == [rows[0] for rows in plain]
    assert [rows[1].disk_requests for rows in odd] == [None] * 6
    assert [rows[1].network_kib for rows in odd] == [rows[1].network_kib for rows in plain]


def test_old_versions_without_sector_columns_tell_the_same() -> None:
    assert capture("old-derived-no-sector-columns") == capture("4.17-replicating-200ms")


def test_names_with_blanks() -> None:
    assert [rows[1].name for rows in capture("4.17-derived-name-with-blanks")] == ["web shop 1"] * 6


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("xentop: Failed to initialize xenstat library", "neither a header nor"),
        ("TATE   CPU(sec) CPU(%)", "neither a header nor"),
        ("", "neither a header nor"),
        (HEADER[: HEADER.index("NETRX(k)")], r"no column NETRX\(k\), VBD_RD, VBD_WR"),
        ("        h1 --b---         17   51.9      98368    6.3", "4 values for 17 columns"),
        (ROW.replace("17   51.9", " x   51.9"), "invalid literal"),
        (ROW.replace("--b---", "-b----"), "neither a header nor"),
    ],
    ids=["message", "cut at the front", "empty", "header cut short", "row cut short", "no number", "no state"],
)
def test_a_line_that_does_not_parse_raises_with_the_line(line: str, complaint: str) -> None:
    parser = XentopParser()
    parser.feed(HEADER)
    with pytest.raises(XentopFormatError, match=complaint) as error:
        parser.feed(line)
    assert repr(line) in str(error.value)


def test_a_row_before_any_header_raises() -> None:
    with pytest.raises(XentopFormatError, match="17 values for 0 columns"):
        iterations((DATA / "xentop-4.17-first-iteration.txt").read_text().splitlines()[1:])


def printed(sample: DomainSample) -> str:
    """The row as print_* of xentop.c would print it, full names, traffic and disk requests in the first of each two."""
    disk = "-" if sample.disk_requests is None else str(sample.disk_requests)
    other = "-" if sample.disk_requests is None else "0"
    return (
        f"{sample.name:>10} {sample.state} {sample.cpu_s:>10} {sample.cpu_percent:>6.1f} {98368:>10} {6.3:>6}"
        f" {'no limit':>10} {'n/a':>9} {sample.vcpus:>5} {1:>4} {sample.network_kib:>8} {0:>8} {1:>4}"
        f" {other:>8} {disk:>8} {other:>8} {other:>10} {other:>10} {0:>4}"
    )


COUNTERS = st.integers(min_value=0, max_value=2**64 - 1)
SAMPLES = st.builds(
    DomainSample,
    name=st.from_regex(r"[A-Za-z0-9_.+-]([A-Za-z0-9_.+ -]{0,40}[A-Za-z0-9_.+-])?", fullmatch=True)
    | st.just("trap ------ 1 --b---"),
    state=st.tuples(*(st.sampled_from([letter, "-"]) for letter in "dsbcpr")).map("".join),
    cpu_s=COUNTERS,
    cpu_percent=st.integers(min_value=-99_999, max_value=10**7).map(lambda tenths: tenths / 10),
    vcpus=st.integers(min_value=0, max_value=512),
    network_kib=COUNTERS,
    disk_requests=COUNTERS | st.none(),
)


@given(st.lists(st.lists(SAMPLES, max_size=5), max_size=4))
def test_a_printed_table_reads_back(table: list[list[DomainSample]]) -> None:
    lines = [line for rows in table for line in [HEADER, *map(printed, rows)]]
    assert iterations(lines) == table
