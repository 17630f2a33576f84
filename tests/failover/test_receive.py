import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover import copies, draining, receive
from failover.draining import NotDrained
from failover.lease_settings import LeaseSettings
from failover.settings import DomainSettings, HostSettings, PeerSettings, RemusSettings
from failover.wire import Session

KEY = b"0123456789abcdef"


@pytest.fixture
def session() -> Iterator[Session]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Session(ours, KEY, is_caller=False)


def test_a_host_that_has_not_drained_takes_no_copy(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "xl"
    program.write_text("#!/bin/sh\necho 'Name ID Mem VCPUs State Time(s)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def is_open(guest: str) -> None:
        raise NotDrained(f"{guest}: /dev/loop3")

    monkeypatch.setattr(draining, "check", is_open)
    settings = leased(tmp_path / "run")
    with pytest.raises(NotDrained, match="web1: /dev/loop3"):
        receive._receive(settings, settings.domains[0], session)
    assert copies.read(tmp_path / "run", "web1") is None


def leased(run_dir: Path) -> RemusSettings:
    """Of host b."""
    domain, lease = DomainSettings("web1", ("a", "b")), LeaseSettings(("http://127.0.0.1:1",), "c1")
    peers = (PeerSettings("a", "127.0.0.1"),)
    return RemusSettings(HostSettings("b", run_dir), peers=peers, domains=(domain,), lease=lease)
