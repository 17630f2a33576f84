"""site.yml while a Xen host is off: its plays, where one host is not there and the other is this machine."""

from pathlib import Path

from tests.ansible.acts import GUEST
from tests.ansible.playing import LOCAL, own_plays, play

HOSTS = f"""{LOCAL}[xen]
a ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1 hefery_address=127.0.0.1
b hefery_address=127.0.0.1
"""
PREFLIGHT = {
    "hosts": "xen",
    "gather_facts": False,
    "tasks": [{"ansible.builtin.import_role": {"name": "xen_host", "tasks_from": "preflight"}}],
}
VARIABLES = {
    "xen_host_peers": ["a", "b"],
    "xen_host_peer_port": 1,
    "xen_host_guests": [GUEST | {"type": "pvh", "memory_mb": 128}],
    "xen_host_accepted_findings": ["log_dirty", "memory", "bridge"],  # of this machine
    "act_guests": [GUEST],
    "act_hosts": ["a", "b"],
    "act_client": "b",
}


def said(folder: Path, *words: str) -> tuple[str, str]:
    """What was said while web1 lives on b, and the recap."""
    for name, text in {
        "apt-get": "exit 1",
        "xl": "[ $1 = list ] && printf 'Name\\nweb1 3 128 1 -b---- 7.0\\n'",
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    plays = [*own_plays("packages.yml"), PREFLIGHT, *own_plays("protect.yml")]
    ran = play(folder, HOSTS, plays, VARIABLES, *words)
    told, _, recap = ran.stdout.partition("PLAY RECAP")
    return " ".join(told.split()), recap


def test_what_lives_on_the_other_host_is_found_and_who_is_off_is_named(tmp_path: Path) -> None:
    told, recap = said(tmp_path)
    assert "reachability" not in told
    assert "a did not answer, so whether web1 lives there is not known (it does on b): start a first" in told
    of_a, of_b = (line for line in recap.splitlines() if " : " in line)
    assert "unreachable=1" in of_a
    assert "unreachable=0" in of_b
    assert "failed=1" in of_b


def test_a_host_that_this_run_leaves_out_has_to_answer_its_peer(tmp_path: Path) -> None:
    told, _ = said(tmp_path, "--limit", "b")
    assert "reachability: a cannot be reached from here" in told
    assert "did not answer" not in told
