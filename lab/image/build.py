"""Building: in, the inputs in this folder; out, images of a, b and f, and the root of c and m, in the cache.

base (debootstrap) -> machine (a kernel) -> xen | nfs | plain, and base -> container: each a copy of the one before,
plus the packages in NAME.packages, the files in files/NAME and without the units in NAME.masked.
"""

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.commands import log_run, run
from lab.image import apt, grub, kernels
from lab.landscape import HOSTS, ROOT, SUITE, Instance
from lab.progress import say, step

_HERE: Final = Path(__file__).parent
_WHEELS: Final = {"xen": "base", "container": "predictor"}
_IMAGE_GIB: Final = 6  # sparse: a host can fill it, an image takes what is in it
_SECRET: Final = 0o600


@dataclass(frozen=True)
class Images:
    """Where the parts of one build are."""

    folder: Path

    def disk(self, kind: str) -> Path:
        """The raw image that machines of this kind start from."""
        return self.folder / f"{kind}.img"

    def boot(self, name: str) -> Path:
        """A kernel: xen, vmlinux, vmlinuz or initrd.img."""
        return self.folder / "boot" / name

    @property
    def root(self) -> Path:
        """The root file system of containers, never written to."""
        return self.folder / "container"

    @property
    def identity(self) -> Path:
        """The private key that opens every host."""
        return self.folder / "identity"

    @property
    def host_key(self) -> Path:
        """The public key that every host shows."""
        return self.folder / "host_key.pub"


def key() -> str:
    """Names a build by its inputs: this folder, Debian's suite, and the pinned requirements of hosts."""
    whole = hashlib.sha256(SUITE.encode())
    for path in sorted(_HERE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            whole.update(f"{path.relative_to(_HERE)} {len(content)}\n".encode() + content)
    for extras in ("", "predictor"):
        whole.update(run(sys.executable, ROOT / "scripts" / "wheels.py", "--marker", extras).encode())
    return whole.hexdigest()[:16]


def images(lab: Instance) -> Images:
    """The images for today's inputs, built unless the cache has them. Raises LabError."""
    done = Images(lab.cache / key())
    with _one_at_a_time(lab.cache):
        if done.folder.exists():
            return done
        with step("building images (about 2 min, once)"):
            scratch = lab.cache / ".building"
            run("rm", "-rf", scratch, timeout_s=120)
            scratch.mkdir(mode=0o700)
            _build(scratch)
            scratch.rename(done.folder)
    return done


@contextmanager
def _one_at_a_time(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another instance is building the images: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(out: Path) -> None:
    log = out / "build.log"
    run(sys.executable, ROOT / "scripts" / "wheels.py", timeout_s=600)
    _make_keys(out)
    base = _debootstrap(out, log)
    _layer(base, "base", log)
    container = _copy(base, "container", log)
    machine = _copy(base, "machine", log)
    xen, nfs, plain = (_copy(machine, name, log) for name in ("xen", "nfs", "plain"))
    (out / "boot").mkdir()
    kernels.collect(xen / "boot", out / "boot")
    grub.add_modules(plain)
    with step("images"):
        _make_disk(xen, out / "xen.img", log)
        _make_disk(nfs, out / "nfs.img", log)
        _make_disk(plain, out / "plain.img", log, start_sector=grub.PARTITION_SECTOR)
        grub.write(plain, out / "plain.img")
    _finish(container)
    for root in (base, machine, xen, nfs, plain):
        run("rm", "-rf", root, timeout_s=300)
    say(f"size of the images: {run('du', '-shc', *sorted(out.iterdir())).strip().replace(chr(10), ', ')}")


def _make_keys(out: Path) -> None:
    for name in ("identity", "host_key"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab-{name}", "-f", out / name)


def _debootstrap(out: Path, log: Path) -> Path:
    root, lines = out / "base", apt.sources(SUITE)
    with step(f"debootstrap of {SUITE}"):
        words = ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, f"{root}"]
        log_run(log, "unshare", "--mount", *words, apt.mirror(lines, SUITE))
    apt.configure(root, lines)
    return root


def _copy(below: Path, name: str, log: Path) -> Path:
    root = below.with_name(name)
    run("cp", "-a", "--reflink=auto", below, root, timeout_s=300)
    _layer(root, name, log)
    return root


def _layer(root: Path, name: str, log: Path) -> None:
    with step(f"packages of {name}"):
        _chroot(root, _HERE / "install", log, stdin=_HERE / f"{name}.packages")
    files = _HERE / "files" / name
    if files.exists():
        run("cp", "-r", f"{files}/.", root)
    if name == "base":
        _let_in(root)
    _quieten(root, name)
    if name in _WHEELS:
        with step(f"venv of {name}"):
            _chroot(root, _HERE / "venv", log, wheels=ROOT / "build" / "wheels" / _WHEELS[name])


def _chroot(root: Path, script: Path, log: Path, *, stdin: Path | None = None, wheels: Path | None = None) -> None:
    """Run a script in a root; its mounts are in a namespace of their own, so nothing is left however this ends."""
    shutil.copy(script, root / "root/script")
    mounts = f"mount --rbind /dev {root}/dev && mount -t proc proc {root}/proc"
    if wheels:
        (root / "wheels").mkdir()
        mounts += f" && mount --bind {wheels} {root}/wheels"
    inside = f"{mounts} && exec chroot {root} /root/script"
    log_run(log, "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", inside, stdin=stdin)
    (root / "root/script").unlink()
    if wheels:
        (root / "wheels").rmdir()


def _let_in(root: Path) -> None:
    """Every host lets in who has the instance's key, and shows the key that the others know."""
    out, ssh = root.parent, root / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    (ssh / "authorized_keys").write_bytes((out / "identity.pub").read_bytes())
    for old in (root / "etc/ssh").glob("ssh_host_*"):
        old.unlink()
    for name, target in (("host_key", "ssh_host_ed25519_key"), ("host_key.pub", "ssh_host_ed25519_key.pub")):
        shutil.copy(out / name, root / "etc/ssh" / target)
    (root / "etc/ssh/ssh_host_ed25519_key").chmod(_SECRET)
    names = "".join(f"{host.address} {host.name}\n" for host in HOSTS.values())
    (root / "etc/ssh/ssh_known_hosts").write_text(f"* {(out / 'host_key.pub').read_text()}")
    (root / "etc/hosts.lab").write_text(f"127.0.0.1 localhost\n::1 localhost\n{names}")


def _quieten(root: Path, name: str) -> None:
    """Mask what costs seconds of an emulated boot, and minutes of idle time, and serves nobody here."""
    masked = _HERE / f"{name}.masked"
    for unit in masked.read_text().split() if masked.exists() else ():
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")


def _finish(root: Path) -> None:
    """Take away what only the building needed, and what tells one host from another."""
    (root / "etc/hosts.lab").rename(root / "etc/hosts")
    for name in ("etc/resolv.conf", "etc/hostname"):
        (root / name).unlink(missing_ok=True)
    (root / "etc/machine-id").write_text("")
    for name in ("usr/share/doc", "usr/share/man", "usr/share/locale"):
        run("rm", "-rf", root / name)


def _make_disk(root: Path, image: Path, log: Path, start_sector: int = 0) -> None:
    """A root as an ext4 image, after `start_sector` empty sectors."""
    _finish(root)
    with image.open("wb") as file:
        file.truncate(_IMAGE_GIB << 30)
    start = start_sector * grub.SECTOR_BYTES
    extended = f"root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1,nodiscard,offset={start}"
    size = f"{((_IMAGE_GIB << 30) - start) >> 10}k"
    options = ["-E", extended, "-m", "0", "-J", "size=32", "-d", f"{root}"]
    log_run(log, "mke2fs", "-q", "-F", "-t", "ext4", *options, image, size)
