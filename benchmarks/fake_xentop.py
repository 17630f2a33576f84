"""Imitates `xentop -b -f -d N`: in, a capture of the real one and how many domains; out, iterations without end."""

import sys
import time
from pathlib import Path
from typing import Final

_MOVING: Final = {"CPU(sec)": 1, "NETTX(k)": 40, "NETRX(k)": 200, "VBD_RD": 3, "VBD_WR": 12}
"""By how much the counters of a domain grow in a second."""


def main() -> None:
    """Print an iteration every N seconds."""
    capture, domains, *options = sys.argv[1:]
    header, domain_0, *rows = Path(capture).read_text(encoding="ascii").splitlines()
    row = dict(zip(header.split(), rows[0].split(), strict=True))
    period_s = int(options[options.index("-d") + 1])
    began_s = time.monotonic()
    for n in range(sys.maxsize):
        moved = row | {name: str(int(row[name]) + n * step) for name, step in _MOVING.items()}
        guests = (" ".join((moved | {"NAME": f"guest-{domain:03d}"}).values()) for domain in range(int(domains)))
        sys.stdout.write("\n".join([header, domain_0, *guests, ""]))
        sys.stdout.flush()
        time.sleep(max(0.0, began_s + (n + 1) * period_s - time.monotonic()))


if __name__ == "__main__":
    main()
