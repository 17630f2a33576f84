"""A collector that runs in a thread of its own: in, what it emits into; out, its end with the block."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from agent.collector import Collector, Emit


@contextmanager
def running(collector: Collector, emit: Emit) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=collector.run, args=(emit, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5.0)
        assert not thread.is_alive()
