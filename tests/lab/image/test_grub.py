from pathlib import Path

import pytest

from lab.commands import run
from lab.errors import LabError
from lab.image.grub import PARTITION_SECTOR, add_modules, head

BOOT = bytes(range(256)) * 2
SECTORS = 6 << 21


def test_partx_finds_one_active_partition_up_to_the_end(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.write(head(BOOT, b"core", SECTORS))
        file.truncate(SECTORS * 512)
    shown = run("partx", "--show", "--noheadings", "--output", "NR,START,SECTORS,SCHEME,TYPE,FLAGS", disk)
    size = f"{SECTORS - PARTITION_SECTOR}"
    assert [line.split() for line in shown.splitlines()] == [["1", f"{PARTITION_SECTOR}", size, "dos", "0x83", "0x80"]]


def test_the_first_sector_is_boot_code_and_the_next_is_grub() -> None:
    disk = head(BOOT, b"core", SECTORS)
    assert disk[:440] == BOOT[:440]
    assert disk[512:] == b"core"


def test_refuses_a_grub_that_would_reach_into_the_partition() -> None:
    room = (PARTITION_SECTOR - 1) * 512
    assert len(head(BOOT, bytes(room), SECTORS)) == PARTITION_SECTOR * 512
    with pytest.raises(LabError, match="does not fit"):
        head(BOOT, bytes(room + 1), SECTORS)


def test_modules_are_where_the_menu_looks_for_them(tmp_path: Path) -> None:
    source = tmp_path / "usr/lib/grub/i386-pc"
    source.mkdir(parents=True)
    for name in ("test.mod", "command.lst", "boot.img"):
        (source / name).write_text(name)
    add_modules(tmp_path)
    found = {path.name: path.read_text() for path in (tmp_path / "boot/grub/i386-pc").iterdir()}
    assert found == {"test.mod": "test.mod", "command.lst": "command.lst"}
