"""What figures depend on besides the code: out, the machine and the interpreter, as JSON can hold them."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil


def machine() -> dict[str, Any]:
    """The machine and the software on it."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "threads": os.environ.get("OPENBLAS_NUM_THREADS"),
        # decides how often the agent has to read the pacers' reports
        "max_dgram_qlen": int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text(encoding="ascii")),
    }


def load() -> float:
    """How many processes wanted to run in the last minute: with more than the cores, figures are of a busy machine."""
    return os.getloadavg()[0]


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
