"""The fence, killed by kill -9 before its n-th act that may leave a trace: a file opened to write, a command ..."""

import os
import signal
import sys
from typing import Any

from fence.__main__ import main

_ACTS = {"os.remove", "os.rename", "subprocess.Popen", "fcntl.flock"}


def run(nth: int, words: list[str]) -> int:
    acts = 0

    def see(event: str, details: tuple[Any, ...]) -> None:
        nonlocal acts
        if event in _ACTS or (event == "open" and details[2] & (os.O_WRONLY | os.O_RDWR)):
            acts += 1
            if acts == nth:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(see)
    return main(words)


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), sys.argv[2:]))
