"""Self-checks of task 3, train.py: `pytest -k train`. A window is one number x; the model says weight · x + bias."""

import sys
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn

from grader.suite import (
    Recipe,
    accelerator,
    as_array,
    as_float,
    assert_close,
    check,
    linear,
    loader,
    require,
    require_equal,
)

START = "x = 1, 2; y = 3, 5; weight 1, bias 0, SGD with lr 0.1"


def probe(weight: float, bias: float) -> Recipe:
    """Windows (batch, 1, 1) -> flat (batch, 1) -> (batch,)."""
    return Recipe("torch.nn:Sequential", (Recipe("torch.nn:Flatten"), linear([weight], bias)))


def batches(batch_size: int, *pairs: tuple[float, float], shuffle: bool = False) -> Recipe:
    """A loader of windows with a number x and a target y each."""
    x, y = np.array(pairs).T
    return loader(x[:, None, None], y, batch_size=batch_size, shuffle=shuffle)


def config(student, **settings: object) -> object:
    plain = {"epochs": 1, "lr": 0.1, "optimizer": "sgd", "loss": "mse", "max_grad_norm": None, "patience": None}
    return student.train.TrainConfig(**plain | settings)


def weight_and_bias(state: dict) -> list[float]:
    return [float(as_array(state[name], name).reshape(-1)[0]) for name in ("1.0.weight", "1.0.bias")]


def trained(student, train_loader: Recipe, k: int = 1, **settings: object) -> list[float]:
    """Weight and bias after training from (1, 0), with accumulation over k batches."""
    model, own = student.make(probe(1.0, 0.0)), accelerator(gradient_accumulation_steps=k)
    student.train.train(model, train_loader, batches(1, (1.0, 1.0)), own, config(student, **settings))
    return weight_and_bias(model.state_dict())


@check(
    title="Each batch gives one step, down the gradient of its mean loss",
    hint="(2.6, 1) is a sum, not a mean; (1, 0) lost its gradients before the step; clear them behind each step.",
)
def test_train_step(student):
    rows = (1.0, 3.0), (2.0, 5.0)
    assert_close(trained(student, batches(2, *rows)), [1.8, 0.5], "(weight, bias)", case=f"mse, one batch: {START}")
    got = trained(student, batches(1, *rows))
    assert_close(got, [2.12, 0.76], "(weight, bias)", case=f"mse, two batches of one window: {START}")
    got = trained(student, batches(2, *rows), loss="huber")
    case = f"huber, one batch, both errors beyond 1, where the slope is 1: {START}"
    assert_close(got, [1.15, 0.1], "(weight, bias)", case=case)


@check(
    title="Two accumulated batches step like one batch of both",
    hint="(1.68, 0.44) lacks accumulate(model); (2.6, 1) is loss.backward(); (1.4, 0.25) divided by hand as well; "
    "(1.6, 0.3) wipes the first batch's gradients: zero_grad belongs after step.",
)
def test_train_accumulation(student):
    got = trained(student, batches(1, (1.0, 3.0), (2.0, 5.0)), k=2)
    assert_close(got, [1.8, 0.5], "(weight, bias)", case=f"mse, two batches of one window, accumulated: {START}")


@check(
    title="Gradients are clipped when they are complete, and only if max_grad_norm is a number",
    hint="accelerator.clip_grad_norm_ behind backward, where accelerator.sync_gradients is true, and before step.",
)
def test_train_clipping(student):
    row = (0.75, 2.75)
    case = "x = 0.75, y = 2.75, weight 1, bias 0, mse: the gradient is (-3, -4), of length 5; lr 0.1"
    got = trained(student, batches(1, row), max_grad_norm=1.0)
    assert_close(got, [1.06, 0.08], "(weight, bias)", case=f"{case}; max_grad_norm 1", rtol=1e-4)
    got = trained(student, batches(1, row))
    assert_close(got, [1.3, 0.4], "(weight, bias)", case=f"{case}; max_grad_norm None", rtol=1e-4)
    got = trained(student, batches(1, row, (0.75, 0.75)), k=2, max_grad_norm=1.0)
    case = f"{case}; accumulated with one of (0, 0) to (-1.5, -2), of length 2.5; max_grad_norm 1"
    assert_close(got, [1.06, 0.08], "(weight, bias)", case=case, rtol=1e-4)


@check(
    title="The history counts every window alike, in Python floats",
    hint="11.25 is the mean of the batches' means: the last batch has one window only. .item() or float() for each entry.",
)
def test_train_history(student):
    rows, others = batches(2, (1.0, 3.0), (2.0, 5.0), (3.0, 7.0)), batches(2, (1.0, 1.0), (2.0, 5.0), (3.0, 9.0))
    settings = config(student, epochs=2, lr=0.0)  # at a rate of 0 the model stays as it is
    history = student.train.train(student.make(probe(1.0, 0.0)), rows, others, accelerator(), settings)
    for name in ("train_loss", "val_loss", "seconds"):
        kinds = [type(value).__name__ for value in getattr(history, name)]
        require_equal(kinds, ["float", "float"], f"{name} is a list of floats, one an epoch", "epochs=2")
    case = "squared errors 4, 9 | 16 in training, 0, 9 | 36 in validation, in batches of 2"
    assert_close(history.train_loss, [29 / 3] * 2, "train_loss", case=case, rtol=1e-4)
    assert_close(history.val_loss, [15.0] * 2, "val_loss", case=case, rtol=1e-4)


@check(
    title="Every epoch trains in training mode and validates in eval mode",
    hint="model.train() at the head of train_epoch, model.eval() at the head of validate: each sets what it needs.",
)
def test_train_modes(student):
    model = student.make(Recipe("torch.nn:Sequential", (Recipe("torch.nn:Dropout", (1.0,)), probe(1.0, 0.0))))
    rows, settings = batches(1, (2.0, 0.0)), config(student, epochs=2, lr=0.0)
    history = student.train.train(model, rows, rows, accelerator(), settings)
    case = "a dropout that makes x = 2 a 0 in training mode; weight 1, y = 0, mse"
    assert_close(history.train_loss, [0.0] * 2, "train_loss", case=case)
    assert_close(history.val_loss, [4.0] * 2, "val_loss", case=case)


class Planned(nn.Module):
    """Its weight is the number of epochs that it was trained for, and in eval mode it errs as planned for this epoch."""

    def __init__(self, errors: Sequence[float]) -> None:
        super().__init__()
        self.errors = errors
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, time, n_features) -> (batch,)."""
        epoch = min(int(self.weight.round()), len(self.errors))
        return self.weight.expand(len(x)) if self.training else torch.full((len(x),), self.errors[epoch - 1])


def planned(student, losses: Sequence[float], patience: int | None) -> tuple[list[float], int, float]:
    """(val_loss, best_epoch, the weight in the end) of at most five epochs with these validation losses."""
    model = student.make(Recipe(f"{__name__}:Planned", ([loss + 0.5 for loss in losses],)))
    rows, others = batches(1, (1.0, 1000.0)), batches(1, (1.0, 0.0))  # so far off that Huber's slope is 1
    settings = config(student, epochs=5, lr=1.0, loss="huber", patience=patience)
    history = student.train.train(model, rows, others, accelerator(), settings)
    return list(history.val_loss), history.best_epoch, as_float(model.state_dict()["weight"], "the weight")


@check(
    title="Training ends when the loss has not been better for `patience` epochs",
    hint="Count the epochs since the best one, not since the last that was better than the one before it.",
)
def test_train_stop(student):
    losses = [3.0, 1.0, 2.0, 1.5, 4.0]
    for patience, n in ((2, 4), (3, 5), (1, 3), (None, 5)):
        val_loss, _, _ = planned(student, losses, patience)
        case = f"five epochs with validation losses 3, 1, 2, 1.5, 4; patience={patience}"
        require_equal(len(val_loss), n, "so many epochs are trained", case)
        assert_close(val_loss, losses[:n], "val_loss", case=case, rtol=1e-4)


@check(
    title="The model ends with the weights of its best epoch, among equals of the first",
    hint="Clone every tensor of the state dict where the loss is lower than all before: state_dict() changes with the model.",
)
def test_train_best(student):
    for losses, wanted in (([3.0, 1.0, 2.0, 1.5], 2), ([3.0, 1.0, 1.0, 2.0], 2), ([3.0, 2.5, 2.0, 1.5, 1.0], 5)):
        _, best_epoch, weight = planned(student, losses, None if wanted == 5 else 2)
        case = f"validation losses {losses}; the model's weight is the number of the epoch"
        require_equal(best_epoch, wanted, "best_epoch is the one with the lowest loss", case)
        require(round(weight, 3) == wanted, "the weights are the best epoch's", expected=wanted, got=weight, case=case)


@pytest.mark.skipif(sys.platform != "linux", reason="two processes are tried on Linux only")
@check(
    title="Two processes step like one with both windows, and tell the same history",
    hint="(2.12, 0.76): the loader is not the prepared one; a loss of one process alone: gather_for_metrics.",
)
def test_train_processes(student):
    rows, others = batches(1, (1.0, 3.0), (2.0, 5.0)), batches(1, (0.0, 0.5), (0.0, 2.5))
    own = config(student)
    results = student.on(processes=2).train.train(probe(1.0, 0.0), rows, others, accelerator(), own)
    case = f"mse, one window on each of two processes: {START}"
    assert_close(weight_and_bias(results.modules[0][0]), [1.8, 0.5], "(weight, bias)", case=case)
    for rank, history in enumerate(results.values):
        require(isinstance(history, dict), "train returns its History on every process", got=type(history).__name__)
        case = f"squared errors 4, 9 in training, 0, 4 in validation; process {rank} of 2"
        assert_close(history["train_loss"], [6.5], "train_loss", case=case, rtol=1e-4)
        assert_close(history["val_loss"], [2.0], "val_loss", case=case, rtol=1e-4)
