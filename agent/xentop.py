"""The output of `xentop -b -f`, line by line: in, text; out, one `DomainSample` a row, columns found by the header."""

import re
from dataclasses import dataclass

# Values are separated by blanks and never cut; MAXMEM(k) may read "no limit". A name may hold blanks and even what
# looks like a state, so the last state of the line counts (tools/xentop/xentop.c in the Xen source).
_ROW = re.compile(r"\s*(?P<name>\S.*)\s(?P<state>[d-][s-][b-][c-][p-][r-]) +(?P<values>\S.*)")
_VALUE = re.compile(r"no limit|\S+")
_UNREADABLE = "-"
_NEEDED = ("CPU(sec)", "CPU(%)", "VCPUS", "NETTX(k)", "NETRX(k)", "VBD_RD", "VBD_WR")


class XentopFormatError(ValueError):
    """A line that xentop is not known to print; the text holds the line."""


@dataclass(frozen=True)
class DomainSample:
    """One row: what xentop knows of a domain; counters are cumulative since the domain was created."""

    name: str
    state: str
    """Six characters: d(ying) s(hutdown) b(locked) c(rashed) p(aused) r(unning), each "-" where it is not so."""
    cpu_s: int
    cpu_percent: float
    """Of one physical CPU since the iteration before; a meaningless 0.0 where the domain was not in that one."""
    vcpus: int
    network_kib: int
    """Received and sent together: which of the two is TX has changed between versions."""
    disk_requests: int | None
    """Reads and writes together; None where xentop could not read them."""


class XentopParser:
    """Reads a stream of lines; every header starts an iteration and says where the columns are."""

    def __init__(self) -> None:
        self._columns: tuple[str, ...] = ()

    def feed(self, line: str) -> DomainSample | None:
        """The row as a sample, or None for a header; raises `XentopFormatError` for any other line."""
        if row := _ROW.fullmatch(line):
            return self._sample(line, row)
        self._columns = _columns_after_state(line)
        return None

    def _sample(self, line: str, row: re.Match[str]) -> DomainSample:
        values = _VALUE.findall(row["values"])
        if len(values) != len(self._columns):
            raise XentopFormatError(f"xentop: {len(values)} values for {len(self._columns)} columns in line {line!r}")
        cell = dict(zip(self._columns, values, strict=True))
        try:
            return DomainSample(
                name=row["name"],
                state=row["state"],
                cpu_s=int(cell["CPU(sec)"]),
                cpu_percent=float(cell["CPU(%)"]),
                vcpus=int(cell["VCPUS"]),
                network_kib=int(cell["NETTX(k)"]) + int(cell["NETRX(k)"]),
                disk_requests=_sum_if_readable(cell["VBD_RD"], cell["VBD_WR"]),
            )
        except ValueError as error:
            raise XentopFormatError(f"xentop: {error} in line {line!r}") from error


def _columns_after_state(header: str) -> tuple[str, ...]:
    titles = tuple(header.split())
    if titles[:2] != ("NAME", "STATE"):
        raise XentopFormatError(f"xentop: neither a header nor a domain's row: {header!r}")
    if missing := [title for title in _NEEDED if title not in titles]:
        raise XentopFormatError(f"xentop: no column {', '.join(missing)} in header {header!r}")
    return titles[2:]


def _sum_if_readable(*values: str) -> int | None:
    return None if _UNREADABLE in values else sum(map(int, values))
