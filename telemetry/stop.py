"""Being told to stop: in, SIGTERM or Ctrl-C at any moment; out, a wait that ends early, so that work ends in order."""

import queue
import signal
from collections.abc import Callable


def stop_signals() -> Callable[[float | None], bool]:
    """Take SIGTERM and SIGINT over, for what waits so many seconds (None: for ever) and says whether one has come.

    A queue of this kind, unlike an Event, may be used by a handler at any moment. `sigtimedwait` would not do: Python's
    answers as if a signal had come where the process was suspended until after the end of the wait.
    """
    told: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda n, _: told.put(n))

    def wait(limit_s: float | None) -> bool:
        try:
            told.get(timeout=limit_s)
        except queue.Empty:
            return False
        return True

    return wait
