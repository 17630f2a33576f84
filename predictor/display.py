"""What was learned and decided, to read: in, a model, decisions; out, text."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from predictor.model import HEALTH, LOAD
from predictor.policy import Decision
from predictor.times import text_of
from predictor.trained import Trained
from telemetry.store import Store
from telemetry.units import NS_PER_S

_RECENT_NS = 3600 * NS_PER_S


def model(name: str, trained: Trained) -> str:
    """What a model has learned."""
    chains, calm, metrics = trained.model.chains, trained.model.calm, trained.model.metrics
    learned = (
        "what precedes failures, from incidents" if chains.knows_failures else "calm alone: no failure was labelled"
    )
    histories = [
        [domain, *(f"{mean:.4g} +- {sigma:.2g}" for mean, sigma in zip(*row, strict=True))]
        for domain, *row in zip(trained.domains, trained.history.mean, trained.history.sigma, strict=True)
    ]
    stay = np.mean([np.diag(one.transition) for one in chains.hmms], axis=0)
    states = [
        [("normal", "abnormal", "failed")[health], ("low", "medium", "high")[load], f"{probability:.3f}"]
        for health, load, probability in zip(HEALTH, LOAD, stay, strict=True)
    ]
    return "\n".join(
        [
            f"{name}: mode {chains.recipe.mode}, {len(chains.hmms)} chains, steps of {trained.step_ns / NS_PER_S:g} s",
            f"learned from {text_of(trained.start_ns)} to {text_of(trained.stop_ns)}: {learned}",
            f"evidence: no lengthening from {calm.evidence_low:.2f} decades, protection from {calm.evidence_high:.2f}",
            "",
            _table(["domain", *metrics], histories),
            "",
            _table(["state", "load", "P(stays)"], states),
        ]
    )


def decisions(made: Mapping[str, Decision]) -> str:
    """What was decided just now."""
    rows = [[domain, f"{decision.interval_ms:g}", decision.reason] for domain, decision in made.items()]
    return _table(["domain", "interval ms", "because"], rows) if rows else "nothing was measured lately of any domain"


def newest_decisions(store: Store, now_ns: int) -> str:
    """What was decided last, of the last hour; raises StoreError."""
    rows = [
        [
            point.tags["domain"],
            str(point.fields.get("interval_ms", "?")),
            f"{(now_ns - point.time_ns) / NS_PER_S:.0f} s ago",
            str(point.fields.get("reason", "")),
        ]
        for point in store.latest("decision", since_ns=now_ns - _RECENT_NS)
    ]
    if not rows:
        return "\nno decision in the last hour: is hefery-predictor run alive?"
    return "\n" + _table(["domain", "interval ms", "decided", "because"], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
