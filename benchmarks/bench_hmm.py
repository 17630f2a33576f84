"""Training and filtering beside hmmlearn: in, series drawn from a known model; out, the time an observation takes."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Final

import numpy as np
from hmmlearn.hmm import CategoricalHMM
from threadpoolctl import threadpool_limits

from benchmarks.rows import Goal, Row, table
from predictor import hmm
from predictor.baum_welch import fit, random_model
from predictor.hmm import Hmm
from predictor.observations import Floats, Ints, Symbols

SEED: Final = 7
_STATES: Final = 9
_STAY: Final = 0.95
"""How probable it is to stay in a state of the model that the series are drawn from."""
_DRAWN_STEPS: Final = 1_000
"""Longer series are put together from ones of so many steps."""
_HMMLEARN: Final = f"hmmlearn {version('hmmlearn')}"
_NOTE: Final = f"{_STATES} states, CPU time of one thread; hmmlearn with implementation='scaling', from the same start"


@dataclass(frozen=True)
class Shape:
    """Sequences of one length, and how many times as fast as hmmlearn training on them is to be."""

    sequences: int
    steps: int
    goal: float


@dataclass(frozen=True)
class Plan:
    """On what to train and filter, and how often."""

    shapes: tuple[Shape, ...]
    trained_symbols: tuple[int, ...]
    filtered_symbols: tuple[int, ...]
    iterations: int
    runs: int


FULL: Final = Plan(
    (Shape(1_000, 1_000, goal=4.0), Shape(1, 100_000, goal=0.8)),
    trained_symbols=(24, 81, 243),
    filtered_symbols=(81,),
    iterations=5,
    runs=5,
)
QUICK: Final = Plan(
    (Shape(20, 1_000, goal=4.0), Shape(1, 10_000, goal=0.8)),
    trained_symbols=(24,),
    filtered_symbols=(24,),
    iterations=1,
    runs=3,
)
_FILTER_GOAL: Final = 2.0


def rows(*, quick: bool) -> Iterator[Row]:
    """Rows of training and of filtering, for a fleet and for one long sequence."""
    yield from measured(QUICK if quick else FULL)


def measured(plan: Plan) -> Iterator[Row]:
    """The same by a plan."""
    with threadpool_limits(limits=1):
        for shape in plan.shapes:
            yield from (_training(Case.draw(shape, n), plan) for n in plan.trained_symbols)
            for n in plan.filtered_symbols:
                yield from _filtering(Case.draw(shape, n), plan)


@dataclass(frozen=True)
class Case:
    """Symbols `[T, S, 1]` and the model to start from."""

    shape: Shape
    symbols: Symbols
    start: Hmm

    @classmethod
    def draw(cls, shape: Shape, n_symbols: int) -> "Case":
        """Draw the series from a random model that stays in its states, and another random model to start from."""
        rng = np.random.default_rng(SEED)
        start = random_model(_STATES, (n_symbols,), rng)
        transition = (1 - _STAY) * start.transition + _STAY * np.eye(_STATES)
        origin = Hmm(start.start, transition, random_model(_STATES, (n_symbols,), rng).emissions)
        steps = min(shape.steps, _DRAWN_STEPS)
        drawn = _sample(origin, steps, shape.sequences * shape.steps // steps, rng)
        return cls(shape, drawn.T.reshape(shape.sequences, shape.steps).T[..., None].copy(), start)

    def theirs(self) -> CategoricalHMM:
        """hmmlearn's model, about to start where ours does."""
        model = CategoricalHMM(
            _STATES, implementation="scaling", tol=-np.inf, init_params="", n_features=self.start.levels[0]
        )
        model.startprob_, model.transmat_ = self.start.start.copy(), self.start.transition.copy()
        model.emissionprob_ = self.start.emissions[0].copy()
        return model

    def series(self) -> tuple[Symbols, list[int]]:
        """The series as hmmlearn takes them: one after another, and their lengths."""
        return self.symbols.swapaxes(0, 1).reshape(-1, 1), [self.shape.steps] * self.shape.sequences


def _sample(model: Hmm, n_steps: int, n_sequences: int, rng: np.random.Generator) -> Ints:
    """`[T, S]`."""

    def pick(rows: Floats) -> Ints:
        return np.asarray((rng.random((len(rows), 1)) > rows.cumsum(axis=1)[:, :-1]).sum(axis=1))

    drawn = np.empty((n_steps, n_sequences), dtype=np.intp)
    states = pick(np.tile(model.start, (n_sequences, 1)))
    for step in drawn:
        step[:] = pick(model.emissions[0][states])
        states = pick(model.transition[states])
    return drawn


def _training(case: Case, plan: Plan) -> Row:
    series, lengths = case.series()

    def theirs() -> None:
        model = case.theirs()
        model.n_iter = plan.iterations
        model.fit(series, lengths)

    ours = partial(
        fit,
        case.symbols,
        levels=case.start.levels,
        n_states=_STATES,
        rng=SEED,
        initial=case.start,
        tolerance=0,
        max_iterations=plan.iterations,
    )
    observations = case.symbols.size * plan.iterations
    return _row(case, "train", _by_turns(ours, theirs, observations, plan.runs), case.shape.goal)


def _filtering(case: Case, plan: Plan) -> Iterator[Row]:
    theirs = partial(case.theirs().score, *case.series())
    for what, ours, goal in (
        ("score()", partial(hmm.log_likelihood, case.start, case.symbols), _FILTER_GOAL),
        ("filter, beliefs kept; theirs: score()", partial(hmm.filter, case.start, case.symbols), None),
    ):
        yield _row(case, what, _by_turns(ours, theirs, case.symbols.size, plan.runs), goal)


def _by_turns(
    ours: Callable[[], object], theirs: Callable[[], object], observations: int, runs: int
) -> list[tuple[float, float]]:
    return [(_spent_ns(ours) / observations, _spent_ns(theirs) / observations) for _ in range(runs)]


def _spent_ns(work: Callable[[], object]) -> int:
    began_ns = time.process_time_ns()
    work()
    return time.process_time_ns() - began_ns


def _row(case: Case, what: str, pairs: list[tuple[float, float]], goal: float | None) -> Row:
    ours, theirs = zip(*pairs, strict=True)
    return Row(
        bench="hmm",
        case=f"{case.shape.sequences:,} x {case.shape.steps:,}, {case.start.levels[0]} symbols: {what}",
        unit="ns/observation" + ("/iteration" if what == "train" else ""),
        better="less",
        ours=ours,
        other=_HMMLEARN,
        theirs=theirs,
        goal=None if goal is None else Goal("times", goal),
        seed=SEED,
        note=_NOTE,
    )


if __name__ == "__main__":
    print(table(list(rows(quick=False))))
