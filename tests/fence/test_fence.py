"""The fence against real mounts: one owner at most, whenever a call is killed, and whoever calls at once."""

import errno
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fence.server import HOSTS, Server, answer_of, running_server, write_under_way
from tests.waiting import wait_for


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as server:
        assert server.call("restore") == {"answer": "done"}
        yield server


def give(server: Server, host: str, epoch: int, guest: str = "web1") -> str:
    return str(server.call("give", guest, host, str(epoch))["answer"])


def owners(server: Server, guest: str = "web1") -> tuple[list[str], list[str]]:
    return server.mounted_writable(guest), server.exported_writable(guest)


def error_of_write(server: Server, host: str) -> str:
    program = "import os, sys\ntry: os.open(sys.argv[1], os.O_RDWR)\nexcept OSError as error: print(error.errno)"
    return server.start("python3", "-c", program, str(server.view(host) / "disk.img")).communicate()[0].strip()


def test_nothing_written_down_nobody_writes(server: Server) -> None:
    assert owners(server) == ([], [])
    assert error_of_write(server, "a") == str(errno.EROFS)


def test_the_last_epoch_has_the_disk_and_the_others_get_errors(server: Server) -> None:
    assert give(server, "a", 5) == "done"
    assert (owners(server), error_of_write(server, "a")) == ((["a"], ["a"]), "")
    assert give(server, "b", 6) == "done"
    assert owners(server) == (["b"], ["b"])
    assert (error_of_write(server, "a"), error_of_write(server, "b")) == (str(errno.EROFS), "")


def test_an_epoch_that_is_over_is_refused(server: Server) -> None:
    give(server, "b", 6)
    assert server.call("give", "web1", "a", "5") == {
        "answer": "refused",
        "reason": "web1: epoch 5 is over, b has called under 6",
    }
    assert give(server, "a", 6) == "refused"
    assert give(server, "b", 6) == "done"
    assert owners(server) == (["b"], ["b"])


def test_killed_anywhere_it_leaves_one_owner_at_most_and_is_repeated(server: Server) -> None:
    epoch, nth, status = 1, 0, -signal.SIGKILL
    while status == -signal.SIGKILL:
        nth, epoch = nth + 1, epoch + 2
        give(server, "a", epoch)
        status = server.call_killed(nth, "give", "web1", "b", str(epoch + 1))
        mounted, exported = owners(server)
        assert len(mounted) <= 1
        assert len(exported) <= 1
        next_owner = ("b", epoch + 1) if nth % 2 else ("a", epoch + 2)  # who calls next: the same, or another
        assert give(server, *next_owner) == "done"
        assert owners(server) == ([next_owner[0]], [next_owner[0]])
    assert status == 0
    assert nth > 10


def test_a_restart_puts_in_force_what_a_killed_call_wrote_down(tmp_path: Path) -> None:
    with running_server(tmp_path) as before:
        before.call("restore")
        give(before, "a", 5)
        nth = 1
        while not (tmp_path / "state" / "web1.json").read_text().count("6"):
            before.call_killed(nth := nth + 1, "give", "web1", "b", "6")
        assert before.mounted_writable() == ["a"]
    settings = (tmp_path / "fence.json").read_text()
    again = tmp_path / "again"
    with running_server(again) as after:
        (again / "fence.json").write_text(settings.replace(f"{tmp_path}/etab", f"{again}/etab"))
        after.folder = tmp_path
        (tmp_path / "fence.json").write_text(settings)
        assert after.call("restore") == {"answer": "done"}
        assert owners(after) == (["b"], ["b"])
        assert give(after, "a", 5) == "refused"


def test_an_answer_waits_for_the_losers_last_write(server: Server) -> None:
    give(server, "a", 5)
    with server.writer("a") as last_write:
        call = server.begin("give", "web1", "b", "6")
        with write_under_way(last_write):
            assert server.mounted_writable() == ["a"]
            assert server.exported_writable() == ["b"]
            assert error_of_write(server, "b") == str(errno.EROFS)
            assert call.poll() is None
        assert answer_of(call)["answer"] == "done"
    assert owners(server) == (["b"], ["b"])


def test_a_loser_that_never_ends_is_named_and_nobody_else_gets_the_disk(tmp_path: Path) -> None:
    with running_server(tmp_path, limit_s=0.3) as server:
        server.call("restore")
        give(server, "a", 5)
        with server.writer("a") as last_write:
            call = server.begin("give", "web1", "b", "6")
            with write_under_way(last_write):
                answer = answer_of(call)
            assert answer["answer"] == "failed"
            assert "a still writes after 0.3 s" in answer["reason"]
        assert server.mounted_writable() in ([], ["a"])
        assert give(server, "b", 6) == "done"


def test_a_view_that_stays_writable_is_named_in_time(tmp_path: Path) -> None:
    with running_server(tmp_path, limit_s=0.3) as server:
        server.call("restore")
        give(server, "a", 5)
        lies = 'case "$*" in *bind,ro*) exit 0 ;; esac\nexec /bin/mount "$@"\n'
        (tmp_path / "bin" / "mount").write_text(f"#!/bin/sh\n{lies}")
        (tmp_path / "bin" / "mount").chmod(0o755)
        assert server.call("give", "web1", "b", "6")["reason"] == "web1: a still writes after 0.3 s"


def test_another_guest_is_not_touched(server: Server) -> None:
    give(server, "a", 5)
    give(server, "a", 5, guest="web2")
    with server.writer("a", "web2"):
        assert give(server, "b", 6) == "done"
        assert owners(server, "web2") == (["a"], ["a"])


def test_the_owners_own_access_is_never_touched(server: Server) -> None:
    give(server, "a", 5)
    with server.writer("a"):
        assert give(server, "a", 7) == "done"
        assert owners(server) == (["a"], ["a"])


def test_calls_at_once_are_served_one_by_one(server: Server) -> None:
    calls = {epoch: server.begin("give", "web1", "ab"[epoch % 2], str(epoch)) for epoch in range(1, 9)}
    answers = {epoch: answer_of(call)["answer"] for epoch, call in calls.items()}
    assert answers[8] == "done"
    assert set(answers.values()) <= {"done", "refused"}
    assert owners(server) == (["a"], ["a"])


def test_a_command_that_outlives_its_killed_call_keeps_the_next_one_out(server: Server) -> None:
    give(server, "a", 5)
    mount, pipe = server.folder / "bin" / "mount", server.folder / "go"
    os.mkfifo(pipe)
    mount.write_text(f'#!/bin/sh\ncase "$*" in *bind,rw*) rm {mount}; read go <{pipe} ;; esac\nexec /bin/mount "$@"\n')
    mount.chmod(0o755)
    call = server.begin("give", "web1", "b", "6")
    wait_for(lambda: not mount.exists())
    call.kill()
    call.communicate(timeout=20)
    later = server.begin("give", "web1", "a", "7")
    with pytest.raises(subprocess.TimeoutExpired):
        later.wait(timeout=0.7)
    pipe.write_text("go\n")
    assert answer_of(later)["answer"] == "done"
    assert owners(server) == (["a"], ["a"])


def test_an_operator_forgets_an_epoch_once_nobody_writes(server: Server) -> None:
    give(server, "a", 500)
    assert "has epoch 500, not 5" in server.call("forget", "web1", "--epoch", "5")["reason"]
    with server.writer("a"):
        assert "a has the disk open to write it" in server.call("forget", "web1", "--epoch", "500")["reason"]
        assert owners(server) == (["a"], ["a"])
    assert server.call("forget", "web1", "--epoch", "500")["answer"] == "done"
    assert owners(server) == ([], [])
    assert give(server, "b", 3) == "done"


def test_a_spoilt_record_lets_nobody_write_and_says_so(server: Server) -> None:
    give(server, "a", 5)
    (server.folder / "state" / "web1.json").write_text('{"host": "a"}')
    for words in (("restore",), ("give", "web1", "b", "6")):
        answer = server.call(*words)
        assert answer["answer"] == "failed"
        assert "web1.json: it names no host, or no epoch; nobody may write until" in answer["reason"]
    assert owners(server) == ([], [])
    assert owners(server, "web2") == ([], [])


@pytest.mark.parametrize("path", ["images", "images/web2", ""])
def test_an_export_past_the_fence_is_refused(server: Server, path: str) -> None:
    exported = (server.folder / path).as_posix()
    (server.folder / "exports.d" / "other.exports").write_text(f"{exported} 192.0.2.9(rw,sync)\n")
    answer = server.call("give", "web1", "a", "5")
    assert answer == {
        "answer": "failed",
        "reason": f"{exported} is exported to 192.0.2.9 past the fence: export it no more",
    }
    assert server.mounted_writable() == []


def test_a_host_that_was_taken_out_of_the_configuration_is_a_loser_like_any(tmp_path: Path) -> None:
    with running_server(tmp_path, limit_s=0.3) as server:
        server.call("restore")
        give(server, "a", 5)
        settings = json.loads((tmp_path / "fence.json").read_text())
        (tmp_path / "fence.json").write_text(json.dumps(settings | {"hosts": {"b": HOSTS["b"]}}))
        with server.writer("a"):
            assert "a still writes" in server.call("give", "web1", "b", "6")["reason"]
            assert server.mounted_writable() == ["a"]
        assert give(server, "b", 6) == "done"
        assert owners(server) == (["b"], ["b"])


def test_a_guest_more_is_shared_while_the_others_write(server: Server) -> None:
    give(server, "a", 5)
    settings = json.loads((server.folder / "fence.json").read_text())
    settings["guests"].append("web3")
    (server.folder / "fence.json").write_text(json.dumps(settings))
    with server.writer("a") as last_write:
        assert server.call("restore") == {"answer": "done"}
        assert (last_write.parent / "info").exists()  # a's connection was not cut
        assert owners(server) == (["a"], ["a"])
    assert owners(server, "web3") == ([], [])
    assert give(server, "b", 1, guest="web3") == "done"


def test_a_guest_that_cannot_be_restored_does_not_keep_the_others_out(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        shutil.rmtree(tmp_path / "images" / "web1")
        (tmp_path / "images" / "web1").write_text("no folder")
        answer = server.call("restore")
        assert answer["answer"] == "failed"
        assert answer["reason"].startswith("web1: ")
        assert give(server, "a", 5, guest="web2") == "done"


@pytest.mark.parametrize("name", [b"K\xf6ln", "one\x85two".encode(), b"one\x0ctwo"])
def test_other_mounts_may_be_called_as_they_like(server: Server, name: bytes) -> None:
    other = server.folder / os.fsdecode(name)
    other.mkdir()
    mounting = server.start("mount", "--bind", str(other), str(other))
    mounting.communicate(timeout=20)
    assert mounting.returncode == 0
    with (server.folder / "exports.d" / "other.exports").open("wb") as exports:
        exports.write(b"/srv/" + name + b" 192.0.2.9(rw,sync)\n")
    assert give(server, "a", 5) == "done"
    assert owners(server) == (["a"], ["a"])
