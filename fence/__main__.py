"""The command: in, the words of an operator or of a Xen host's ssh; out, one line of JSON and an exit status.

An operator, as root on the server: `check`, `restore`, `show [GUEST]`, `give GUEST HOST EPOCH`,
`forget GUEST --epoch N`.
A Xen host, by its key's forced command `hefery-fence --from HOST`: `show GUEST` and `give GUEST HOST EPOCH`, itself.
`--settings FILE` before all this names another configuration.
Status: 0 done, 1 failed (call again), 3 refused (for good).
"""

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fence import fence
from fence.errors import Failed, Refused
from fence.settings import BadSettings, Settings, load

_SETTINGS: Final = Path("/etc/hefery/fence.json")
_EPOCH: Final = re.compile(r"[1-9][0-9]{0,17}")
_FAILED, _REFUSED = 1, 3


def main(words: Sequence[str]) -> int:
    """Judge the words, do what they say, answer."""
    path = _SETTINGS
    match words:
        case ["--settings", other, *words]:
            path = Path(other)
    try:
        answer, status = {"answer": "done", **_obey(load(path), words)}, 0
    except Refused as refusal:
        answer, status = {"answer": "refused", "reason": str(refusal)}, _REFUSED
    except (Failed, BadSettings, OSError) as failure:
        answer, status = {"answer": "failed", "reason": str(failure)}, _FAILED
    print(json.dumps(answer), flush=True)
    return status


def _obey(settings: Settings, words: Sequence[str]) -> dict[str, Any]:
    match words:
        case ["--from", host]:
            return _obey_host(settings, host, os.environ.get("SSH_ORIGINAL_COMMAND", "").split(" "))
        case ["check"]:
            return {}
        case ["restore"]:
            fence.restore(settings)
            return {}
        case ["show"]:
            return {"guests": {guest: fence.show(settings, guest) for guest in settings.guests}}
        case ["forget", guest, "--epoch", epoch]:
            fence.forget(settings, _guest(settings, guest), _epoch(epoch))
            return {"guest": guest}
        case _:
            return _obey_anyone(settings, words)


def _obey_host(settings: Settings, host: str, words: Sequence[str]) -> dict[str, Any]:
    match words:
        case ["give", _, other, _] if other != host:
            raise Refused(f"this key is {host}'s, who takes the disk for nobody else")
    return _obey_anyone(settings, words)


def _obey_anyone(settings: Settings, words: Sequence[str]) -> dict[str, Any]:
    match words:
        case ["show", guest]:
            return {"guest": guest, **fence.show(settings, _guest(settings, guest))}
        case ["give", guest, host, epoch]:
            if host not in settings.hosts:
                raise Refused(f"no host is named {host!r} in the fence's configuration")
            fence.give(settings, _guest(settings, guest), host, _epoch(epoch))
            return {"guest": guest, "host": host, "epoch": int(epoch)}
        case _:
            raise Refused("not understood: the words are `show GUEST` and `give GUEST HOST EPOCH`")


def _guest(settings: Settings, guest: str) -> str:
    if guest not in settings.guests:
        raise Refused(f"no guest is named {guest!r} in the fence's configuration")
    return guest


def _epoch(text: str) -> int:
    if not _EPOCH.fullmatch(text):
        raise Refused(f"{text!r} is no epoch: it is a number from 1 to 10^18 - 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
