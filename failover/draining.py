"""Writes of an old copy that may still be under way (A2): in, a guest; out, nothing, or the device that has its disk.

A write that waits in dom0 would reach the disk once that is this host's again. Where the loop device of the guest's
image is gone, each has been done, or has failed for good.
"""

import errno
import logging
import re
from pathlib import Path
from typing import Final

from failover.errors import FailoverError

_log = logging.getLogger(__name__)

_CONFIGS: Final = Path("/etc/xen")
_DEVICES: Final = Path("/sys/block")
_TARGET: Final = re.compile(r"""target=([^\s,"'\]]+)""")
"""As xl-disk-configuration(5) names an image or a device."""
_DELETED: Final = " (deleted)"
"""Linux says this of an image that is not there any more."""


class NotDrained(FailoverError):
    """An old copy's disk is open here; the text names the device, and the remedy."""


def check(guest: str, configs: Path = _CONFIGS, devices: Path = _DEVICES) -> None:
    """Raises NotDrained. A device of its own instead of an image is its storage's to drain."""
    try:
        text = (configs / f"{guest}.cfg").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        _log.warning("%s: nobody can tell whether its disk is open here: %s", guest, error)
        return
    images = {str(Path(target).resolve()) for target in _TARGET.findall(text)}
    for file in sorted(devices.glob("loop*/loop/backing_file")):
        if _image_of(file) in images:
            device = f"/dev/{file.parent.parent.name}"
            raise NotDrained(
                f"{guest}: {device} still has its disk open here, so that an old copy's writes may be under way: see "
                f"that the guest does not run here, then losetup --detach {device}"
            )


def _image_of(file: Path) -> str | None:
    """A loop device's; None where it has been detached meanwhile."""
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").rstrip("\n").removesuffix(_DELETED)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV):  # detached before, or while it was opened (sysfs)
            raise
        return None
