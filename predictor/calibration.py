"""Probabilities forecast of what was held out, and what came true, come in; a map to honest probabilities goes out."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_CERTAIN: Final = 1e-6
"""Probabilities nearer to 0 or 1 than this are taken as this near."""


@dataclass(frozen=True)
class Calibration:
    """Platt's map, sigmoid(slope logit(p) + intercept), which keeps the order; as it stands here it changes nothing."""

    slope: float = 1.0
    intercept: float = 0.0

    @classmethod
    def learn(cls, forecast: Floats, came_true: Flags) -> Self:
        """Fit by maximum likelihood to probabilities `forecast [n]` and whether each `came_true [n]`.

        Targets are drawn in by one imagined case of each kind (Platt 1999, section 2.2), so that no finite sample
        makes anything certain. The slope is not below 0: where forecasts were worse than none, the base rate is left.
        """
        true, false = np.count_nonzero(came_true), np.count_nonzero(~came_true)
        target = np.where(came_true, (true + 1) / (true + 2), 1 / (false + 2))
        x = _logit(forecast)

        def loss(parameters: Floats) -> tuple[float, Floats]:
            z = parameters[0] * x + parameters[1]
            error = expit(z) - target
            return float(np.mean(np.logaddexp(0, z) - target * z)), np.array([np.mean(error * x), np.mean(error)])

        fitted = minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)])
        return cls(float(fitted.x[0]), float(fitted.x[1]))

    def honest(self, forecast: Floats) -> Floats:
        """What forecasts of this probability are worth; NaN stays NaN."""
        if self == Calibration():
            return forecast
        return np.asarray(expit(self.slope * _logit(forecast) + self.intercept))


def _logit(probability: Floats) -> Floats:
    return np.asarray(logit(np.clip(probability, _CERTAIN, 1 - _CERTAIN)))
