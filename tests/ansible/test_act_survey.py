"""What the hosts say of guests becomes a survey, with a home only where it is certain."""

import pytest

from tests.ansible.acts import GOING, GUEST, PROTECTED, REPROTECTED, SURVEY, host, living, replicating, surveys


def test_one_guest_may_be_chosen_by_its_name() -> None:
    other = {**GUEST, "name": "db"}
    assert SURVEY.act_chosen([GUEST, other], "") == [GUEST, other]
    assert SURVEY.act_chosen([GUEST, other], "db") == [other]
    with pytest.raises(Exception, match="no guest is called 'bd'; declared are web1, db"):
        SURVEY.act_chosen([GUEST, other], "bd")


def test_a_host_that_was_not_reached_has_said_nothing() -> None:
    hostvars = {"a": {"__act_look": {"look": host()}}, "b": {"__act_look": {"unreachable": True}}, "z": {}}
    assert SURVEY.act_seen(hostvars, ["a", "b", "z"]) == {"a": host(), "b": None, "z": None}


def test_a_home_is_known_only_where_one_host_has_the_guest_and_all_were_asked() -> None:
    for seen, home in ((PROTECTED, "a"), (REPROTECTED, "b"), ({"a": living(), "b": None}, "")):
        (survey,) = surveys(seen)
        assert (survey["home"], survey["doubt"] == "") == (home, home != "")
    (survey,) = surveys({"a": living(), "b": living(), "z": None})
    assert (survey["lives"], survey["silent"], survey["told"]) == (["a", "b"], ["z"], {})
    assert survey["doubt"].startswith("z did not answer")


def test_a_guest_is_protected_by_the_word_of_the_host_it_lives_on() -> None:
    for seen, protected in (
        (PROTECTED, True),
        ({"a": replicating(), "b": replicating()}, False),
        ({"a": replicating(replication={"web1": {"protected": 1}}), "b": host()}, False),
        ({"a": living(), "b": host(replication={"web1": GOING})}, False),
    ):
        (survey,) = surveys(seen)
        assert survey["protected"] is protected
