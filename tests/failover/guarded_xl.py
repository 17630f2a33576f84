"""A stand-in for `xl` on a host whose guest's pauses are counted (fake_xenctrl.py): in, its words; out, both agree.

The one domain is called $FAKE_NAME, and has number 1.
"""

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.failover import fake_xl
from tests.failover.fake_xenctrl import LAYOUT, begun, write

XEN, NAME, NUMBER = Path(os.environ["FAKE_XENCTRL"]), os.environ["FAKE_NAME"], 1


def destroy() -> int:
    number, *_, guest, _ = LAYOUT.unpack(XEN.read_bytes())
    if number:
        os.kill(guest, signal.SIGKILL)
    write(XEN, 0, 0, 0, 0, 0)
    return fake_xl.destroy(NAME)


def create() -> int:
    """Paused, as its builder leaves it; a file says that it fails, or takes until that is gone."""
    policies = [os.sched_getscheduler(pid) for pid in (os.getppid(), 0)]
    (fake_xl.XEN / "creates").write_text(" ".join(map(str, policies)))
    if (fake_xl.XEN / "no-create").exists():
        return 1
    while (fake_xl.XEN / "slow-create").exists():
        time.sleep(fake_xl.PERIOD_S)
    guest = begun(XEN.parent / "ran", is_paused=True)
    write(XEN, NUMBER, 1, 0, guest.pid, 0)
    with fake_xl.changed() as there:
        there[NAME] = "--p---"
    return 0


def unpause() -> int:
    fake_xl.unpause(NUMBER)
    with fake_xl.changed() as there:
        there[NAME] = "-b----"
    return 0


def main(words: list[str]) -> int:
    match words:
        case ["destroy", which] if which in {NAME, str(NUMBER)}:
            return destroy()
        case ["create", "-p", path] if path == f"/etc/xen/{NAME}.cfg":
            return create()
        case ["unpause", which] if which == NAME:
            return unpause()
    return fake_xl.main(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
