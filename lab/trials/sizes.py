"""On a Xen host, by its own Python: out, how large each program of Hefery's units is, and how many files there are.

usage: python3 - [ROOT], with this file as standard input. Only the standard library is used, as it is sent as it is.

One JSON object: `programs` by "UNIT PROGRAM", the unit without its instance, each with `rss_kb` and `descriptors` of
all processes of that kind; and `files`.
"""

import json
import sys
from pathlib import Path

_OURS = ("hefery-", "remus@")
_FILES = ("run/hefery", "var/lib/hefery")


def size(process: Path) -> tuple[str, int, int]:
    """Name, resident memory (kB) and descriptors of a process. Raises OSError where it has ended."""
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return status["Name"].strip(), int(status["VmRSS"].split()[0]), len(list((process / "fd").iterdir()))


def programs(root: Path) -> dict[str, dict[str, int]]:
    """What runs in the units."""
    found: dict[str, dict[str, int]] = {}
    for members in root.glob("sys/fs/cgroup/system.slice/**/*.service/cgroup.procs"):
        unit = members.parent.name.removesuffix(".service")
        for number in members.read_text().split() if unit.startswith(_OURS) else ():
            try:
                name, rss_kb, descriptors = size(root / "proc" / number)
            except (OSError, KeyError):  # it has ended, or is about to be buried
                continue
            sum_up = found.setdefault(f"{unit.partition('@')[0]} {name}", {"rss_kb": 0, "descriptors": 0})
            sum_up["rss_kb"] += rss_kb
            sum_up["descriptors"] += descriptors
    return found


def files(root: Path) -> int:
    """How many files and sockets Hefery has."""
    return sum(path.is_file() or path.is_socket() for folder in _FILES for path in (root / folder).rglob("*"))


if __name__ == "__main__":
    seen = Path(sys.argv[1] if len(sys.argv) > 1 else "/")
    print(json.dumps({"programs": programs(seen), "files": files(seen)}))
