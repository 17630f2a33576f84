import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.primary import AssumedPrimary, RemusPrimary, remus_domain


@pytest.mark.parametrize(
    "command",
    [
        ["xl", "remus", "web", "hostb"],
        ["/usr/sbin/xl", "-vvv", "remus", "-Fnd", "-i", "200", "web", "hostb"],
        ["/usr/lib/xen-4.17/bin/xl", "remus", "-F", "-n", "-d", "-i", "25", "-s", "", "web", "exec relay hostb 8002"],
        ["xl", "remus", "-i25", "-b", "-u", "-s", "sh -c", "-e", "web", "hostb"],
        ["xl", "remus", "web", "hostb", "-F", "-N", "script"],
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


@pytest.fixture
def replication(tmp_path: Path, domain: str) -> Iterator[subprocess.Popen[bytes]]:
    """A living process that is called xl and has the arguments of a replication: `yes`, stuck in a full pipe."""
    yes = shutil.which("yes")
    assert yes is not None
    program = shutil.copy(yes, tmp_path / "xl")
    with subprocess.Popen(["xl", "remus", domain, "hostb"], executable=program, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)  # Popen returns before the kernel has given the new name and arguments
        yield process
        process.kill()


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
