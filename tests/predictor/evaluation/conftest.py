"""One thread for scikit-learn: its small models would wait for threads longer than they compute."""

from collections.abc import Iterator

import pytest
import sklearn.ensemble  # noqa: F401 - loads OpenMP, so that it can be limited
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """For all tests of this folder."""
    with threadpool_limits(1):
        yield
