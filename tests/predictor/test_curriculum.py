"""What training learns from."""

from pathlib import Path

import numpy as np

from predictor.curriculum import gather
from predictor.series import LEAST_DEVIATIONS, METRICS
from telemetry.stores import open_store
from tests.predictor import site


def test_idle_domain_s_first_packet_is_no_news(tmp_path: Path) -> None:
    settings = site.settings(tmp_path)
    idle = np.tile([0.0, 0.4, 0.0, 0.0], (200, 1))
    store = open_store(settings.store)
    store.append(site.points("idle", idle))
    curriculum = gather(store, settings, site.at(200))
    store.close()
    assert curriculum.metrics == METRICS
    deviations = curriculum.recent.history.sigma[0]
    np.testing.assert_allclose(deviations, np.maximum(LEAST_DEVIATIONS, [0, 0.02 * 0.4, 0, 0]), rtol=1e-12)
    departures = np.array([0.0, 0.4, 1500.0, 2.0]) - curriculum.recent.history.mean[0]
    assert np.all(np.abs(departures / deviations) < 3), "one packet and two writes in a second stay within calm"
