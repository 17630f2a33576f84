"""Imitates `xentop -b -f -d N`: prints the iterations of a capture, each in one write, N seconds or one gate apart."""

import sys
import time
from pathlib import Path


def main() -> None:
    capture, gate, last, *options = sys.argv[1:]
    assert options[-2] == "-d"
    header, *iterations = Path(capture).read_text().split(HEADER_START)
    assert not header.strip()
    for iteration in iterations:
        sys.stdout.write(HEADER_START + iteration)
        sys.stdout.flush()
        if gate == "-":
            time.sleep(int(options[-1]))  # what xentop does between two iterations
        else:
            Path(gate).read_bytes()
    sys.exit(last)


HEADER_START = "      NAME  STATE "

if __name__ == "__main__":
    main()
