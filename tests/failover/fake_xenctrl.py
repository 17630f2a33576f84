"""A stand-in for Xen with one guest: in, calls of libxenctrl's functions; out, a process that runs while it may.

The guest is a process that writes down, each millisecond, that it runs. Xen is a file that all libraries here share:
number, pauses, flags, and the guest's process. Every call that changes it is written down with its time.
"""

import ctypes.util
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from telemetry.units import NS_PER_S
from tests.failover.fake_libxl import compile_library

NUMBER: Final = 7
SOURCE = """
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
struct xen { int32_t number, pauses, flags, guest, fails; };
static struct xen *xen;
static int lock;
void *xc_interface_open(void *logger, void *dombuild_logger, unsigned flags)
{
    char *path = getenv("FAKE_XENCTRL");
    lock = path ? open(path, O_RDWR) : -1;
    if (lock < 0) { errno = ENOENT; return NULL; }
    xen = mmap(NULL, sizeof *xen, PROT_READ | PROT_WRITE, MAP_SHARED, lock, 0);
    return xen;
}
static int refuses(uint32_t number)
{
    errno = xen->fails ? xen->fails : ESRCH;
    return xen->fails || number != (uint32_t)xen->number ? -1 : 0;
}
static int counts(uint32_t number, int by, const char *name)
{
    struct timespec now;
    char told[4096];
    if (refuses(number)) return -1;
    flock(lock, LOCK_EX);
    if (xen->pauses + by < 0) { flock(lock, LOCK_UN); errno = EINVAL; return -1; }
    xen->pauses += by;
    kill(xen->guest, xen->pauses ? SIGSTOP : SIGCONT);
    clock_gettime(CLOCK_BOOTTIME, &now);
    snprintf(told, sizeof told, "%s.calls", getenv("FAKE_XENCTRL"));
    FILE *file = fopen(told, "a");
    fprintf(file, "%lld %s %d\\n", now.tv_sec * 1000000000LL + now.tv_nsec, name, xen->pauses);
    fclose(file);
    flock(lock, LOCK_UN);
    return 0;
}
int xc_domain_pause(void *handle, uint32_t number) { return counts(number, 1, "pause"); }
int xc_domain_unpause(void *handle, uint32_t number) { return counts(number, -1, "unpause"); }
int xc_domain_getinfolist(void *handle, uint32_t first, unsigned most, void *info)
{
    uint32_t answer[2] = { 0, 0 };
    if (xen->fails) { errno = xen->fails; return -1; }
    if (first > 0) {
        if (!xen->number || first > (uint32_t)xen->number) return 0;
        answer[0] = xen->number;
        answer[1] = xen->flags | (xen->pauses ? 8 : 0);
    }
    memcpy(info, answer, sizeof answer);
    return 1;
}
"""
GUEST = """
import os, signal, struct, sys, time
if sys.argv[2:]:
    os.kill(os.getpid(), signal.SIGSTOP)
with open(sys.argv[1], "ab", buffering=0) as told:
    while True:
        told.write(struct.pack("q", time.clock_gettime_ns(time.CLOCK_BOOTTIME)))
        time.sleep(0.001)
"""
LAYOUT = struct.Struct("=5i")


class FakeXen:
    """One host's hypervisor, and xl."""

    def __init__(self, folder: Path, library: Path, name: str) -> None:
        self.folder, self._file, self._ran = folder, folder / "xen", folder / "ran"
        self.guest: subprocess.Popen[bytes] | None = None
        self._file.write_bytes(LAYOUT.pack(0, 0, 0, 0, 0))
        program = folder / "bin" / "xl"
        program.parent.mkdir()
        command = f'exec {sys.executable} -m tests.failover.fake_xenctrl {self._file} {name} "$@"'
        program.write_text(f"#!/bin/sh\ncd {Path(__file__).parents[2]}\n{command}\n")
        program.chmod(0o755)
        agent = program.with_name("hefery-agent")
        agent.write_text(f'#!/bin/sh\necho "$@" >>{folder}/events\n')
        agent.chmod(0o755)
        self.environment = {
            "LD_LIBRARY_PATH": str(library),
            "FAKE_XENCTRL": str(self._file),
            "PATH": f"{program.parent}:{os.environ['PATH']}",
        }

    def create(self, *, pauses: int = 0) -> None:
        """A guest that runs, unless it is paused so often."""
        self.guest = begun(self._ran, is_paused=bool(pauses))
        self.sets(number=NUMBER, pauses=pauses, flags=0, guest=self.guest.pid)

    def wake(self) -> None:
        """As xl does with one that it has created paused."""
        assert self.guest is not None
        self.sets(pauses=0)
        self.guest.send_signal(signal.SIGCONT)

    def sets(self, **fields: int) -> None:
        """Some of number, pauses, flags, guest, fails, the error number of each call from now on."""
        names = ("number", "pauses", "flags", "guest", "fails")
        held = dict(zip(names, LAYOUT.unpack(self._file.read_bytes()), strict=True)) | fields
        write(self._file, *(held[name] for name in names))

    @property
    def pauses(self) -> int:
        return int(LAYOUT.unpack(self._file.read_bytes())[1])

    @property
    def is_there(self) -> bool:
        return bool(LAYOUT.unpack(self._file.read_bytes())[0])

    def calls(self) -> list[tuple[int, str]]:
        """Time (CLOCK_BOOTTIME, ns) and name of each that changed something."""
        path = Path(f"{self._file}.calls")
        lines = path.read_text().splitlines() if path.exists() else []
        return [(int(line.split()[0]), line.split()[1]) for line in lines]

    def ran(self) -> list[int]:
        """When the guest ran, in ns of CLOCK_BOOTTIME."""
        stamps = self._ran.read_bytes() if self._ran.exists() else b""
        return [stamp for (stamp,) in struct.iter_unpack("q", stamps[: len(stamps) // 8 * 8])]

    def stood_still(self, least_s: float = 0.1) -> Iterator[tuple[int, int]]:
        """From when to when it did, for so long at least."""
        yield from ((last, then) for last, then in pairwise(self.ran()) if then - last > least_s * NS_PER_S)

    def events(self) -> str:
        path = self.folder / "events"
        return path.read_text() if path.exists() else ""

    def close(self) -> None:
        if self.guest is not None:
            self.guest.kill()
            self.guest.wait()


def begun(ran: Path, *, is_paused: bool) -> "subprocess.Popen[bytes]":
    """A guest; one that is paused has stopped itself before it ran, however slow the machine is."""
    command = [sys.executable, "-S", "-c", GUEST, str(ran), *(["paused"] if is_paused else [])]
    null = subprocess.DEVNULL
    guest = subprocess.Popen(command, stdin=null, stdout=null, stderr=null)
    if is_paused:
        os.waitid(os.P_PID, guest.pid, os.WSTOPPED)
    return guest


def build(folder: Path) -> Path:
    """The folder in which libxenctrl is the stand-in."""
    there = ctypes.util.find_library("xenctrl")
    assert there, "libxen-dev is missing: make test installs it"
    compile_library(folder / there, SOURCE)
    return folder


def write(file: Path, *fields: int) -> None:
    """In place: others have it in their memory."""
    with file.open("r+b") as there:
        there.write(LAYOUT.pack(*fields))


def xl(file: Path, name: str, words: list[str]) -> int:
    """`xl list` and `xl destroy NUMBER`."""
    number, *_, guest, _ = LAYOUT.unpack(file.read_bytes())
    if words == ["list"]:
        print("Name                                        ID   Mem VCPUs\tState\tTime(s)")
        print("Domain-0                                     0   128     1     r-----       1.5")
        if number:
            print(f"{name}   {number}   128     1     r-----       1.5")
        return 0
    if words == ["destroy", str(number)]:
        os.kill(guest, signal.SIGKILL)
        write(file, 0, 0, 0, 0, 0)
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(xl(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
