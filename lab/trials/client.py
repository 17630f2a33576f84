"""A client of the guest's server: in, its address; out, a line an answer, until ended.

usage: python -m lab.trials.client ADDRESS [PATH]      (format: lab.trials.sightings; PATH: asked for once, printed)
"""

import asyncio
import re
import sys
import time
from contextlib import suppress
from typing import Final

from lab.trials.sightings import Answer

EVERY_S: Final = 0.1
PATIENCE_S: Final = 1.0
"""With a request every 0.1 s, at most ten wait at a time: fewer than the server has places."""
ONCE_S: Final = 20.0
_PORT: Final = 80
_BODY: Final = re.compile(rb"counter=([0-9]{1,19}) requests=[0-9]+ boot=([0-9a-z]{1,16}) ")


def answer(asked_ns: int, answered_ns: int, reply: bytes) -> Answer | None:
    """What a reply says; None where it is none of the guest's."""
    body = _BODY.search(reply)
    return None if body is None else Answer(asked_ns, answered_ns, int(body[1]), body[2].decode())


async def ask(address: str, path: str = "/", port: int = _PORT) -> bytes:
    """The whole reply to one request, over a connection of its own. Raises OSError."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
        return await reader.read()
    finally:
        writer.close()


async def _ask_once(address: str) -> None:
    asked_ns = time.time_ns()
    with suppress(OSError, TimeoutError):
        reply = await asyncio.wait_for(ask(address), PATIENCE_S)
        if said := answer(asked_ns, time.time_ns(), reply):
            sys.stdout.write(said.line())
            sys.stdout.flush()


async def keep_asking(address: str) -> None:
    """Ask again and again, whether or not the one before was answered: a slow guest is asked as often, too."""
    under_way: set[asyncio.Task[None]] = set()
    sys.stderr.write("asking\n")
    while True:
        task = asyncio.create_task(_ask_once(address))
        under_way.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(under_way.discard)
        await asyncio.sleep(EVERY_S)


async def main(address: str, path: str | None = None) -> None:
    """Ask again and again, or once for `path` and print the reply."""
    if path is None:
        await keep_asking(address)
    else:
        sys.stdout.write((await asyncio.wait_for(ask(address, path), ONCE_S)).decode())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
