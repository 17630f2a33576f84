"""The command `python -m lab.trials`, which `python -m lab test` calls."""

import sys

from lab.trials.cli import main

sys.exit(main())
