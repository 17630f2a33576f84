"""Clocks of hosts: in, a host; out, how far its wall clock is from this machine's."""

import subprocess
import time

from lab import remote
from lab.errors import LabError
from lab.landscape import Host, Instance

_TIMES = 20
_PROGRAM = f"import time\nfor _ in range({_TIMES}):\n print(time.time_ns(), flush=True)\n time.sleep(0.05)"


def ahead_ns(lab: Instance, host: Host) -> int:
    """How far the host's clock is ahead; too little by the quickest line's way here, some milliseconds."""
    words = remote.ssh(lab, host, f"python3 -u -c '{_PROGRAM}'")
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        ahead = [int(line) - time.time_ns() for line in child.stdout]
    if not ahead:
        raise LabError(f"{host.name} did not tell its time")
    return max(ahead)
