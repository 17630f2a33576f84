"""On a host, by its own Python: in, secrets by name, as a JSON object; out, a line for each that anybody may see there.

usage: peek.py LOGS, a folder. Only the standard library is used, as this file is sent to the host as it is. It looks at
the command lines of all processes, at the journal, and at the other files of LOGS. It prints names, never a secret.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

CHUNK_BYTES = 1 << 20
_JOURNAL = ["journalctl", "--no-pager", "--quiet", "--all", "--output=cat", "--output-fields=MESSAGE,_CMDLINE"]


def processes(secrets: Mapping[str, bytes], folder: Path) -> Iterator[str]:
    """What the command lines of the processes in /proc show."""
    for path in folder.glob("[0-9]*/cmdline"):
        try:
            words, program = path.read_bytes(), path.with_name("comm").read_text().strip()
        except OSError:  # it has ended
            continue
        yield from (f"{name} in the command line of {program}" for name, secret in secrets.items() if secret in words)


def journal(secrets: Mapping[str, bytes]) -> Iterator[str]:
    """What the journal shows. Raises subprocess.CalledProcessError."""
    with subprocess.Popen(_JOURNAL, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        yield from (f"{name} in the journal" for name in within(secrets, child.stdout))
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, _JOURNAL)


def logs(secrets: Mapping[str, bytes], folder: Path) -> Iterator[str]:
    """What the other logs show."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "journal" not in path.relative_to(folder).parts:
            with suppress(FileNotFoundError), path.open("rb") as log:  # rotated meanwhile
                yield from (f"{name} in {path}" for name in within(secrets, log))


def within(secrets: Mapping[str, bytes], file: IO[bytes]) -> list[str]:
    """The names of those that a file has; never much of it is in memory."""
    found: set[str] = set()
    longest = max(map(len, secrets.values()), default=1)
    rest = b""
    while chunk := file.read(CHUNK_BYTES):
        seen = rest + chunk
        found |= {name for name, secret in secrets.items() if secret in seen}
        rest = seen[-longest:]
    return [name for name in secrets if name in found]


def main() -> None:
    """Look once at all."""
    secrets = {name: secret.encode() for name, secret in json.load(sys.stdin).items()}
    for look in (processes(secrets, Path("/proc")), journal(secrets), logs(secrets, Path(sys.argv[1]))):
        for line in look:
            sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
