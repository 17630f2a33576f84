"""A model for tests that only its history matters to."""

import numpy as np

from predictor.calibration import Calibration
from predictor.model import Calm, Chains, Model, Recipe
from predictor.rarity import Rarity
from predictor.symbols import History
from predictor.trained import Trained


def trained_on_calm() -> Trained:
    """Of the domains web and local; calm for local is CPU .2 +- .1 and memory .3 +- .01."""
    history = History(np.array([[0.9, 0.9], [0.2, 0.3]]), np.array([[0.01, 0.01], [0.1, 0.01]]))
    calm = Calm(Rarity(np.zeros(1)), Rarity(np.zeros(1)), 1.0, 2.0)
    chains = Chains(Recipe(), (), knows_failures=False)
    model = Model(chains, ("cpu_ratio", "memory_ratio"), calm, Calibration())
    return Trained(model, ("web", "local"), history, 10**9, 0, 1)
