"""The methods that are judged: each learns from recordings with a seed and then scores recordings it has not seen."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from predictor.evaluation.protocol import POSITIVE_MINUTES, Scores
from predictor.evaluation.recordings import FAILING, METRICS, Recording
from predictor.forecast import Forecast, track
from predictor.learning import Lesson, learn
from predictor.model import NORMAL, Model, Recipe
from predictor.symbols import Averaging, History, Trend, follow, learn_history, standardise

Scorer = Callable[[Recording], Mapping[str, Scores]]
"""Gives scores `[T, S]` by the names of methods."""
Learner = Callable[[Sequence[Recording], int], Scorer]
"""Learns from recordings with a seed."""

ALARM: Final = "default_own_alarm"
"""The default mode's evidence less the threshold that training chose: alarm from 0 on."""
P_FAILED_WITHIN: Final = "p_failed_within"
"""The probability itself, for the reliability table."""
NOT_RANKED: Final = (ALARM, P_FAILED_WITHIN)

_AVERAGING: Final = Averaging()
_LARGEST_DEPARTURE: Final = 30.0
"""Departures are cut here for the classifiers, which one absurd value would otherwise rule."""
_DOUBT: Final = 99.0
"""Decades of evidence where a forecast knows nothing: doubt protects."""


class MissingExtraError(Exception):
    """A library of an optional extra is not there."""


def history_of(recording: Recording) -> History:
    """The domains' calm past: the same for all methods."""
    return learn_history(recording.values[recording.history])


def hefery_default(train: Sequence[Recording], seed: int) -> Scorer:
    """The default mode as shipped, and its two voices each for itself."""
    model = _learn(train, Recipe(), seed)

    def score(recording: Recording) -> Mapping[str, Scores]:
        forecast = _forecast(model, recording)
        scores = {
            "default": forecast.evidence,
            "learned_voice": forecast.learned,
            "surprise_voice": forecast.surprise,
            ALARM: forecast.evidence - model.calm.evidence_high,
        }
        doubted = {name: np.nan_to_num(values, nan=_DOUBT) for name, values in scores.items()}
        return doubted | ({P_FAILED_WITHIN: forecast.p_failed_within} if model.chains.knows_failures else {})

    return score


def hefery_paper(train: Sequence[Recording], seed: int) -> Scorer:
    """The paper's mode: levels against the mean, one random start, max-product, P(not normal next)."""
    model = _learn(train, Recipe(mode="paper"), seed)
    return lambda recording: {"paper": np.nan_to_num(_forecast(model, recording).p_abnormal_next, nan=1.0)}


def _learn(train: Sequence[Recording], recipe: Recipe, seed: int) -> Model:
    lessons = [Lesson(recording.values, history_of(recording), recording.health) for recording in train]
    return learn(lessons, METRICS, recipe, seed)


def _forecast(model: Model, recording: Recording) -> Forecast:
    return track(model, history_of(recording), recording.values)


def departures_only(_train: Sequence[Recording], _seed: int) -> Scorer:
    """Rules of thumb on the departures from the history; nothing is learned."""

    def score(recording: Recording) -> Mapping[str, Scores]:
        z, trend = _departures(recording)
        largest = np.abs(z).max(axis=-1)
        unknown = Trend.unknown(largest.shape[1], 1)
        return {
            "max_abs_z": largest,
            "ewma_max_abs_z": follow(largest[..., None], unknown, _AVERAGING).fast[..., 0],
            "max_rise": trend.rise,
        }

    return score


def random_alarms(_train: Sequence[Recording], seed: int) -> Scorer:
    """Alarms by the dice: what every other row must be compared with."""

    def score(recording: Recording) -> Mapping[str, Scores]:
        rng = np.random.default_rng([seed, zlib.crc32(recording.name.encode())])
        return {"random": rng.random(recording.health.shape)}

    return score


def classifiers(train: Sequence[Recording], seed: int) -> Scorer:
    """Supervised learners of scikit-learn on 24 trend features, and its isolation forest on the calm rows' features.

    Where no trouble was labelled, the forest alone: there is nothing to supervise by.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest  # noqa: PLC0415 - an extra
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - an extra
        from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - an extra
        from sklearn.preprocessing import StandardScaler  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("scikit-learn is not installed; pip install 'hefery[evaluate]'") from error
    rows = [_labelled_rows(recording) for recording in train]
    features, trouble = np.concatenate([f for f, _ in rows]), np.concatenate([t for _, t in rows])
    linear = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
    trees = HistGradientBoostingClassifier(class_weight="balanced", random_state=seed)
    forest = IsolationForest(random_state=seed).fit(features[~trouble])
    learners = {"logistic_regression": linear, "gradient_boosting": trees}
    fitted = {name: learner.fit(features, trouble) for name, learner in learners.items()} if trouble.any() else {}

    def score(recording: Recording) -> Mapping[str, Scores]:
        table = trend_features(recording)
        flat, shape = table.reshape(-1, table.shape[-1]), table.shape[:2]
        scores = {name: _decision(learner, flat).reshape(shape) for name, learner in fitted.items()}
        return {**scores, "isolation_forest": -forest.score_samples(flat).reshape(shape)}

    return score


def _decision(learner: Any, features: NDArray[np.float64]) -> Scores:
    return np.asarray(learner.decision_function(features), dtype=np.float64)


LEARNERS: Final[tuple[Learner, ...]] = (hefery_default, hefery_paper, classifiers, departures_only, random_alarms)
WITHOUT_EXTRA: Final[tuple[Learner, ...]] = (hefery_default, hefery_paper, departures_only, random_alarms)


def trend_features(recording: Recording) -> NDArray[np.float64]:
    """24 features `[T, S, 24]`: six of each metric (departure, both averages, their difference, two magnitudes)."""
    z, trend = _departures(recording)
    parts = (z, trend.fast, trend.slow, trend.fast - trend.slow, np.abs(z), np.abs(trend.fast))
    return np.asarray(np.clip(np.concatenate(parts, axis=-1), -_LARGEST_DEPARTURE, _LARGEST_DEPARTURE))


def _labelled_rows(recording: Recording) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Features `[n, 24]` and trouble `[n]` of the rows that training may use, by the protocol's own meaning."""
    features = trend_features(recording)
    if recording.dataset == "smd":
        return features[:-1].reshape(-1, features.shape[-1]), (recording.health[1:] > NORMAL).ravel()
    trouble = np.zeros_like(recording.health, dtype=bool)
    trouble[-POSITIVE_MINUTES:] = (recording.health == FAILING).any(axis=0)
    used = trouble | (recording.health == NORMAL)
    return features[used], trouble[used]


def _departures(recording: Recording) -> tuple[NDArray[np.float64], Trend]:
    """Departures `[T, S, 4]`, missing ones as none at all, and their averages."""
    z = np.nan_to_num(standardise(recording.values, history_of(recording)), nan=0.0)
    return z, follow(z, Trend.unknown(*recording.values.shape[1:]), _AVERAGING)
