import io
import subprocess

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
