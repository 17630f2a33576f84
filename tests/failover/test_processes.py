import pytest

from failover import processes

REMUS = ["/usr/sbin/xl", "remus", "-i", "200", "-u", "-s", "", "web1", "exec hefery-remus send --domain web1"]
SEND = ["/usr/bin/python3", "/usr/local/bin/hefery-remus", "send", "--domain", "web1"]


@pytest.mark.parametrize(
    ("command", "is_its"),
    [
        (REMUS, True),
        (["xl", "remus", "web1", "b"], True),
        (["xl", "-t", "remus", "-d", "web1", "b"], True),
        (["xl", "save", "web1", "file"], False),
        (["axl", *REMUS[1:]], False),
        (["xl"], False),
        ([], False),
    ],
)
def test_the_replication_of_a_domain(command: list[str], is_its: bool) -> None:
    assert processes._is_remus(command, "web1") is is_its


@pytest.mark.parametrize("name", ["200", "remus", "send", "b", "-u", "xl", "--domain", ""])
def test_a_domain_that_is_called_as_another_word_is_none_of_these(name: str) -> None:
    """Who ends its replication would end another's."""
    for command in (REMUS, ["xl", "remus", "web1", "b"]):
        assert not processes._is_remus(command, name)
    assert not processes._is_sender(SEND, name)


def test_the_transport_of_a_domain() -> None:
    assert processes._is_sender(SEND, "web1")
    assert not processes._is_sender(["hefery-remus", "settle", "--domain", "web1"], "web1")
