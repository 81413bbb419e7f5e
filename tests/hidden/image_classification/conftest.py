"""What several tasks' checks share: a small classifier with its data, and the plain PyTorch loop that trains it."""

import importlib.util
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

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
    loader,
    recipe,
    reference,
    require,
)

CLASSES, HIDDEN, ROWS = 4, 6, 16
CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # float32, some dozens of steps

Factor = Callable[[int, int, int], float]


def cosine(step: int, warmup_steps: int, total_steps: int) -> float:
    """The handout's rate: a line from 0 up to 1, then half a cosine down to 0."""
    if step < warmup_steps:
        return step / warmup_steps
    done = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
    return (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True)
class Loop:
    """How the plain loop trains; `batch_size` is that of one backward pass, `window` how many make one step.

    With several `processes` each makes so many, side by side, of the rows that come next.
    """

    batch_size: int = 4
    window: int = 1
    processes: int = 1
    drift: float = 0.0  # of a `Net`, which then tells batches that were joined or came too often
    epochs: int = 1
    rows: int = ROWS
    lr: float = 0.3
    optimizer: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0
    warmup_fraction: float = 0.0
    max_grad_norm: float | None = None
    label_smoothing: float = 0.0
    seed: int = 0
    rates: tuple[float, float] | None = None  # of the two layers, instead of lr
    divide_leftover: bool = True  # by its own length; Accelerate divides it by the full window's
    factor: Factor = cosine

    @property
    def config(self) -> dict[str, object]:
        """The settings that a `TrainConfig` takes."""
        names = ("epochs", "lr", "optimizer", "momentum", "weight_decay", "warmup_fraction", "max_grad_norm")
        return {name: getattr(self, name) for name in (*names, "label_smoothing", "seed")}


@dataclass(frozen=True)
class Trained:
    """After each epoch: the weights, the mean loss and accuracy of its samples, the first rate of its last step."""

    states: list[dict[str, np.ndarray]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """Weights to start from, and labelled images of 2×2 pixels."""

    first: np.ndarray
    second: np.ndarray
    images: np.ndarray
    labels: np.ndarray

    def model(self, **options: object) -> Recipe:
        return recipe("Net", self.first, self.second, **options)

    def loader(self, batch_size: int, rows: int = ROWS, start: int = 0) -> Recipe:
        part = slice(start, start + rows)
        return loader(self.images[part], self.labels[part], batch_size=batch_size)

    def marked(self, n: int) -> Recipe:
        """Images that a `Net` with a `course` answers as planned."""
        images = np.zeros((n, 3, 2, 2))
        images[:, 0, 0, 0], images[:, 1, 0, 0] = self.labels[:n], np.arange(n)
        return loader(images, self.labels[:n], batch_size=3)

    def answers(self, images: np.ndarray) -> np.ndarray:
        """Logits of the untrained weights."""
        return np.tanh(images.reshape(len(images), -1) @ self.first.T) @ self.second.T

    def measured(self, rows: slice, scale: float = 1.0) -> tuple[float, float]:
        """Mean cross-entropy and accuracy of the untrained weights, if all answers are multiplied by `scale`."""
        logits, labels = scale * self.answers(self.images[rows]), self.labels[rows]
        losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]
        return float(losses.mean()), float(np.mean(logits.argmax(axis=1) == labels))

    def trained(self, loop: Loop) -> Trained:
        """Where a plain PyTorch loop leads."""
        layers = [torch.tensor(w, dtype=torch.float32, requires_grad=True) for w in (self.first, self.second)]
        optimizer, peaks = _optimizer(layers, loop)
        windows = _windows(loop)
        total = loop.epochs * len(windows)
        warmup_steps, step, passes, result = round(loop.warmup_fraction * total), 0, 0, Trained()
        for _ in range(loop.epochs):
            losses, hits = [], []
            for window in windows:
                for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                    group["lr"] = peak * loop.factor(step, warmup_steps, total)
                optimizer.zero_grad()
                for rows in window:
                    loss, hit = self._samples(layers, rows, loop, 1 + passes // loop.processes)
                    passes += 1
                    whole = len(window) if loop.divide_leftover else loop.window * loop.processes
                    (loss.mean() / whole).backward()
                    losses += loss.tolist()
                    hits += hit.tolist()
                if loop.max_grad_norm is not None:
                    nn.utils.clip_grad_norm_(layers, loop.max_grad_norm)
                optimizer.step()
                step += 1
            result.states.append(_state(layers))
            result.losses.append(float(np.mean(losses)))
            result.accuracies.append(float(np.mean(hits)))
            result.rates.append(optimizer.param_groups[0]["lr"])
        return result

    def _samples(
        self, layers: Sequence[torch.Tensor], rows: slice, loop: Loop, passes: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.tensor(self.images[rows], dtype=torch.float32).flatten(1)  # (batch, 12)
        labels = torch.tensor(self.labels[rows])
        shift = torch.eye(CLASSES)[0] * loop.drift * passes * len(images)
        logits = torch.tanh(images @ layers[0].T) @ layers[1].T + shift  # (batch, classes)
        smoothing = {"label_smoothing": loop.label_smoothing, "reduction": "none"}
        return nn.functional.cross_entropy(logits, labels, **smoothing), (logits.argmax(1) == labels).float()

    def gradient_norms(self, batch_size: int, rows: int) -> list[float]:
        """Norm of each batch's gradient at the untrained weights."""
        norms = []
        for at in range(0, rows, batch_size):
            layers = [torch.tensor(w, dtype=torch.float32, requires_grad=True) for w in (self.first, self.second)]
            self._samples(layers, slice(at, at + batch_size), Loop(), 0)[0].mean().backward()
            norms.append(math.sqrt(sum(float(w.grad.square().sum()) for w in layers)))
        return norms


def _optimizer(layers: Sequence[torch.Tensor], loop: Loop) -> tuple[torch.optim.Optimizer, Sequence[float]]:
    peaks = loop.rates or (loop.lr, loop.lr)
    groups = [{"params": [layer], "lr": peak} for layer, peak in zip(layers, peaks, strict=True)]
    if loop.optimizer == "adamw":
        return torch.optim.AdamW(groups, weight_decay=loop.weight_decay), peaks
    return torch.optim.SGD(groups, momentum=loop.momentum, weight_decay=loop.weight_decay), peaks


def _windows(loop: Loop) -> list[list[slice]]:
    """An epoch's batches, grouped by the steps that they make."""
    batches = [slice(at, min(at + loop.batch_size, loop.rows)) for at in range(0, loop.rows, loop.batch_size)]
    together = loop.window * loop.processes
    return [batches[at : at + together] for at in range(0, len(batches), together)]


def _state(layers: Sequence[torch.Tensor]) -> dict[str, np.ndarray]:
    names = ("first.weight", "fc.weight")
    return {name: layer.detach().numpy().copy() for name, layer in zip(names, layers, strict=True)}


@reference
def case(run: Run) -> Case:
    """No two runs have the same weights, images or labels."""
    rng = run.rng("case")
    first, second = rng.normal(0, 0.5, (HIDDEN, 12)), rng.normal(0, 0.8, (CLASSES, HIDDEN))
    images = rng.normal(size=(ROWS + 9, 3, 2, 2)).astype("float32")
    case = Case(first, second, images, np.zeros(len(images), dtype="int64"))
    # About half are answered right from the start, never all or none, nor only the first or the last: an accuracy that is
    # counted wrongly is another number.
    right = rng.random(len(images)) < 0.5
    right[[0, 12, 16, 24]] = [False, True, False, True]
    off = np.where(right, 0, rng.integers(1, CLASSES, len(images)))
    return replace(case, labels=(case.answers(images).argmax(axis=1) + off) % CLASSES)


@reference
def drawings(run: Run) -> ModuleType:
    """The generator of the course's images."""
    return run.generator()


@reference
def networks(run: Run) -> ModuleType:
    """The networks that student code is handed, on this side: what its weights are worth is not for it to say."""
    spec = importlib.util.spec_from_file_location("networks", Path(__file__).with_name("recipes_networks.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def misread(loop: Loop) -> list[Loop]:
    """The loop under its schedule and under the usual mistakes with it, which checks of their own judge.

    The true one comes first. Then the rate never moves; moves before the step instead of after it; moves with each batch,
    planned for batches or for steps.
    """
    k = loop.window
    factors: list[Factor] = [
        cosine,
        lambda step, warmup, total: 1.0,
        lambda step, warmup, total: cosine(step + 1, warmup, total),
        lambda step, warmup, total: cosine((step + 1) * k - 1, warmup * k, total * k),
        lambda step, warmup, total: cosine((step + 1) * k - 1, warmup, total),
    ]
    return [replace(loop, factor=factor) for factor in factors]


class Training:
    """The student's `train` on the case, and what its weights are compared with."""

    STILL = 1e-12  # a rate at which weights do not move, so that a history tells of nothing but how it was counted
    DRIFT = 0.1
    DRIFTS = "the answers shift with each training pass, and with how many images are in it"
    Loop = Loop
    misread = staticmethod(misread)

    def __init__(self, student: Student, case: Case) -> None:
        self.student, self.case = student, case

    def fit(self, loop: Loop, *, model: Recipe | None = None, val: Recipe | None = None, **settings: object) -> tuple:
        """(model, history) of a training on one process; `settings` are more of `TrainConfig`'s."""
        return self.fit_with(loop, accelerator(gradient_accumulation_steps=loop.window), model, val, **settings)

    def fit_with(
        self, loop: Loop, on: Recipe, model: Recipe | None = None, val: Recipe | None = None, **settings: object
    ) -> tuple:
        """As `fit`, with an accelerator of one's own."""
        kept = self.student.make(model or self.case.model(drift=loop.drift))
        batches, val = self.case.loader(loop.batch_size, loop.rows), val or self.case.loader(3, 5, ROWS)
        history = self.student.train.train(kept, batches, val, on, recipe("config", **loop.config, **settings))
        return kept, history

    def require(self, model: object, loops: Sequence[Loop], what: str, *, epoch: int = -1, case: str = "") -> None:
        """The model has the weights to which one of the loops leads; if none, the first is what was expected."""
        self.require_state(model.state_dict(), loops, what, epoch=epoch, case=case)

    def require_state(
        self, state: object, loops: Sequence[Loop], what: str, *, epoch: int = -1, case: str = ""
    ) -> None:
        require(isinstance(state, dict), "the model keeps its parameters", got=state)
        refused = None
        for loop in loops:
            expected = self.case.trained(loop).states[epoch]
            try:
                own = {name: value for name, value in state.items() if name in expected}
                return assert_close(own, expected, what, case=case, **CLOSE)
            except CheckFailed as error:
                refused = refused or error
        raise refused


@pytest.fixture
def training(student: Student, case: Case) -> Training:
    return Training(student, case)
