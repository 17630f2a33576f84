import gzip
import lzma
import struct
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.image.kernels import collect, unpack_linux

ELF = b"\x7fELF" + bytes(range(256)) * 500


def bz_image(payload: bytes, setup_sectors: int = 4) -> bytes:
    """The parts of Linux's x86 boot protocol (2.08) that say where the kernel is."""
    header = bytearray((setup_sectors + 1) * 512 + 100)
    header[0x1F1] = setup_sectors
    struct.pack_into("<II", header, 0x248, 100, len(payload))
    return bytes(header) + payload + b"bss"


@pytest.mark.parametrize("setup_sectors", [4, 27])
@pytest.mark.parametrize("compress", [lzma.compress, gzip.compress])
def test_unpacks_what_debian_packs(compress: type, setup_sectors: int) -> None:
    size = struct.pack("<I", len(ELF))  # the kernel's build adds it
    assert unpack_linux(bz_image(compress(ELF) + size, setup_sectors)) == ELF


def test_refuses_another_compression() -> None:
    with pytest.raises(LabError, match="compressed in a way"):
        unpack_linux(bz_image(b"\x28\xb5\x2f\xfd zstd"))


def test_collects_kernels_and_not_their_links(tmp_path: Path) -> None:
    boot, out = tmp_path / "boot", tmp_path / "out"
    boot.mkdir()
    out.mkdir()
    (boot / "vmlinuz-6.1.0-1-amd64").write_bytes(bz_image(gzip.compress(ELF)))
    (boot / "initrd.img-6.1.0-1-amd64").write_bytes(b"initrd")
    (boot / "xen-4.17-amd64.gz").write_bytes(gzip.compress(b"xen"))
    (boot / "xen.gz").symlink_to("xen-4.17-amd64.gz")
    (boot / "xen-4.17.gz").symlink_to("nowhere")
    collect(boot, out)
    assert {path.name: path.read_bytes()[:6] for path in out.iterdir()} == {
        "vmlinuz": bytes(6),
        "vmlinux": ELF[:6],
        "initrd.img": b"initrd",
        "xen": b"xen",
    }


def test_says_that_there_is_no_kernel(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"no vmlinuz-\* in"):
        collect(tmp_path, tmp_path)
