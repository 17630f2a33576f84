"""A transport in a network of its own: in, a folder and the stream; out, told of as `hefery-remus send` does, its peer.

SIGUSR1 takes the network down, and makes a file `down`; SIGUSR2 takes it up. While a file `take-nothing` is in the
folder nothing is read of the stream.
"""

import fcntl
import os
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Final

_SIOCSIFFLAGS: Final = 0x8914  # netdevice(7)
_UP: Final = 0x1 | 0x40


def set_up(flags: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))


def read_all(peer: socket.socket) -> None:
    while peer.recv(1 << 16):
        pass


def main(folder: Path) -> None:
    def go_down(*_: object) -> None:
        set_up(0)
        (folder / "down").touch()

    parent = os.getppid()
    signal.signal(signal.SIGUSR1, go_down)
    signal.signal(signal.SIGUSR2, lambda *_: set_up(_UP))
    set_up(_UP)
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
    threading.Thread(target=read_all, args=(peer,), daemon=True).start()
    new = folder / "stream.new"
    new.write_text(f"{os.getpid()} {connection.fileno()}\n")
    new.rename(folder / "stream")
    while True:
        while (folder / "take-nothing").exists() and os.getppid() == parent:
            time.sleep(0.005)
        if not (part := os.read(0, 1 << 16)):
            return
        connection.sendall(part)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
