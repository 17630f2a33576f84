"""A model and all that is needed to use it: in, what training made; out, the contents of a model file, and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import TypeAdapter, ValidationError

from predictor import model_files
from predictor.calibration import Calibration
from predictor.hmm import Hmm
from predictor.model import HEALTH, Calm, Chains, Model, Recipe
from predictor.model_files import Contents, ModelFileError
from predictor.rarity import Rarity
from predictor.symbols import History

_RECIPE: TypeAdapter[Recipe] = TypeAdapter(Recipe)


@dataclass(frozen=True)
class Trained:
    """A `model`, the calm `history` of the `domains` it was learned from, and the steps and span of that learning."""

    model: Model
    domains: tuple[str, ...]
    history: History
    step_ns: int
    start_ns: int
    stop_ns: int

    @cached_property
    def column(self) -> Mapping[str, int]:
        """Where in its arrays a domain is."""
        return {domain: column for column, domain in enumerate(self.domains)}

    def contents(self) -> Contents:
        """What a model file holds."""
        chains, calm = self.model.chains, self.model.calm
        emissions = {f"emission_{d}": table for d, table in enumerate(chains.ensemble.emissions)}
        arrays = {
            "start": chains.ensemble.start,
            "transition": chains.ensemble.transition,
            **emissions,
            "learned": calm.learned.sample,
            "surprise": calm.surprise.sample,
            "mean": self.history.mean,
            "sigma": self.history.sigma,
            "health_of_state": HEALTH,
        }
        meta = {
            "recipe": _RECIPE.dump_python(chains.recipe),
            "knows_failures": chains.knows_failures,
            "evidence_low": calm.evidence_low,
            "evidence_high": calm.evidence_high,
            "calibration": asdict(self.model.calibration),
            "metrics": self.model.metrics,
            "domains": self.domains,
            "step_ns": self.step_ns,
            "start_ns": self.start_ns,
            "stop_ns": self.stop_ns,
        }
        return Contents(arrays, meta)

    @classmethod
    def of(cls, contents: Contents) -> Self:
        """The same from a file's contents; raises KeyError, ValueError, TypeError where something is missing."""
        arrays, meta = contents.arrays, contents.meta
        if not np.array_equal(arrays["health_of_state"], HEALTH):
            raise ValueError("its states mean other things than this version's")
        calm = Calm(Rarity(arrays["learned"]), Rarity(arrays["surprise"]), meta["evidence_low"], meta["evidence_high"])
        chains = Chains(_recipe(meta["recipe"]), _hmms(arrays), meta["knows_failures"])
        history = History(arrays["mean"], arrays["sigma"])
        domains, metrics = tuple(meta["domains"]), tuple(meta["metrics"])
        if not history.mean.shape == history.sigma.shape == (len(domains), len(metrics)):
            raise ValueError("its histories are not those of its domains and metrics")
        model = Model(chains, metrics, calm, Calibration(**meta["calibration"]))
        return cls(model, domains, history, meta["step_ns"], meta["start_ns"], meta["stop_ns"])


def load(path: Path) -> Trained:
    """Read a model file; raises ModelFileError."""
    contents = model_files.load(path)
    try:
        return Trained.of(contents)
    except (KeyError, ValueError, TypeError) as error:
        raise ModelFileError(f"{path}: not a model that this version can use ({error}); train again") from error


def _recipe(document: object) -> Recipe:
    try:
        return _RECIPE.validate_python(document)
    except ValidationError as error:
        raise ValueError("its recipe is of another version") from error


def _hmms(arrays: Mapping[str, Any]) -> tuple[Hmm, ...]:
    digits = [arrays[f"emission_{d}"] for d in range(sum(name.startswith("emission_") for name in arrays))]
    return tuple(
        Hmm(start, transition, tuple(table[r] for table in digits))
        for r, (start, transition) in enumerate(zip(arrays["start"], arrays["transition"], strict=True))
    )
