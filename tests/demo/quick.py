"""A demo that disturbs at once and lightly, for tests: in, its folder; out, a demo to be stopped."""

import sys
from dataclasses import replace

from demo.__main__ import main
from demo.timeline import PLAN, Disturbance, Load, Stage

QUICK = replace(
    PLAN,
    learning_s=1,
    first=Disturbance(ramp_s=60, peak_s=1, stages=(Stage(0, Load(cpu=0.02, disk=1)),)),
)

if __name__ == "__main__":
    sys.exit(main(["--folder", sys.argv[1]], QUICK))
