"""What is wrong with guests and hosts is said in lines that name the remedy."""

from typing import Any

from tests.ansible.acts import FAILED_OVER, PROTECTED, host, living, surveys
from tests.ansible.plugins import load

FINDINGS = load("act/filter_plugins/act_findings.py")


def test_copies_are_right_only_where_each_guest_lives_once_and_none_waits() -> None:
    assert FINDINGS.act_copies(surveys({"a": host(), "b": living()})) == []
    assert FINDINGS.act_copies(surveys(PROTECTED)) == ["b still holds web1--incoming"]
    for wrong in ({"a": living(), "b": living()}, {"a": host(), "b": host()}, {"a": living(), "b": None}):
        assert len(FINDINGS.act_copies(surveys(wrong))) == 1


def table(seen: dict[str, Any]) -> list[str]:
    lines: list[str] = FINDINGS.act_table(surveys(seen), seen)
    return lines


def test_the_table_shows_where_everything_is() -> None:
    assert table({**PROTECTED, "z": None}) == [
        "guest  lives on  copy on  protected  interval ms  per s  pause ms  primary",
        "web1   a         b        yes        25           5.4    -         a",
        "a: agent active, receiver active, heartbeat active",
        "b: agent active, receiver active, heartbeat active",
        "z: DID NOT ANSWER",
    ]
    assert table({"a": host(), "b": host()})[1].startswith("web1   -         -        NO")
    assert table({"a": None, "b": host()})[1].startswith("web1   ?         ?        NO")


def test_the_unprotected_are_named_with_what_to_do() -> None:
    assert FINDINGS.act_unprotected(surveys(PROTECTED)) == []
    assert FINDINGS.act_unprotected(surveys({**PROTECTED, "b": None})) == []  # a's own word: its checkpoints arrive
    for seen, sentence in (
        (FAILED_OVER, "playbooks/reprotect.yml"),
        ({"a": living(), "b": host()}, "playbooks/protect.yml"),
        ({"a": living(units={"web1": "active"}), "b": host()}, "journalctl -u remus@web1"),
        ({"a": None, "b": host()}, "a did not answer"),
    ):
        (reason,) = FINDINGS.act_unprotected(surveys(seen))
        assert sentence in reason
