import io
import os
import subprocess
from contextlib import suppress

from failover import chatter

SAID = b"""\
migration target: Ready to receive domain.
Loading new save file <incoming migration stream> (new xl fmt info 0x3/0x0/1506)
 Savefile contains xl domain config in JSON format
Parsing config from <saved>
xc: info: Found x86 HVM domain from Xen 4.17
xc: info: Restoring domain
xc: info: All records buffered
xc: info: All records processed
xc: error: Failed to read Record Header from stream (0 = Success): Internal error
and a last line that does not end"""


def test_all_but_the_lines_of_every_checkpoint_is_passed_on() -> None:
    child = subprocess.Popen(["printf", "%s", SAID.decode()], stdout=subprocess.PIPE)
    assert child.stdout is not None
    sink = io.BytesIO()
    chatter.relay(child.stdout, sink).join()
    child.wait()
    assert sink.getvalue().splitlines() == [line for line in SAID.splitlines() if b"All records" not in line]
    assert child.stdout.closed


def test_xl_may_go_on_talking_where_nobody_hears_it() -> None:
    """As while the journal is away: xl would stop, and the copy with it."""

    child = subprocess.Popen(["seq", "100000"], stdout=subprocess.PIPE)
    assert child.stdout is not None
    reading, writing = os.pipe()
    os.close(reading)
    with suppress(BrokenPipeError), os.fdopen(writing, "wb") as sink:
        chatter.relay(child.stdout, sink).join()
    assert child.wait() == 0
