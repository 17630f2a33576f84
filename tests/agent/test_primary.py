import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.primary import AssumedPrimary, RemusPrimary, remus_domain
from tests.agent.fake_xenstored import xenstored


@pytest.mark.parametrize(
    "command",
    [
        ["xl", "remus", "web", "hostb"],
        ["/usr/sbin/xl", "-vvv", "remus", "-Fnd", "-i", "200", "web", "hostb"],
        ["/usr/lib/xen-4.17/bin/xl", "remus", "-F", "-n", "-d", "-i", "25", "-s", "", "web", "exec relay hostb 8002"],
        ["xl", "remus", "-i25", "-b", "-u", "-s", "sh -c", "-e", "web", "hostb"],
        ["xl", "remus", "web", "hostb", "-F", "-N", "script"],
        [
            "xl",
            "remus",
            "-F",
            "-n",
            "-d",
            "-i",
            "25",
            "-s",
            "",
            "web",
            "exec /usr/local/bin/hefery-remus send --domain web",
        ],
    ],
)
def test_finds_the_domain_in_a_command_line(command: list[str]) -> None:
    assert remus_domain(command) == "web"


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["xl"],
        ["xl", "list", "web"],
        ["xl", "migrate", "remus", "hostb"],
        ["xl", "remus", "web"],
        ["xl", "remus", "--help"],
        ["vim", "remus", "web", "hostb"],
        ["xl", "remus", "../etc", "hostb"],
        ["grep", "xl remus web hostb"],
    ],
)
def test_sees_no_replication_elsewhere(command: list[str]) -> None:
    assert remus_domain(command) is None


def test_assumed_is_what_the_configuration_says() -> None:
    assert AssumedPrimary(["local"]).domains() == {"local"}


@pytest.fixture
def domain(tmp_path: Path) -> str:
    """A domain that no other test replicates at the same time: the processes of the machine are there for all."""
    return f"dömäne-{tmp_path.name}"


@contextmanager
def called_xl(folder: Path, words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A living process with these arguments that is called xl: a shell, whose script is called remus.

    When its input ends it becomes another program, as the child does that xl forks for the transport.
    """
    shell = shutil.which("sh")
    assert shell is not None
    program = shutil.copy(shell, folder / "xl")
    (folder / "remus").write_text("echo begun; read _; exec yes")
    with subprocess.Popen(
        ["xl", *words], executable=program, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)  # Popen returns before the kernel has given the new name and arguments
        yield process
        process.kill()


@pytest.fixture
def replication(tmp_path: Path, domain: str) -> Iterator[subprocess.Popen[bytes]]:
    with called_xl(tmp_path, ["remus", domain, "hostb"]) as process:
        yield process


def test_a_replication_makes_this_host_the_primary_while_it_lives(
    replication: subprocess.Popen[bytes], domain: str
) -> None:
    primary = RemusPrimary(scan_s=3600.0)
    assert domain in primary.domains()
    replication.kill()
    os.waitid(os.P_PID, replication.pid, os.WEXITED | os.WNOWAIT)
    assert domain not in primary.domains()  # a zombie, as nobody has fetched its exit code
    replication.wait()
    assert domain not in primary.domains()


def test_a_new_replication_is_found_by_the_next_scan(domain: str, request: pytest.FixtureRequest) -> None:
    now_s = [100.0]
    primary = RemusPrimary(scan_s=5.0, monotonic_s=lambda: now_s[0])
    assert domain not in primary.domains()
    request.getfixturevalue("replication")
    assert domain not in primary.domains()
    now_s[0] += 5.0
    assert domain in primary.domains()


@pytest.mark.usefixtures("replication")
def test_only_configured_domains_count_where_there_are_any(domain: str) -> None:
    assert RemusPrimary([domain, "db"]).domains() == {domain}
    assert RemusPrimary(["db"]).domains() == set()


class Counting(dict[str, str]):
    """Nodes that count how often they are read."""

    reads = 0

    def __getitem__(self, path: str) -> str:
        self.reads += 1
        return super().__getitem__(path)


@pytest.fixture
def xenstore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counting]:
    """A xenstore that knows domain 4711."""
    store = Counting({"/local/domain/4711/name": "web"})
    monkeypatch.setenv("XENSTORED_PATH", str(tmp_path / "socket"))
    with xenstored(tmp_path / "socket", store):
        yield store


def test_a_domain_given_by_number_is_known_by_its_name_and_asked_for_once(tmp_path: Path, xenstore: Counting) -> None:
    primary = RemusPrimary(["web"], scan_s=0.0)
    with called_xl(tmp_path, ["remus", "-Fnd", "-s", "", "4711", "exec relay"]):
        assert primary.domains() == {"web"}
        assert primary.domains() == {"web"}
    assert xenstore.reads == 1
    assert primary.domains() == set()


@pytest.mark.usefixtures("xenstore")
def test_a_number_that_xenstore_does_not_know_is_no_domain(tmp_path: Path) -> None:
    with called_xl(tmp_path, ["remus", "4712", "hostb"]):
        assert RemusPrimary(["web", "4712"]).domains() == set()


def test_a_number_is_no_domain_where_xenstore_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XENSTORED_PATH", str(tmp_path / "none"))
    with called_xl(tmp_path, ["remus", "4711", "hostb"]):
        assert RemusPrimary(["4711"]).domains() == set()


def test_the_transport_that_a_child_of_xl_becomes_is_no_replication(
    replication: subprocess.Popen[bytes], domain: str
) -> None:
    primary = RemusPrimary(scan_s=3600.0)
    assert domain in primary.domains()
    assert replication.stdin is not None
    assert replication.stdout is not None
    replication.stdin.close()
    replication.stdout.read(len("egun\ny"))
    assert domain not in primary.domains()
