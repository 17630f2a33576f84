"""A stand-in for the NFS server: in, a folder; out, real mounts in a namespace of their own, and a table of exports."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.waiting import wait_for

ROOT: Final = Path(__file__).parents[2]
HOSTS: Final = {"a": "192.0.2.11", "b": "192.0.2.12"}
_IS_ROOT: Final = os.geteuid() == 0
_EXPORTFS: Final = """#!/bin/sh
cat {folder}/exports.d/*.exports 2>/dev/null | sed 's/ /\t/' >{folder}/etab.new; mv {folder}/etab.new {folder}/etab
"""
_LOSER: Final = """
import os, sys
image, client = sys.argv[1:]
file = os.open(image, os.O_RDWR)
open(client + "/opened", "w").close()
ctl = open(client + "/ctl")
os.remove(client + "/info")
assert ctl.readline() == "expire\\n"
open(client + "/through").read()  # a write under way takes as long as it takes
os.close(file)
"""


class Server:
    """`calls` the fence as ssh would, in the namespace of the process `pid`."""

    def __init__(self, folder: Path, pid: int) -> None:
        self.folder, self._pid = folder, pid

    def start(self, *command: str, stdin: int = subprocess.DEVNULL, **more: Any) -> subprocess.Popen[str]:
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        user = () if _IS_ROOT else ("--user", "--preserve-credentials")
        enter = ("nsenter", *user, "--mount", "--target", str(self._pid))
        environment = {"PATH": path, "PYTHONPATH": str(ROOT), **more}
        return subprocess.Popen([*enter, *command], env=environment, stdin=stdin, stdout=subprocess.PIPE, text=True)

    def begin(self, *words: str, ssh: str = "", stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        program = (sys.executable, "-S", "-m", "fence", "--settings", str(self.folder / "fence.json"))
        return self.start(*program, *words, stdin=stdin, SSH_ORIGINAL_COMMAND=ssh)

    def call(self, *words: str, ssh: str = "") -> dict[str, Any]:
        return answer_of(self.begin(*words, ssh=ssh))

    def call_killed(self, nth: int, *words: str) -> int:
        """Kill the call just before its `nth` act; its status, -9 where it came so far."""
        settings = str(self.folder / "fence.json")
        call = self.start(
            sys.executable, "-S", str(Path(__file__).parent / "killed.py"), str(nth), "--settings", settings, *words
        )
        call.communicate()
        return call.returncode

    def view(self, host: str, guest: str = "web1") -> Path:
        return self.folder / "views" / host / guest

    def mounted_writable(self, guest: str = "web1") -> list[str]:
        mounts = Path(f"/proc/{self._pid}/mountinfo").read_text(encoding="utf-8", errors="replace")
        return [host for host in HOSTS if re.search(rf" {self.view(host, guest)} rw[, ]", mounts)]

    def exported_writable(self, guest: str = "web1") -> list[str]:
        table = (self.folder / "etab").read_text(encoding="utf-8", errors="replace")
        return [host for host in HOSTS if f"{self.view(host, guest)}\t{HOSTS[host]}(rw," in table]

    @contextmanager
    def writer(self, host: str, guest: str = "web1") -> Iterator[Path]:
        """A host with the disk open, as nfsd has it; yields the pipe whose end ends its last write."""
        client = self.folder / "nfsd" / "clients" / f"1{host}"
        client.mkdir(parents=True)
        (client / "info").write_text(f'clientid: 0x1\naddress: "{HOSTS[host]}:695"\nstatus: confirmed\n')
        os.mkfifo(client / "ctl")
        os.mkfifo(client / "through")
        image = str(self.view(host, guest) / "disk.img")
        loser = self.start(sys.executable, "-S", "-c", _LOSER, image, str(client))
        try:
            wait_for((client / "opened").exists)
            yield client / "through"
        finally:
            loser.kill()
            loser.communicate()
            shutil.rmtree(client)


@contextmanager
def write_under_way(through: Path) -> Iterator[None]:
    """From when the loser's connection is cut: its last write takes as long as the block does."""
    pipes: list[int] = []

    def is_read() -> bool:
        with suppress(OSError):  # nobody reads it yet
            pipes.append(os.open(through, os.O_WRONLY | os.O_NONBLOCK))
        return bool(pipes)

    wait_for(is_read, limit_s=10)
    try:
        yield
    finally:
        os.close(pipes[0])


def answer_of(call: subprocess.Popen[str]) -> dict[str, Any]:
    answer = json.loads(call.communicate(timeout=20)[0])
    assert call.returncode == {"done": 0, "failed": 1, "refused": 3}[answer["answer"]]
    assert isinstance(answer, dict)
    return answer


@contextmanager
def running_server(folder: Path, guests: Sequence[str] = ("web1", "web2"), limit_s: float = 5.0) -> Iterator[Server]:
    for name in ("bin", "exports.d", "state", "nfsd/clients"):
        (folder / name).mkdir(parents=True)
    for guest in guests:
        (folder / "images" / guest).mkdir(parents=True)
        (folder / "images" / guest / "disk.img").write_bytes(bytes(4096))
    (folder / "bin" / "exportfs").write_text(_EXPORTFS.format(folder=folder))
    (folder / "bin" / "exportfs").chmod(0o755)
    paths = {"images": "images", "views": "views", "state": "state", "exports": "exports.d", "etab": "etab"}
    settings = {f"{name}_path": str(folder / path) for name, path in (paths | {"nfsd": "nfsd"}).items()}
    settings |= {"hosts": HOSTS, "guests": list(guests), "limit_s": limit_s}  # type: ignore[dict-item]  # JSON's
    (folder / "fence.json").write_text(json.dumps(settings))
    user = () if _IS_ROOT else ("--user", "--map-root-user")
    command = ["unshare", *user, "--mount", "sh", "-c", "echo ready; exec sleep infinity"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        try:
            yield Server(folder, holder.pid)
        finally:
            holder.kill()
