"""The command: in, the words of an operator or of a Xen host's ssh; out, one line of JSON and an exit status.

An operator, as root on the server: `check`, `restore`, `show [GUEST]`, `give GUEST HOST EPOCH`,
`forget GUEST --epoch N`.
A Xen host, by its key's forced command `hefery-fence --from HOST`: `show GUEST` and `give GUEST HOST EPOCH`, itself;
`serve` for a session of such calls.
`--settings FILE` before all this names another configuration.
Status: 0 done, 1 failed (call again), 3 refused (for good).
"""

import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from fence import fence, session
from fence.errors import Failed, Refused
from fence.settings import BadSettings, Settings, load

_SETTINGS: Final = Path("/etc/hefery/fence.json")
_EPOCH: Final = re.compile(r"[1-9][0-9]{0,17}")
_STATUS: Final = {"done": 0, "failed": 1, "refused": 3}

Obey = Callable[[Settings, Sequence[str]], dict[str, Any]]


def main(words: Sequence[str]) -> int:
    """Judge the words, do what they say, answer."""
    path = _SETTINGS
    match words:
        case ["--settings", other, *words]:
            path = Path(other)
    obey: Obey = _obey
    match words:
        case ["--from", host]:
            obey, words = partial(_obey_host, host), os.environ.get("SSH_ORIGINAL_COMMAND", "").split(" ")
            if words == ["serve"]:
                session.serve(sys.stdin, sys.stdout, partial(_answer, path, obey))
                return 0
    answer = _answer(path, obey, words)
    print(json.dumps(answer), flush=True)
    return _STATUS[answer["answer"]]


def _answer(path: Path, obey: Obey, words: Sequence[str]) -> dict[str, Any]:
    try:
        return {"answer": "done", **obey(load(path), words)}
    except Refused as refusal:
        return {"answer": "refused", "reason": str(refusal)}
    except (Failed, BadSettings, OSError) as failure:
        return {"answer": "failed", "reason": str(failure)}


def _obey(settings: Settings, words: Sequence[str]) -> dict[str, Any]:
    match words:
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


def _obey_host(host: str, settings: Settings, words: Sequence[str]) -> dict[str, Any]:
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
