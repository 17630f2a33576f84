from pathlib import Path

import pytest

from lab.acceleration import TCG, accelerator, boots, cpu
from lab.image.build import Images
from lab.landscape import Instance

DISTRUSTED = "echo 'Linux version 6.1.0'"  # a /dev/kvm that opens, and stops after the first line
PROVEN = "echo '(XEN) HVM: Hardware Assisted Paging (HAP) detected'; echo 'Run /init as init process'; exec sleep 60"


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, says: str) -> None:
    """A QEMU whose machine says this on its serial line."""
    program = folder / "qemu-system-x86_64"
    program.write_text(f"""#!/bin/sh
while [ "$1" != -serial ]; do shift; done
{{ {says}; }} >"${{2#file:}}"
""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_trusts_what_was_seen_to_boot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, PROVEN)
    assert boots(Images(tmp_path), "kvm", timeout_s=5)


@pytest.mark.parametrize("says", [DISTRUSTED, f"{DISTRUSTED}; exec sleep 60"])
def test_emulates_where_nothing_boots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str) -> None:
    pretend(monkeypatch, tmp_path, says)
    assert not boots(Images(tmp_path), "kvm", timeout_s=0.5)


def test_asks_once_an_instance(tmp_path: Path) -> None:
    lab = Instance("x", state=tmp_path, run=tmp_path, cache=tmp_path)
    (tmp_path / "accelerator").write_text(TCG)
    assert accelerator(lab, Images(tmp_path)) == TCG


def test_only_xen_needs_nested_paging() -> None:
    assert "+npt" in cpu(TCG, xen=True)
    assert "+npt" not in cpu(TCG, xen=False)
