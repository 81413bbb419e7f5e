"""Task 3, the loop: a network with drawn weights must end where a plain PyTorch loop ends.

Each check trains for as few steps as tell its mistakes apart. Checks that are not about the kind of loss accept either.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from grader.suite import (
    CheckFailed,
    Recipe,
    Run,
    Student,
    accelerator,
    assert_close,
    check,
    loader,
    recipe,
    reference,
    require,
)

TIME, FEATURES, HIDDEN, ROWS = 4, 3, 5, 16
CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # float32, a dozen of steps
PAUSE = 0.01  # seconds that a network takes for a batch, to see whether they are counted
STILL = 1e-12  # a rate at which weights do not move, so that a history tells of nothing but how it was counted


@dataclass(frozen=True)
class Loop:
    """How the plain loop trains; `batch_size` is that of one backward pass, `window` how many make one step."""

    batch_size: int = 4
    window: int = 1
    epochs: int = 1
    rows: int = ROWS
    lr: float = 0.1
    optimizer: str = "sgd"
    weight_decay: float = 0.0
    loss: str = "mse"
    max_grad_norm: float | None = 1e4  # no gradient is as long
    drift: float = 0.0  # of the network: its answers are 1 + drift · (batches before) times as large

    @property
    def config(self) -> Recipe:
        names = "epochs", "lr", "optimizer", "weight_decay", "loss", "max_grad_norm"
        return recipe("probe_config", patience=100, **{name: getattr(self, name) for name in names})


@dataclass(frozen=True)
class Trained:
    """The weights in the end, the mean loss of each epoch's samples, and the norm of each step's gradient."""

    state: dict[str, np.ndarray]
    losses: list[float]
    norms: list[float]


LOSSES = {"mse": nn.functional.mse_loss, "huber": nn.functional.huber_loss}


@dataclass(frozen=True)
class Case:
    """Weights to start from, and windows (n, time, n_features) with targets (n,), many of which are missed by more than 1."""

    first: np.ndarray
    second: np.ndarray
    x: np.ndarray
    y: np.ndarray

    def model(self, **options: object) -> Recipe:
        return recipe("ProbeNet", self.first, self.second, **options)

    def loader(self, batch_size: int, rows: int = ROWS, start: int = 0) -> Recipe:
        part = slice(start, start + rows)
        return loader(self.x[part], self.y[part], batch_size=batch_size)

    def answers_and_targets(self, weights: dict[str, torch.Tensor], rows: slice) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = (torch.tensor(part[rows], dtype=torch.float32) for part in (self.x, self.y))
        return torch.tanh(x.flatten(1) @ weights["first"].T) @ weights["second"], y

    def weights(self) -> dict[str, torch.Tensor]:
        drawn = {"first": self.first, "second": self.second}
        return {name: torch.tensor(w, dtype=torch.float32, requires_grad=True) for name, w in drawn.items()}

    def better(self) -> Recipe:
        """Validation that a `ProbeNet` passes better after each epoch."""
        return loader(np.full((2, TIME, FEATURES), 1000.0), np.zeros(2), batch_size=2)

    def measured(self, rows: slice, kind: str, scale: float = 1.0, state: dict | None = None) -> float:
        """Mean loss of the untrained weights, or of a state's, if all answers are multiplied by `scale`."""
        weights = self.weights() if state is None else {name: torch.tensor(value) for name, value in state.items()}
        answers, targets = self.answers_and_targets(weights, rows)
        return float(LOSSES[kind](scale * answers, targets).detach())

    def trained(self, loop: Loop) -> Trained:
        """Where a plain PyTorch loop leads."""
        weights, means, norms, seen, step = self.weights(), [], [], 0, loop.batch_size * loop.window
        kind = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[loop.optimizer]
        optimizer = kind(weights.values(), loop.lr, weight_decay=loop.weight_decay)
        for _ in range(loop.epochs):
            losses = []
            for start in range(0, loop.rows, step):
                optimizer.zero_grad()
                end = min(start + step, loop.rows)
                for at in range(start, end, loop.batch_size):
                    answers, targets = self.answers_and_targets(weights, slice(at, min(at + loop.batch_size, end)))
                    loss = LOSSES[loop.loss]((1 + loop.drift * seen) * answers, targets, reduction="none")
                    (loss.mean() / loop.window).backward()
                    losses += loss.tolist()
                    seen += 1
                limit = np.inf if loop.max_grad_norm is None else loop.max_grad_norm
                norms.append(float(nn.utils.clip_grad_norm_(weights.values(), limit)))
                optimizer.step()
            means.append(float(np.mean(losses)))
        return Trained({name: w.detach().numpy() for name, w in weights.items()}, means, norms)


@reference
def case(run: Run) -> Case:
    """No two runs have the same weights, windows or targets."""
    rng = run.rng("train case")
    first, second = rng.normal(0, 0.4, (HIDDEN, TIME * FEATURES)), rng.normal(0, 0.8, HIDDEN)
    x, y = rng.normal(size=(ROWS + 9, TIME, FEATURES)), rng.normal(0.5, 2.0, ROWS + 9)
    y[::8] = 3 + np.abs(y[::8])  # far enough for the two kinds of loss to differ in any part
    return Case(first, second, x, y)


@dataclass(frozen=True)
class Training:
    """The student's `train` on the case, and what its weights are compared with."""

    student: Student
    case: Case

    def fit(self, loop: Loop, *, model: Recipe | None = None, val: Recipe | None = None):
        """(model, history) of a training on one process."""
        kept = self.student.make(model or self.case.model(drift=loop.drift))
        loaders = self.case.loader(loop.batch_size, loop.rows), val or self.case.better()
        on = accelerator(gradient_accumulation_steps=loop.window)
        return kept, self.student.train.train(kept, *loaders, on, loop.config)

    def require(self, state: object, loop: Loop, what: str, case: str = "", kinds: tuple = ("mse", "huber")) -> None:
        """The state has the weights to which the loop leads with one kind of loss; if not, the first is what was expected."""
        kept = isinstance(state, dict) and {"first", "second"} <= set(state)
        require(kept, "the model that was passed in keeps its parameters", got=state, case=case)
        own, refused = {name: state[name] for name in ("first", "second")}, None
        for kind in kinds:
            try:
                return assert_close(own, self.case.trained(replace(loop, loss=kind)).state, what, case=case, **CLOSE)
            except CheckFailed as error:
                refused = refused or error
        raise refused


@pytest.fixture
def training(student: Student, case: Case) -> Training:
    return Training(student, case)


@check(
    title="Each batch steps along its own gradient",
    hint="backward of the mean loss (no root), optimizer.step, zero_grad: in this order, once a batch, with what "
    "prepare returned; the model passed in learns, no copy. (batch, 1) beside (batch,) becomes (batch, batch).",
)
def test_sgd_steps(training):
    model, _ = training.fit(loop := Loop(weight_decay=0.05))
    training.require(model.state_dict(), loop, "the weights after four steps")


@check(title='optimizer="adamw" trains with AdamW', hint="make_optimizer is given, decay and all: train with it.")
def test_adamw(training):
    model, _ = training.fit(loop := Loop(optimizer="adamw", lr=0.03, weight_decay=0.3))
    training.require(model.state_dict(), loop, "the weights after four steps")


@check(
    title='loss="huber" and loss="mse" are what is minimised and what the history tells',
    hint="make_loss is given, and gives each sample's loss: use it in training, by its mean, and in validation.",
)
def test_losses(training):
    for kind in ("huber", "mse"):
        loop = Loop(batch_size=ROWS, loss=kind)
        model, history = training.fit(loop, val=training.case.loader(3, 3, ROWS))
        expected, case = training.case.trained(loop), f"loss={kind!r}, one batch"
        training.require(model.state_dict(), loop, "the weights after one step", case=case, kinds=(kind,))
        assert_close(history.train_loss, expected.losses, "train_loss", case=case, rtol=1e-4)
        measured = training.case.measured(slice(ROWS, ROWS + 3), kind, state=expected.state)
        assert_close(history.val_loss, [measured], "val_loss", case=case, rtol=1e-4)


@check(
    title="Accumulated batches step like one large batch",
    hint="accumulate(model) around the whole step; accelerator.backward divides by k, not you; optimizer.zero_grad.",
)
def test_accumulation(training):
    for k, batch_size in ((2, 4), (4, 2)):
        loop = Loop(batch_size=batch_size, window=k, drift=0.2)  # one large batch would not have changed the network
        model, _ = training.fit(loop)
        training.require(model.state_dict(), loop, "the weights", case=f"{k} of {batch_size} a step; each changes it")


@check(
    title="Clipping bounds the norm of the whole gradient, and None leaves it alone",
    hint="accelerator.clip_grad_norm_ (the Euclidean norm) over all parameters, after backward and before the step.",
)
def test_clipping(training):
    tight = 0.25 * min(training.case.trained(Loop()).norms)
    for bound, lr in ((tight, 0.5 / tight), (None, 0.1)):
        loop = Loop(lr=lr, max_grad_norm=bound, rows=8)
        model, _ = training.fit(loop)
        case = f"max_grad_norm={bound}, gradients of norm {4 * tight:.3g} and more"
        training.require(model.state_dict(), loop, "the weights after two steps", case=case)


@check(
    title="With accumulation the gradient is clipped once a step, when it is complete",
    hint="Only if accelerator.sync_gradients: clipping a part turns the step. Do not divide max_grad_norm by k.",
)
def test_clipping_accumulated(training):
    tight = 0.25 * min(training.case.trained(Loop(window=2, drift=0.2)).norms)
    loop = Loop(window=2, lr=0.5 / tight, max_grad_norm=tight, drift=0.2)
    model, _ = training.fit(loop)
    training.require(model.state_dict(), loop, "the weights", case=f"max_grad_norm={tight:.3g}, two batches a step")


@check(
    title="The model trains in training mode, in every epoch",
    hint="model.train() at the start of each epoch: validation has left it in eval mode, or whoever had it before.",
)
def test_training_mode(training):
    loop = Loop(epochs=2)
    model, _ = training.fit(loop, model=recipe("probe_in_eval_mode", training.case.model(quiet=3.0)))
    training.require(model.state_dict(), loop, "the weights of a model that came in eval mode")


def require_floats(values: object, what: str, case: str) -> list[float]:
    kinds = {type(value).__name__ for value in values} if isinstance(values, list) else type(values).__name__
    floats = isinstance(values, list) and all(isinstance(value, float) for value in values)
    require(floats, f"{what} is a list of floats", got=kinds, case=case)
    return values


@check(
    title="An epoch's training loss is the mean over its samples, and its time that of training and validation",
    hint="A smaller last batch weighs less: do not average the batches' means. With accumulation, count each batch, "
    "its loss undivided. Begin anew in each epoch; .item() or float() for one Python float an epoch.",
)
def test_history_training(training):
    for k in (1, 2):
        loop = Loop(batch_size=5, rows=13, window=k, epochs=4, lr=STILL, drift=0.2)
        began = time.monotonic()
        _, history = training.fit(loop, model=training.case.model(drift=0.2, pause=PAUSE))
        passed = time.monotonic() - began
        case = f"13 windows in batches of 5, {k} a step, 4 epochs; the network changes with each batch"
        told = require_floats(history.train_loss, "train_loss", case)
        assert_close(told, training.case.trained(loop).losses, "train_loss", case=case, rtol=1e-4)
        seconds = require_floats(history.seconds, "seconds", case)
        # each pass waits this long at least, and the parts cannot take longer than the whole
        slow = len(seconds) == 4 and min(seconds) >= 3.9 * PAUSE and sum(seconds) <= 1.05 * passed
        case = f"each waits for {4 * PAUSE} s, all took {passed:.3f} s"
        require(slow, "seconds is the time of each epoch with its validation", got=seconds, case=case)


@check(
    title="The validation loss is the mean over its samples after each epoch, in eval mode and without gradients",
    hint="model.eval() and torch.no_grad(), over val_loader, after the epoch's steps; a float; not the batches' means.",
)
def test_history_validation(training):
    loop, case = Loop(epochs=2, lr=STILL), training.case
    model = case.model(quiet=3.0, grad_offset=20.0, drift=0.2)
    _, history = training.fit(loop, model=model, val=case.loader(4, 9, ROWS))
    told = "9 windows in batches of 4; other answers in training mode, with gradients, and after each batch"
    expected = [case.measured(slice(ROWS, ROWS + 9), "mse", 3 * (1 + 0.2 * batches)) for batches in (4, 8)]
    assert_close(require_floats(history.val_loss, "val_loss", told), expected, "val_loss", case=told, rtol=1e-4)


@check(
    title="Two processes do what one does with a batch twice the size: the same weights, and a history of all samples",
    hint="Use all that prepare returns: the loader shares the samples out, the model averages the gradients. "
    "gather_for_metrics drops what padding repeats; a process alone sees only its share.",
)
def test_two_processes(training):
    case, loop = training.case, Loop(batch_size=8)
    loaders = recipe("probe_shares", case.x[:ROWS], case.y[:ROWS], 4), case.loader(4, 9, ROWS)
    results = training.student.on(processes=2).train.train(case.model(), *loaders, accelerator(), loop.config)
    expected = case.trained(loop)
    for rank, (states, history) in enumerate(zip(results.modules, results.values, strict=True)):
        told = f"process {rank} of 2; 16 windows to train, 9 to validate, in batches of 4"
        require(len(states) == 1, "the model that was passed in is trained in place", case=told)
        training.require(states[0], loop, "the weights after two steps", case=told)
        require(isinstance(history, dict), "train returns a History", got=history, case=told)
        measured = case.measured(slice(ROWS, ROWS + 9), "mse", state=expected.state)
        assert_close(history.get("train_loss"), expected.losses, "train_loss", case=told, rtol=1e-4)
        assert_close(history.get("val_loss"), [measured], "val_loss", case=told, rtol=1e-4)
