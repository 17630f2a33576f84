"""Xen's toolstack: in, a domain's name; out, what `xl` says of it, or does with it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from socket import socket
from typing import Final

from failover import chatter
from failover.errors import FailoverError

_LIMIT_S: Final = 60.0
MARK: Final = "HEFERY_COPY"
"""Environment variable by which xl, and all that it starts for a copy, is found again."""


class XlError(FailoverError):
    """xl failed, or said what cannot be understood; the text has its words."""


class XlMissing(XlError):
    """There is no xl on this host."""


@dataclass(frozen=True)
class Domain:
    """A line of `xl list`; `state` is the six characters of xl(1)."""

    name: str
    number: int
    state: str

    @property
    def is_suspended(self) -> bool:
        """Whether it stands still for a checkpoint."""
        return self.state[3:5] == "ss"

    @property
    def is_running(self) -> bool:
        """Whether its virtual CPUs may run: neither paused nor shut down nor dying."""
        return not set(self.state) & set("pscd")


def domains() -> Mapping[str, Domain]:
    """The domains of this host by name; raises XlError."""
    return parse_list(_run("list"))


def domains_if_any() -> Mapping[str, Domain]:
    """The same; none on a host without Xen."""
    try:
        return domains()
    except XlMissing:
        return {}


def number_of(name: str) -> int | None:
    """The domain's, None where it is not here; raises XlError."""
    found = domains().get(name)
    return None if found is None else found.number


def create_paused(name: str) -> None:
    """By its configuration in /etc/xen; raises XlError."""
    _run("create", "-p", f"/etc/xen/{name}.cfg")


def unpause(name: str) -> None:
    """Let one that was created paused run; raises XlError."""
    _run("unpause", name)


def destroy(which: str) -> None:
    """End a domain, by name or number, at once; it may have ended by itself meanwhile. Raises XlError."""
    try:
        _run("destroy", which)
    except XlError:
        if any(which in (domain.name, str(domain.number)) for domain in domains().values()):
            raise


def migrate_receive(theirs: socket, ours: socket, mark: str) -> subprocess.Popen[bytes]:
    """Start the restoring xl on `theirs`; what it says that matters goes to standard error.

    It inherits `ours`, the other end, too: so the stream does not end when this process does. Without -r it would take
    the copy for one of a migration, and ask whether to wake it.
    """
    child = subprocess.Popen(
        ["xl", "migrate-receive", "-r"],
        stdin=theirs.fileno(),
        stdout=theirs.fileno(),
        stderr=subprocess.PIPE,
        pass_fds=[ours.fileno()],
        start_new_session=True,
        env={**os.environ, MARK: mark},
    )
    assert child.stderr is not None
    chatter.relay(child.stderr, sys.stderr.buffer)
    return child


def parse_list(text: str) -> dict[str, Domain]:
    """The domains that `xl list` prints; raises XlError."""
    header, *lines = text.splitlines() or [""]
    columns = header.replace("Time(s)", "Time").split()
    if columns[:1] != ["Name"] or not {"ID", "State"} <= set(columns):
        raise XlError(f"xl list: no such header is known: {header!r}")
    return {domain.name: domain for domain in (_domain(columns, line) for line in lines)}


def _domain(columns: list[str], line: str) -> Domain:
    fields = line.rsplit(None, len(columns) - 1)  # a name may hold spaces
    told = dict(zip(columns, fields, strict=False))
    if len(fields) != len(columns) or not told["ID"].isdecimal() or len(told["State"]) != len("rbpscd"):
        raise XlError(f"xl list: this line is not understood: {line!r}")
    return Domain(told["Name"].strip(), int(told["ID"]), told["State"])


def _run(*words: str) -> str:
    command = ("xl", *words)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    except FileNotFoundError as error:
        raise XlMissing(f"{' '.join(command)}: xl is not installed: is this a Xen host?") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise XlError(f"{' '.join(command)}: {error}") from error
    if done.returncode:
        raise XlError(f"{' '.join(command)}: exit code {done.returncode}: {' '.join(done.stderr.split())}")
    return done.stdout
