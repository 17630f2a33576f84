from pathlib import Path

from lab.trials import evidence

JOURNAL = """\
Name                                        ID   Mem VCPUs\tState\tTime(s)
Nov 23 23:32:57.055194 b hefery-remus[490]: xc: info: All records buffered
Nov 23 23:32:58.812842 b sshd[509]: Accepted publickey for root
Nov 23 23:32:59.000001 b hefery-remus[490]: web1: the copy is gone (2 processes killed, destroyed: True)
Nov 23 23:32:59.000002 b remus@web1[7]: xc: error: Failed to write
"""


def test_the_last_words_of_our_own_services_are_picked(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("".join(f"Nov 23 b hefery-agent[{n}]: {n}\n" for n in range(100)) + JOURNAL)
    said = list(evidence.excerpt(tmp_path))
    assert [line.split("]: ")[1] for line in said[-3:]] == [
        "99",
        "web1: the copy is gone (2 processes killed, destroyed: True)",
        "xc: error: Failed to write",
    ]
    assert len(said) < 20


def test_hosts_that_were_silent_have_no_last_words(tmp_path: Path) -> None:
    assert list(evidence.excerpt(tmp_path)) == []
