"""Acceleration: in, this machine; out, the QEMU accelerator that was seen to boot the hosts' kernel here."""

from typing import Final

TCG: Final = "tcg,thread=multi,tb-size=256"


def accelerator() -> str:
    """What QEMU is to use."""
    return TCG
