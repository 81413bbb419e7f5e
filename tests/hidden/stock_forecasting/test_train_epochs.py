"""Task 3, epochs: when training ends, which epoch is kept, and that the seed decides all of it.

A `ProbeClock` tells by its one number which epoch's weights it has, and its validation losses are planned.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from grader.suite import CheckFailed, StudentError, accelerator, as_array, assert_same, check, loader, recipe, require

TIME, FEATURES, ROWS = 3, 2, 8  # of windows to train, and as many to validate; in batches of 4
MARK, FAR = 1000, 5000.0  # see `ProbeClock`; targets far enough for a gradient of 1, whatever else
RATE = 0.5
ENDS = "training ends when the loss was not better for so many epochs"


@dataclass(frozen=True)
class Course:
    """A training whose validation losses are planned, by epoch and row (epochs, ROWS); each is 0.5 at least.

    A batch after epoch `end` is an error.
    """

    losses: np.ndarray
    start: float
    targets: np.ndarray
    processes: int = 1
    end: float = math.inf

    @property
    def steps(self) -> int:
        """How often the clock moves in an epoch."""
        return ROWS // 4 // self.processes

    def arguments(self, patience: int | None) -> tuple:
        """What `train` is called with, but for the model."""
        marked = np.zeros((ROWS, TIME, FEATURES))
        marked[:, 0, 0], marked[:, 0, 1] = MARK + np.arange(ROWS), self.targets
        train = recipe("probe_shares", np.zeros((ROWS, TIME, FEATURES)), np.full(ROWS, FAR), 4)
        # the gradient is 1 by Huber's loss, and by any other after clipping
        settings = {"epochs": len(self.losses), "lr": RATE, "optimizer": "sgd", "max_grad_norm": 1.0}
        config = recipe("probe_config", **settings, patience=patience)
        return train, loader(marked, self.targets, batch_size=4), accelerator(), config

    @property
    def model(self):
        # Huber's loss of an error r beyond 1 is |r| - 0.5
        return recipe("ProbeClock", self.start, self.losses + 0.5, self.steps, self.end)

    def epoch_of(self, state: object, case: str) -> float:
        """After which epoch the state is that of the model."""
        rule = "the model that was passed in keeps its parameter"
        require(isinstance(state, dict) and "hand" in state, rule, got=state, case=case)
        return (as_array(state["hand"], rule, shape=(1,))[0] - self.start) / (RATE * self.steps)


class Courses:
    """Trainings of the student's whose validation losses are as they are planned."""

    def __init__(self, student, rng: np.random.Generator) -> None:
        self.student, self.rng = student, rng

    def draw(self, ranks: Sequence[int] | np.ndarray, processes: int = 1, *, scale: float = 1.0, **end: int) -> Course:
        """Losses that are ordered as given, by epoch, or by epoch and row; their sizes are drawn."""
        losses = np.array(ranks, dtype=np.float64) * scale
        if losses.ndim == 1:  # eighths: the mean over equal rows is exact, and equal stays equal
            sizes = 1 + np.cumsum(self.rng.integers(1, 9, int(losses.max()) + 1)) * scale / 8
            losses = np.repeat(sizes[np.array(ranks)][:, None], ROWS, axis=1)
        start, targets = float(self.rng.normal()), self.rng.integers(-40, 40, ROWS) / 8
        return Course(losses, start, targets, processes, **end)

    def run(self, course: Course, patience: int | None) -> tuple[object, float]:
        """(history, epoch whose weights the model has in the end)."""
        model = self.student.make(course.model)
        with in_time(course, patience):
            history = self.student.train.train(model, *course.arguments(patience))
        return history, course.epoch_of(model.state_dict(), told(course, patience))


def told(course: Course, patience: int | None) -> str:
    losses = ", ".join(f"{loss:g}" for loss in course.losses.mean(axis=1))
    return f"patience={patience}, validation losses {losses}"


@contextmanager
def in_time(course: Course, patience: int | None) -> Iterator[None]:
    """What the clock says of a batch after the end is told as a rule."""
    try:
        yield
    except StudentError as error:
        if "trained too long" not in str(error):
            raise
        expected, got = f"{course.end} epochs", "a batch of another one"
        raise CheckFailed(ENDS, expected=expected, got=got, case=told(course, patience)) from None


@pytest.fixture
def courses(student, rng) -> Courses:
    return Courses(student, rng)


def require_end(epochs: object, kept: float, end: int, best: int, case: str) -> None:
    """Training ended after epoch `end`; the weights of the best epoch or, which another check judges, of the last are kept."""
    require(isinstance(epochs, list), "val_loss is a list", got=epochs, case=case)
    require(len(epochs) == end, ENDS, expected=f"{end} epochs", got=f"{len(epochs)} epochs", case=case)
    near = min(abs(kept - best), abs(kept - end))
    expected = f"those of epoch {best} or {end}"
    require(
        near < 0.01, "the weights are of an epoch until then", expected=expected, got=f"of epoch {kept:.3g}", case=case
    )


@check(
    title="Training ends after patience epochs without a better validation loss, and only then",
    hint="Count epochs since the best one, anew after each better loss; equal is not better, better than the epoch before is "
    "not better than ever; None means all epochs.",
)
def test_early_stop(courses):
    cases = [  # order of the losses, patience, last epoch, best epoch
        ([2, 1, 4, 3, 0, 0], 2, 4, 2),
        ([5, 6, 4, 7, 3, 3, 3, 0], 2, 7, 5),
        ([4, 5, 6, 3, 4, 5, 6, 0, 1], 3, 7, 4),
        ([3, 4, 2, 0], 1, 2, 1),
        ([1, 2, 3, 4, 5, 0], None, 6, 6),
        ([3, 2, 1, 1], 3, 4, 3),
    ]
    for ranks, patience, end, best in cases:
        course = courses.draw(ranks, end=end)
        history, kept = courses.run(course, patience)
        require_end(history.val_loss, kept, end, best, told(course, patience))


@check(
    title="The model ends with the weights of the epoch with the lowest validation loss, the first among equals",
    hint="Copy them when the loss is lower than ever, after the first epoch however large it is (clone: state_dict() "
    "only refers to the weights). Load them in the end, also if all epochs were trained. best_epoch counts from 1.",
)
def test_best_epoch(courses, rng):
    middle = int(rng.integers(1, 4))
    ranks = [4, 3, 5, 2, 5, 1]
    ranks[middle] = 0
    # the lowest in the middle; again among equals; in the first epoch; in the last; losses beyond any start value
    cases = [
        (ranks, None, 1.0),
        ([2, 0, 1, 0, 0], 50, 1.0),
        ([0, 1, 2], 2, 1.0),
        ([3, 1, 2, 0], 4, 1.0),
        ([1, 0, 2], 1, 1e4),
    ]
    for order, patience, scale in cases:
        course, best = courses.draw(order, scale=scale), int(np.argmin(order)) + 1
        history, kept = courses.run(course, patience)
        case = told(course, patience)
        rule = "the weights are those of the best epoch"
        require(abs(kept - best) < 0.01, rule, expected=f"of epoch {best}", got=f"of epoch {kept:.3g}", case=case)
        require(
            history.best_epoch == best, "best_epoch is its number", expected=best, got=history.best_epoch, case=case
        )


@check(
    title="Processes stop together, by the loss over the samples of all of them",
    hint="Gather the losses before the decision, which all take, not the main process alone: if each looks at its own "
    "share, one leaves and the others wait for it for ever.",
)
def test_two_process_stop(courses, rng):
    both = np.array([20, 12, 16, 8, 24, 28, 4, 4])  # best in epoch 4, two worse ones, then better ones
    first = np.array([8, 12, 16, 14, 46.4, 54.8, 4, 4])  # process 0 alone would stop after epoch 3, process 1 never
    shares = np.stack([first, 2 * both - first], axis=1).repeat(
        4, axis=1
    )  # (epochs, rows): the first four are process 0's
    course = courses.draw(shares, processes=2, scale=rng.uniform(0.5, 2), end=6)
    with in_time(course, 2):
        results = courses.student.on(processes=2).train.train(course.model, *course.arguments(2))
    for rank, (states, history) in enumerate(zip(results.modules, results.values, strict=True)):
        case = f"process {rank} of 2, {told(course, 2)}"
        require(len(states) == 1, "the model that was passed in is trained in place", case=case)
        require(isinstance(history, dict), "train returns a History", got=history, case=case)
        require_end(history.get("val_loss"), course.epoch_of(states[0], case), 6, 4, case)


@check(
    title="All that is random follows from config.seed",
    hint="set_seed before anything is drawn, whatever was drawn before the call; a shuffling loader may have a generator of "
    "its own, which needs config.seed, too: another seed is another order.",
)
def test_reproducible(student, rng):
    first, second, x = rng.normal(0, 0.5, (6, 12)), rng.normal(size=6), rng.normal(size=(16, 4, 3))
    y = 2 * np.tanh(x.reshape(16, -1) @ first.T) @ second  # twice the network's first answers: it can be learned
    seed, other = (int(number) for number in rng.choice(2**31, 2, replace=False))
    marked = loader(np.full((1, 4, 3), float(MARK)), np.zeros(1), batch_size=1)
    weights = {"first": first, "second": second}
    for own, dropout in itertools.product((False, True), (0.5, 0.0)):
        kept = []
        for given in (seed, seed, other):
            state = int(rng.integers(2**31))
            batches = recipe("probe_shuffled", x, y, 4, state if own else None)
            student.tools.probe_stir(state)
            model = student.make(recipe("ProbeNet", first, second, dropout=dropout))
            config = recipe("probe_config", epochs=2, lr=0.1, optimizer="sgd", seed=given)
            student.train.train(model, batches, marked, accelerator(), config)
            after = model.state_dict()
            kept.append([as_array(after[name], "the weights", shape=w.shape) for name, w in weights.items()])
        case = f"shuffling, dropout {dropout}, {'a' if own else 'no'} generator of the loader's own"
        (one, head), (again, _), (others, _) = kept
        assert_same(one, again, "the weights of a training with the same seed", case=case, atol=1e-5)
        apart = float(np.abs(others - one).max())
        # Without dropout it is the order alone that makes other weights.
        require(apart > 1e-3, "another seed gives other weights", got=f"{apart:.2g} apart", case=case)
        off = float(np.abs(np.tanh(x.reshape(16, -1) @ one.T) @ head - y).sum() / (np.abs(y) / 2).sum())
        # A plain loop makes it 0.76 at most in fifty draws; numbers that only follow from the seed leave it at 1.
        learned = dropout > 0 or off < 0.9
        require(learned, "the weights have learned", expected="less than 0.9 of the error", got=f"{off:.2f}", case=case)
