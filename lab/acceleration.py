"""Acceleration: in, this machine and the images; out, the QEMU accelerator that was seen to boot Xen here."""

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from lab.image.build import Images
from lab.landscape import Instance
from lab.progress import say

TCG: Final = "tcg,thread=multi,tb-size=256"
KVM: Final = "kvm"
_TRIAL_S: Final = 10
_PROOFS: Final = ("Hardware Assisted Paging (HAP) detected", "as init process")
"""What Xen says when it can run PVH guests, and what its dom0 says last before its own programs begin."""


def accelerator(lab: Instance, built: Images) -> str:
    """What QEMU is to use here: KVM where a trial boot proved it, else emulation; tried once an instance."""
    note = lab.state / "accelerator"
    if not note.exists():
        proven = Path("/dev/kvm").exists() and boots(built, KVM)
        if not proven:
            say("no acceleration that boots Xen here: emulating")
        note.write_text(KVM if proven else TCG)
    return note.read_text()


def boots(built: Images, accelerator: str, timeout_s: float = _TRIAL_S) -> bool:
    """Whether Xen and its dom0's kernel start with an accelerator. A device that opens proves nothing."""
    with tempfile.NamedTemporaryFile(prefix="hefery-trial-") as serial:
        words = [
            *("qemu-system-x86_64", "-machine", "pc", "-nodefaults", "-display", "none", "-no-reboot", "-m", "1024"),
            *("-accel", accelerator, "-cpu", cpu(accelerator, xen=True), "-serial", f"file:{serial.name}"),
            *("-kernel", f"{built.boot('xen')}", "-append", "placeholder console=com1 loglvl=all dom0_mem=512M"),
            *("-initrd", f"{built.boot('vmlinux')} console=hvc0,{built.boot('initrd.img')}"),
        ]
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as trial:
            try:
                return _proven(trial, Path(serial.name), time.monotonic() + timeout_s)
            finally:
                trial.kill()


def cpu(accelerator: str, *, xen: bool) -> str:
    """The CPU model. With nested paging Xen has HAP, and HAP logs dirty pages, as Remus needs of a PVH guest."""
    if accelerator == KVM:
        return "host"
    emulated = "qemu64,+rdrand,+ssse3,+sse4.1,+sse4.2,+popcnt,+aes,+pclmulqdq"
    return f"{emulated},+svm,+npt,+vgif" if xen else emulated


def _proven(trial: subprocess.Popen[bytes], serial: Path, deadline: float) -> bool:
    while time.monotonic() < deadline and trial.poll() is None:
        said = serial.read_text(errors="replace")
        if all(proof in said for proof in _PROOFS):
            return True
        time.sleep(0.1)
    return False
