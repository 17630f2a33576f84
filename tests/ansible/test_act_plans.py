"""Surveys of guests become a plan, or a refusal that names its remedy."""

from typing import Any

import pytest

from tests.ansible.acts import FAILED_OVER, PROTECTED, REPROTECTED, host, living, plan, replicating


@pytest.mark.parametrize(
    ("act", "seen", "do", "on"),
    [
        ("protect", {"a": living(), "b": host()}, "start", "a"),
        ("protect", PROTECTED, "nothing", "a"),
        ("protect", {"a": replicating(replication={"web1": None}), "b": host(incoming=["web1"])}, "wait", "a"),
        ("protect", REPROTECTED, "nothing", "b"),
        ("reprotect", FAILED_OVER, "start", "b"),
        ("reprotect", {"a": living(), "b": host()}, "start", "a"),
        ("reprotect", REPROTECTED, "nothing", "b"),
        ("stop", PROTECTED, "stop", "a"),
        ("stop", REPROTECTED, "stop", "b"),
        ("stop", {"a": living(), "b": host()}, "nothing", "a"),
        ("stop", {"a": living(), "b": host(incoming=["web1"])}, "clean", "a"),
        ("drill", PROTECTED, "hand-over", "a"),
        ("drill", REPROTECTED, "hand-over", "b"),
        ("experiment", PROTECTED, "measure", "a"),
        ("experiment", REPROTECTED, "measure", "b"),
    ],
)
def test_what_is_to_be_done(act: str, seen: dict[str, Any], do: str, on: str) -> None:
    made = plan(act, **seen)
    assert (made["do"], made["host"], made["refusal"]) == (do, on, "")
    assert {made["host"], made["peer"]} == {"a", "b"}


@pytest.mark.parametrize("act", ["protect", "reprotect", "stop", "drill", "experiment"])
@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        ({"a": living(), "b": None}, "b did not answer"),
        ({"a": living(), "b": host(xen=False)}, "Xen does not run on b: run playbooks/xen.yml"),
        ({"a": living(), "b": living()}, "LIVES TWICE, on a and b"),
        ({"a": host(), "b": host()}, "playbooks/guests.yml starts it"),
        ({"a": host(), "b": host(incoming=["web1"])}, "`hefery-remus take-over --force --domain web1` there wakes it"),
    ],
)
def test_nothing_is_done_where_it_is_not_certain_where_a_guest_lives(
    act: str, seen: dict[str, Any], sentence: str
) -> None:
    made = plan(act, **seen)
    assert made["do"] == "nothing"
    assert sentence in made["refusal"]


@pytest.mark.parametrize(
    ("act", "seen", "sentence"),
    [
        ("protect", FAILED_OVER, "ansible-playbook playbooks/reprotect.yml -e guest=web1"),
        ("protect", {"a": living(), "b": host(incoming=["web1"])}, "`hefery-remus clean --domain web1` there"),
        ("protect", {"a": living(units={"web1": "absent"}), "b": host()}, "Remus is not set up on a: run site.yml"),
        ("reprotect", {"a": host(missing_disks=["web1"]), "b": living()}, "a does not see the disk of web1"),
        ("reprotect", {"a": host(disks_in_use=["web1"]), "b": living()}, "a domain of a has the disk"),
        (
            "reprotect",
            {"a": host(services={"agent": "active", "receiver": "failed"}), "b": living()},
            "hefery-receiver",
        ),
        (
            "protect",
            {"a": living(services={"agent": "failed"}), "b": host()},
            "the agent does not run on a, so nobody would see",
        ),
        ("drill", FAILED_OVER, "playbooks/reprotect.yml -e guest=web1"),
        ("drill", {"a": living(), "b": host()}, "playbooks/protect.yml -e guest=web1"),
        ("drill", {"a": replicating(), "b": host()}, "is not protected"),
        ("experiment", FAILED_OVER, "playbooks/reprotect.yml -e guest=web1"),
        ("experiment", {"a": living(), "b": host()}, "playbooks/protect.yml -e guest=web1"),
    ],
)
def test_a_refusal_names_its_remedy(act: str, seen: dict[str, Any], sentence: str) -> None:
    made = plan(act, **seen)
    assert made["do"] == "nothing"
    assert sentence in made["refusal"]
    assert made["refusal"] in made["words"]


@pytest.mark.parametrize(
    ("leaving", "seen", "do"),
    [
        ("a", PROTECTED, "hand-over"),
        ("b", PROTECTED, "stop"),
        ("a", REPROTECTED, "stop"),
        ("b", {"a": living(), "b": host(incoming=["web1"])}, "clean"),
        ("b", {"a": living(), "b": host()}, "nothing"),
        ("z", PROTECTED, "nothing"),
    ],
)
def test_a_host_is_left_by_all_that_is_on_it(leaving: str, seen: dict[str, Any], do: str) -> None:
    assert plan("maintenance", leaving, **seen)["do"] == do


def test_a_host_is_not_left_by_a_guest_that_is_protected_nowhere() -> None:
    assert "playbooks/protect.yml -e guest=web1" in plan("maintenance", "a", a=living(), b=host())["refusal"]
