"""What is counted on a host, by the program as it is sent there, in a folder that stands for the host's root."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.trials import sizes

PROGRAM = Path(sizes.__file__).read_text(encoding="utf-8")
UNITS = {
    r"system-remus.slice/remus@web1.service": [11, 12, 13],
    r"system-hefery\x2dguard.slice/hefery-guard@web1.service": [21],
    r"system-hefery\x2dguard.slice/hefery-guard@web2.service": [22, 99],
    "hefery-heartbeat.service": [],
    "ssh.service": [31],
}
NAMES = {11: "xl", 12: "libxl-save-help", 13: "hefery-remus", 21: "hefery-remus", 22: "hefery-remus", 31: "sshd"}
"""Of 99 there is no more than a number: it has ended."""


def counted(root: Path) -> Any:
    words = [sys.executable, "-", str(root)]
    return json.loads(subprocess.run(words, input=PROGRAM, capture_output=True, text=True, check=True).stdout)


def test_each_units_programs_and_our_files_are_counted(tmp_path: Path) -> None:
    for unit, numbers in UNITS.items():
        group = tmp_path / "sys/fs/cgroup/system.slice" / unit
        group.mkdir(parents=True)
        (group / "cgroup.procs").write_text("".join(f"{number}\n" for number in numbers))
    for number, name in NAMES.items():
        (tmp_path / f"proc/{number}/fd").mkdir(parents=True)
        (tmp_path / f"proc/{number}/fd/0").touch()
        (tmp_path / f"proc/{number}/status").write_text(f"Name:\t{name}\nVmRSS:\t{number * 100:8} kB\n")
    (tmp_path / "var/lib/hefery/models").mkdir(parents=True)
    (tmp_path / "var/lib/hefery/spool.db").touch()
    with socket.socket(socket.AF_UNIX) as listening:
        (tmp_path / "run/hefery/web1").mkdir(parents=True)
        listening.bind(str(tmp_path / "run/hefery/web1/s"))
        assert counted(tmp_path) == {
            "programs": {
                "remus xl": {"rss_kb": 1100, "descriptors": 1},
                "remus libxl-save-help": {"rss_kb": 1200, "descriptors": 1},
                "remus hefery-remus": {"rss_kb": 1300, "descriptors": 1},
                "hefery-guard hefery-remus": {"rss_kb": 4300, "descriptors": 2},
            },
            "files": 2,
        }


def test_a_host_without_any_has_none(tmp_path: Path) -> None:
    assert counted(tmp_path) == {"programs": {}, "files": 0}
