"""The kernel's NFS server: in, whom a guest's disk is exported to, and whose connections to cut; out, it is done."""

import ipaddress
import subprocess
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Final

from fence.errors import Failed
from fence.locks import locked
from fence.record import replace
from fence.settings import Settings

_NAMESPACE: Final = uuid.UUID("5f0c2c3e-4f0e-4a63-9a0b-3c9a7f0f6f1d")
_OPTIONS: Final = "sync,no_root_squash,no_subtree_check"
"""Without `mountpoint`: to mountd a view of the same file system is none, and it would not be exported."""


def export(settings: Settings, guest: str, owner: str | None, lock: int) -> None:
    """Each host its own view of the disk, its owner to write, all others to read; drops what the kernel remembers.

    Each has an fsid of its own, so that a host's file handles lead nowhere else. Raises Failed.
    """
    lines = [_line(settings, guest, host, "rw" if host == owner else "ro") for host in settings.hosts]
    # all exports are read and written as one
    with locked(settings.state_path / "exports.lock", settings.limit_s) as exports_lock:
        replace(settings.exports_path / f"hefery-{guest}.exports", "".join(lines))
        done = subprocess.run(
            ["exportfs", "-r"], pass_fds=[lock, exports_lock], capture_output=True, text=True, check=False
        )
    _refuse_bypasses(settings)
    # its status tells of all exports: what counts is whether these are as they should be
    expected = {owner} - {None}
    if (writers := exported_writable(settings, guest)) != expected:
        complaint = " ".join(done.stderr.split())
        raise Failed(f"exportfs lets {sorted(writers)} write {guest}, not {owner}: {complaint}")


def exported_writable(settings: Settings, guest: str) -> set[str]:
    """The hosts that the table of exports lets write."""
    return {
        host
        for host in settings.hosts
        for path, client in _table(settings)
        if path == settings.view(host, guest) and "(rw," in client
    }


def cut(settings: Settings, host: str) -> None:
    """End all that `host` has with the server: its sessions, its open files, after the requests that are under way.

    Linux waits for those itself (force_expire_client in fs/nfsd/nfs4state.c). The host's other guests open their disks
    anew, unnoticed but for some milliseconds.
    """
    address = ipaddress.ip_address(settings.hosts[host])
    for client in sorted(settings.nfsd_path.glob("clients/[0-9]*")):
        with suppress(OSError, ValueError):  # it has gone by itself; if it has not, the view tells
            if _address(client / "info") == address:
                (client / "ctl").write_text("expire\n", encoding="ascii")


def _refuse_bypasses(settings: Settings) -> None:
    """An export of the images themselves would let its hosts write past the fence; raises Failed."""
    for path, client in _table(settings):
        images = settings.images_path
        overlaps = path.is_relative_to(images) or images.is_relative_to(path)
        if overlaps and "(rw," in client:
            raise Failed(f"{path} is exported to {client.partition('(')[0]} past the fence: export it no more")


def _table(settings: Settings) -> list[tuple[Path, str]]:
    """Of lines such as `/srv/x<tab>192.0.2.11(rw,sync,...)`."""
    text = settings.etab_path.read_text(encoding="utf-8", errors="surrogateescape")
    rows = [line.partition("\t") for line in text.split("\n") if line]
    return [(Path(path), client) for path, _, client in rows]


def _address(info: Path) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Of a line such as `address: "192.0.2.11:695"`."""
    for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("address: "):
            text = line.removeprefix("address: ").strip('"').rpartition(":")[0].strip("[]")
            return ipaddress.ip_address(text)
    return None


def _line(settings: Settings, guest: str, host: str, access: str) -> str:
    fsid = uuid.uuid5(_NAMESPACE, f"{host}/{guest}")
    return f"{settings.view(host, guest)} {settings.hosts[host]}({access},{_OPTIONS},fsid={fsid})\n"
