"""Small simulated recordings of both kinds, in memory and as files."""

import csv
import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from predictor.evaluation.recordings import HISTORY_MINUTES, METRICS, Recording

MINUTES = 100
INJECTED = 70
FAILED_FROM = MINUTES - 5
FAILING_DOMAINS = (1, 4)
_CALM = np.array([0.3, 0.5, 2e6, 0.05])
_NOISE = np.array([0.03, 0.01, 2e5, 0.01])


def run(seed: int, minutes: int = MINUTES, n_domains: int = 7) -> Recording:
    """A run at whose end two domains fail, of memory that leaks since the injection."""
    values = _calm(seed, minutes, n_domains)
    health = np.zeros((minutes, n_domains), dtype=np.int64)
    growth = np.clip((np.arange(minutes) - INJECTED) / (minutes - INJECTED), 0, 1)
    for domain in FAILING_DOMAINS:
        values[:, domain, 0] += 0.3 * growth
        values[:, domain, 1] += 0.3 * growth
    health[INJECTED:, FAILING_DOMAINS] = 1
    health[FAILED_FROM:, FAILING_DOMAINS] = 2
    domains = tuple(f"redis-{number}" for number in range(n_domains))
    return Recording(f"run-{seed}", "prevent", domains, values, health, np.arange(minutes) < HISTORY_MINUTES)


def machine(seed: int, minutes: int = 120) -> Recording:
    """A machine with two short anomalies in the part that is judged."""
    values = _calm(seed, minutes, 1)
    health = np.zeros((minutes, 1), dtype=np.int64)
    for start in (80, 100):
        health[start : start + 6] = 1
        values[start : start + 6, :, 0] += 0.4
    return Recording(
        f"machine-1-{seed}", "smd", (f"machine-1-{seed}",), values, health, np.arange(minutes) < minutes // 2
    )


def _calm(seed: int, minutes: int, n_domains: int) -> NDArray[np.float64]:
    return _CALM + _NOISE * np.random.default_rng(seed).normal(size=(minutes, n_domains, len(METRICS)))


def write(folder: Path, recording: Recording) -> Path:
    """As the recorded data sets are: one gzipped CSV file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recording.name}.csv.gz"
    kind, label = ("domain", "health") if recording.dataset == "prevent" else ("part", "abnormal")
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["minute", kind, *METRICS, label])
        for column, domain in enumerate(recording.domains):
            for minute, metrics in enumerate(recording.values[:, column].tolist()):
                what = domain if kind == "domain" else ("train" if recording.history[minute] else "test")
                writer.writerow([minute, what, *metrics, recording.health[minute, column]])
    return path
