"""What `xl` has no word for: in, a domain's number; out, the domain going on after a suspension that nobody ended."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from failover.errors import FailoverError

_LIMIT_S: Final = 60.0
_PROGRAM: Final = Path(__file__).with_name("libxl_resume.py")


class LibxlError(FailoverError):
    """libxl is not there, or has failed."""


def resume(number: int) -> None:
    """Do what `xl remus` does at its end, for where it was killed; raises LibxlError.

    In a process of its own: a fault of the C library ends that alone, and it has no part of the caller's LD_PRELOAD.
    """
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    command = (sys.executable, str(_PROGRAM), str(number))
    try:
        subprocess.run(command, env=environment, timeout=_LIMIT_S, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise LibxlError(f"domain {number} cannot be resumed: {error}: {error.stderr}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LibxlError(f"domain {number} cannot be resumed: {error}") from error
