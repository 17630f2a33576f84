"""The training job: in, what the store holds; out, a new model file, or the reason why the old model stays."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from predictor import hmm, model_files, trained
from predictor.curriculum import Curriculum, TooLittleDataError, gather
from predictor.forecast import observe
from predictor.learning import Lesson, learn, learn_chains
from predictor.model import Chains, Mode, Model
from predictor.model_files import ModelFileError
from predictor.observations import MISSING
from predictor.settings import ModelSettings, PredictorSettings
from predictor.symbols import Trend
from predictor.thresholds import with_thresholds
from predictor.trained import Trained
from telemetry.point import MAX_TEXT_LENGTH, Point, Value
from telemetry.store import Store


@dataclass(frozen=True)
class HeldOut:
    """Log-likelihood in nats a step on data that the new model was not fitted to, and of the model before."""

    new: float
    before: float


@dataclass(frozen=True)
class Outcome:
    """What came of a training: the `reason` why its model was accepted or refused, and where it lies."""

    accepted: bool
    reason: str
    curriculum: Curriculum | None = None
    held_out: HeldOut | None = None
    model: Trained | None = None
    path: Path | None = None
    duration_s: float = 0.0


def train(store: Store, settings: PredictorSettings, now_ns: int, *, dry_run: bool = False) -> Outcome:
    """Learn anew, and put the model in force unless it is worse; `dry_run` writes nothing.

    Raises StoreError, IncidentError, ModelFileError and OSError.
    """
    began_s = time.monotonic()
    try:
        outcome = _learn(gather(store, settings, now_ns), settings)
    except TooLittleDataError as error:
        outcome = Outcome(accepted=False, reason=str(error))
    if outcome.accepted and outcome.model is not None and not dry_run:
        path = model_files.save(settings.model.folder, settings.model.mode, now_ns, outcome.model.contents())
        model_files.rotate(settings.model.folder, settings.model.mode, settings.model.keep)
        outcome = replace(outcome, path=path)
    outcome = replace(outcome, duration_s=time.monotonic() - began_s)
    if not dry_run:
        store.append([_point(outcome, settings, now_ns)])
    return outcome


def broken(mode: Mode, reason: str, now_ns: int) -> Point:
    """What stands for a training that did not come to an end."""
    fields: dict[str, Value] = {"accepted": False, "reason": reason[:MAX_TEXT_LENGTH]}
    return Point("training", {"model": mode}, fields, now_ns)


def _learn(curriculum: Curriculum, settings: PredictorSettings) -> Outcome:
    before, reason = _in_force(settings.model, curriculum)
    recipe, seed, grid = settings.model.recipe, settings.training.seed, curriculum.grid
    model = learn(curriculum.lessons, curriculum.metrics, recipe, seed, before)
    model = with_thresholds(model, curriculum.recent, settings)
    new = Trained(model, curriculum.domains, curriculum.recent.history, grid.step_ns, grid.start_ns, grid.stop_ns)
    if before is None:
        return Outcome(accepted=True, reason=reason, curriculum=curriculum, model=new)
    held_out = _compare(curriculum, settings, before)
    return Outcome(*_verdict(held_out, settings.training.worse_by_nats), curriculum, held_out, new)


def _in_force(settings: ModelSettings, curriculum: Curriculum) -> tuple[Model | None, str]:
    """The model to be measured against; None, and why, where there is none that can be compared."""
    newest = model_files.newest(settings.folder, settings.mode)
    if newest is None:
        return None, "the first model"
    try:
        model = trained.load(newest).model
    except ModelFileError as error:
        return None, f"the model before cannot be read: {error}"
    if model.metrics != curriculum.metrics:
        return None, f"the model before knew {', '.join(model.metrics)}: not to be compared"
    return model, ""


def _verdict(held_out: HeldOut, worse_by_nats: float) -> tuple[bool, str]:
    figures = f"{held_out.new:.3f} nats a held-out step against {held_out.before:.3f} of the model before"
    if held_out.new >= held_out.before - worse_by_nats:
        return True, figures
    return False, f"worse: {figures}"


def _compare(curriculum: Curriculum, settings: PredictorSettings, old: Model) -> HeldOut:
    """Fit to all but the newest part, and let both models explain that part."""
    recent = curriculum.recent
    cut = round(len(recent.values) * (1 - settings.training.held_out_share))
    earlier = Lesson(recent.values[:cut], recent.history, recent.health[:cut])
    chains = learn_chains((earlier, *curriculum.older), settings.model.recipe, settings.training.seed)
    later = Lesson(recent.values[cut:], recent.history, recent.health[cut:])
    return HeldOut(log_likelihood(chains, later), log_likelihood(old.chains, later))


def log_likelihood(chains: Chains, lesson: Lesson) -> float:
    """Log p of the lesson's symbols in nats an observed step, the mean over the chains."""
    symbols, _ = observe(chains.recipe, lesson.history, lesson.values, Trend.unknown(*lesson.values.shape[1:]))
    observed = int((symbols != MISSING).any(axis=-1).sum())
    return float(np.mean([hmm.log_likelihood(one, symbols).sum() for one in chains.hmms]) / max(observed, 1))


def _point(outcome: Outcome, settings: PredictorSettings, now_ns: int) -> Point:
    curriculum, held_out = outcome.curriculum, outcome.held_out
    fields: dict[str, Value | None] = {
        "accepted": outcome.accepted,
        "reason": outcome.reason,
        "steps": curriculum.steps if curriculum else None,
        "domains": len(curriculum.domains) if curriculum else None,
        "heldout_log_likelihood": held_out.new if held_out else None,
        "heldout_log_likelihood_before": held_out.before if held_out else None,
        "duration_s": outcome.duration_s,
    }
    point = Point.of("training", {"model": settings.model.mode}, fields, now_ns)
    assert point is not None
    return point
