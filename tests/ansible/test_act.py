"""The role act: what the hosts say of guests becomes a plan, or a refusal that names its remedy."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.ansible.plugins import load

DATA = Path(__file__).parents[1] / "data"
ACT = load("act/filter_plugins/act.py")
LOOK = load("act/library/act_look.py")
WATCH = load("act/library/act_watch.py")
GUEST = {"name": "web1", "primary": "a", "backup": "b", "address": "10.0.0.1"}
GOING = {"version": 1, "protected": True, "interval_ms": 25.0, "rate_per_s": 5.4, "pause_ms": None}


def host(**changes: Any) -> dict[str, Any]:
    """What a host says that is set up and on which nothing happens."""
    return {
        "xen": True,
        "live": {},
        "incoming": [],
        "units": {"web1": "inactive"},
        "services": {"agent": "active", "receiver": "active", "heartbeat": "active"},
        "replication": {"web1": None},
        "disks": ["web1"],
        "disks_in_use": [],
        **changes,
    }


def living(**changes: Any) -> dict[str, Any]:
    return host(live={"web1": "-b----"}, disks_in_use=["/dev/hefery/web1"], **changes)


def replicating(**changes: Any) -> dict[str, Any]:
    return living(**{"units": {"web1": "active"}, "replication": {"web1": GOING}, **changes})


def plan(act: str, **seen: Any) -> dict[str, Any]:
    (made,) = ACT.act_plans([GUEST], act, seen)
    assert made["words"]
    planned: dict[str, Any] = made
    return planned


PROTECTED = {"a": replicating(), "b": host(incoming=["web1"])}
FAILED_OVER = {"a": host(), "b": living()}
REPROTECTED = {"a": host(incoming=["web1"]), "b": replicating()}


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
    ],
)
def test_what_is_to_be_done(act: str, seen: dict[str, Any], do: str, on: str) -> None:
    made = plan(act, **seen)
    assert (made["do"], made["host"], made["refusal"]) == (do, on, "")
    assert {made["host"], made["peer"]} == {"a", "b"}


@pytest.mark.parametrize("act", ["protect", "reprotect", "stop", "drill"])
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
        ("reprotect", {"a": host(disks=[]), "b": living()}, "a has no disk /dev/hefery/web1"),
        ("reprotect", {"a": host(disks_in_use=["/dev/hefery/web1"]), "b": living()}, "a domain of a has the disk"),
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
    ],
)
def test_a_refusal_names_its_remedy(act: str, seen: dict[str, Any], sentence: str) -> None:
    made = plan(act, **seen)
    assert made["do"] == "nothing"
    assert sentence in made["refusal"]
    assert made["refusal"] in made["words"]


def test_copies_are_right_only_where_each_guest_lives_once_and_none_waits() -> None:
    assert ACT.act_copies([GUEST], {"a": host(), "b": living()}) == []
    assert ACT.act_copies([GUEST], PROTECTED) == ["b still holds web1--incoming"]
    for wrong in ({"a": living(), "b": living()}, {"a": host(), "b": host()}, {"a": living(), "b": None}):
        assert len(ACT.act_copies([GUEST], wrong)) == 1


def test_the_table_shows_where_everything_is() -> None:
    assert ACT.act_table([GUEST], {**PROTECTED, "z": None}) == [
        "guest  lives on  copy on  protected  interval ms  per s  pause ms  primary",
        "web1   a         b        yes        25           5.4    -         a",
        "a: agent active, receiver active, heartbeat active",
        "b: agent active, receiver active, heartbeat active",
        "z: DID NOT ANSWER",
    ]
    assert ACT.act_table([GUEST], {"a": host(), "b": host()})[1].startswith("web1   -         -        NO")
    assert ACT.act_table([GUEST], {"a": None, "b": host()})[1].startswith("web1   ?         ?        NO")


def test_the_unprotected_are_named_with_what_to_do() -> None:
    assert ACT.act_unprotected([GUEST], PROTECTED) == []
    assert ACT.act_unprotected([GUEST], {**PROTECTED, "b": None}) == []  # a's own word: its checkpoints arrive
    for seen, sentence in (
        (FAILED_OVER, "playbooks/reprotect.yml"),
        ({"a": living(), "b": host()}, "playbooks/protect.yml"),
        ({"a": living(units={"web1": "active"}), "b": host()}, "journalctl -u remus@web1"),
        ({"a": None, "b": host()}, "a did not answer"),
    ):
        (reason,) = ACT.act_unprotected([GUEST], seen)
        assert sentence in reason


def test_one_guest_may_be_chosen_by_its_name() -> None:
    other = {**GUEST, "name": "db"}
    assert ACT.act_chosen([GUEST, other], "") == [GUEST, other]
    assert ACT.act_chosen([GUEST, other], "db") == [other]
    with pytest.raises(Exception, match="no guest is called 'bd'; declared are web1, db"):
        ACT.act_chosen([GUEST, other], "bd")


def test_a_host_that_was_not_reached_has_said_nothing() -> None:
    hostvars = {"a": {"__act_look": {"look": host()}}, "b": {"__act_look": {"unreachable": True}}, "z": {}}
    assert ACT.act_seen(hostvars, ["a", "b", "z"]) == {"a": host(), "b": None, "z": None}


def test_a_look_reads_xl_systemd_and_the_agents_file(tmp_path: Path) -> None:
    said = {**GOING, "until_monotonic_ns": time.monotonic_ns() + 10**9}
    old = {**GOING, "until_monotonic_ns": time.monotonic_ns() - 1}
    for guest, words in (("h1", said), ("h2", old)):
        (tmp_path / guest).mkdir()
        (tmp_path / guest / "replication").write_text(json.dumps(words))
    answers = {
        "xl": (DATA / "xl-list-4.17-replicating.txt").read_text() + "h2--incoming  3   96   0   --p---   0.0\n",
        "systemctl": "Id=remus@h1.service\nLoadState=loaded\nActiveState=active\n\n"
        "Id=hefery-agent.service\nLoadState=not-found\nActiveState=inactive\n",
        "xenstore-ls": '/local/domain/0/backend/vbd/1/51712/params = "/dev/hefery/h1"\n',
    }
    seen = LOOK.look(["h1", "h2"], tmp_path, lambda *command: answers.get(command[0]))
    assert seen == {
        "xen": True,
        "live": {"h1": "---ss-"},
        "incoming": ["h2"],
        "units": {"h1": "active", "h2": "absent"},
        "services": {"agent": "absent", "receiver": "absent", "heartbeat": "absent"},
        "replication": {"h1": said, "h2": None},
        "disks": [],
        "disks_in_use": ["/dev/hefery/h1"],
    }


def test_a_wait_ends_when_all_are_protected_or_a_replication_has_ended(tmp_path: Path) -> None:
    (tmp_path / "h1").mkdir()
    active = lambda *_: "active\n"  # noqa: E731  # a stub
    assert not LOOK.protected(["h1"], tmp_path, active)
    assert LOOK.protected(["h1"], tmp_path, lambda *_: None)
    said = {**GOING, "until_monotonic_ns": time.monotonic_ns() + 10**10}
    (tmp_path / "h1" / "replication").write_text(json.dumps(said))
    assert LOOK.protected(["h1"], tmp_path, active)
    (tmp_path / "h1" / "replication").write_text(json.dumps({**said, "protected": False}))
    assert not LOOK.protected(["h1"], tmp_path, active)


def test_a_wait_ends_when_no_copy_waits(tmp_path: Path) -> None:
    backup = (DATA / "xl-list-4.17-backup.txt").read_text()
    assert not LOOK.alone(["h1", "h2"], tmp_path, lambda *_: backup)
    assert LOOK.alone(["h2"], tmp_path, lambda *_: backup)


def test_a_host_without_xen_says_so(tmp_path: Path) -> None:
    seen = LOOK.look(["web1"], tmp_path, lambda *_: None)
    assert (seen["xen"], seen["live"], seen["units"]) == (False, {}, {"web1": "absent"})


def test_a_watch_keeps_both_sides_of_the_longest_silence() -> None:
    watch = WATCH.Watch()
    for text, at_s in (("counter=1 boot=AB", 0.0), ("counter=2 boot=AB", 0.1), ("counter=3 boot=AB", 4.0)):
        watch.hear(text, at_s)
    watch.hear("counter=4 boot=AB", 4.1)
    told = watch.summary()
    assert (told["answers"], told["without_answer_s"]) == (4, 3.9)
    assert [told[key]["counter"] for key in ("first", "before", "after", "last")] == ["1", "2", "3", "4"]


@pytest.fixture
def page() -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"counter=7 requests=1 boot=AB uptime=3\n")

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_client_asks_for_the_page(page: str) -> None:
    text = WATCH.ask(page, 5.0)
    assert WATCH.told(text) == {"counter": "7", "requests": "1", "boot": "AB", "uptime": "3"}
    assert WATCH.ask("http://127.0.0.1:1/", 5.0) is None


def test_evidence_tells_whose_history_went_on() -> None:
    watched = {"answers": 90, "without_answer_s": 3.9, "before": {"boot": "AB"}, "after": {"boot": "AB"}}
    handed = {"start": "2026-01-01 00:00:00.0", "delta": "0:01:02.5", "stdout": '{"steps_s": {"destroyed": 1.5}}'}
    made = plan("drill", **PROTECTED)
    evidence = ACT.act_evidence(made, watched, handed, FAILED_OVER)
    assert evidence["steps_s"] == {"destroyed": 1.5}
    assert (evidence["same_history"], evidence["hand_over_s"], evidence["lives_on"]) == (True, 62.5, ["b"])
    other = ACT.act_evidence(made, {**watched, "after": {"boot": "CD"}}, handed, FAILED_OVER)
    assert not other["same_history"]
    assert not ACT.act_evidence(made, {**watched, "before": None, "after": None}, handed, FAILED_OVER)["same_history"]
