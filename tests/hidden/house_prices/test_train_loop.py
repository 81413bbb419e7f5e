"""Task 3: the loop, by the weights that it leaves behind.

It gets models and data of the suite's own, drawn for this run, and must end where a plain PyTorch loop ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from grader.suite import (
    Run,
    accelerator,
    as_array,
    assert_close,
    check,
    loader,
    recipe,
    reference,
    require,
)

CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # float32, at most some hundred additions
FEATURES, ROWS = 5, 16
SGD = {"lr": 0.05, "optimizer": "sgd"}
STILL = {"lr": 0.0, "optimizer": "sgd"}  # the losses tell of nothing but how they are added up


@dataclass(frozen=True)
class LinearCase:
    """A linear model's start and its data; `trained` says where a plain loop leads."""

    weight: np.ndarray
    bias: float
    X: np.ndarray
    y: np.ndarray

    @property
    def model(self):
        return recipe("Linear", self.weight, self.bias)

    def loader(self, batch_size: int, rows: int = ROWS):
        return loader(self.X[:rows], self.y[:rows], batch_size=batch_size)

    def shared(self, batch_size: int):
        """For two processes: each finds only the rows that are its own as they are."""
        return recipe("shared", self.X, self.y, batch_size)

    def trained(
        self,
        *,
        batch_size: int,
        epochs: int,
        lr: float,
        optimizer: str = "sgd",
        rows: int = ROWS,
        decay: tuple[float, float] = (0.0, 0.0),
        centred: int = 0,
    ) -> tuple[np.ndarray, float, list[float]]:
        """Weight, bias and epoch losses of a plain loop; `decay` is that of the weight and that of the bias.

        `centred`: the model is `Centred`, and this many of its batches make a step.
        """
        model = nn.Linear(FEATURES, 1)
        model.weight.data = torch.tensor(self.weight, dtype=torch.float32).reshape(1, -1)
        model.bias.data = torch.tensor([self.bias], dtype=torch.float32)
        X, y = (torch.tensor(a[:rows], dtype=torch.float32) for a in (self.X, self.y))
        groups = [{"params": [p], "weight_decay": d} for p, d in zip(model.parameters(), decay, strict=True)]
        stepper = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[optimizer](groups, lr=lr)
        losses, window = [], batch_size * max(1, centred)
        for _ in range(epochs):
            total = 0.0
            for at in range(0, rows, batch_size):
                x = X[at : at + batch_size]
                errors = (model(x - x.mean(dim=0) if centred else x)[:, 0] - y[at : at + batch_size]) ** 2
                (errors.mean() / max(1, centred)).backward()
                if (at + batch_size) % window == 0 or not centred:
                    stepper.step()
                    stepper.zero_grad()
                total += float(errors.detach().sum())
            losses.append(total / rows)
        return model.weight.detach().numpy()[0], float(model.bias.detach()), losses


@reference
def case(run: Run) -> LinearCase:
    """Random weights and a random linear relation: no two runs have the same."""
    rng = run.rng("linear case")
    X = rng.normal(size=(ROWS, FEATURES))
    y = X @ rng.normal(size=FEATURES) + rng.normal(3, 1) + 0.3 * rng.normal(size=ROWS)
    return LinearCase(rng.normal(size=FEATURES), float(rng.normal()), X, y)


def require_weights(model, expected: tuple, what: str) -> None:
    """The model in the worker has the weight and the bias of `expected`."""
    require_state(model.state_dict(), expected, what)


def require_state(state: object, expected: tuple, what: str) -> None:
    require(isinstance(state, dict) and len(state) == 2, "the model keeps its two parameters", got=state)
    weight, bias = (next((v for k, v in state.items() if str(k).endswith(end)), None) for end in ("weight", "bias"))
    assert_close(as_array(weight, "the weight").reshape(-1), expected[0], what, **CLOSE)
    assert_close(as_array(bias, "the bias").reshape(-1), [expected[1]], f"{what} (bias)", **CLOSE)


@check(
    title="One batch gives one step down the gradient of the mean squared error",
    hint="Mean over the batch, MSE (not its root, not L1), the model that was passed in is the one that moves; "
    "(batch,) minus (batch, 1) compares every house with every price; gradients cleared before the step leave none.",
)
def test_one_step(student, case):
    model = student.make(case.model)
    student.train.train(model, case.loader(ROWS), accelerator(), epochs=1, **SGD)
    require_weights(model, case.trained(batch_size=ROWS, epochs=1, lr=0.05), "the weight after one step")


@check(
    title="Each batch steps with its own gradient",
    hint="Clear the gradients once a step: never clearing adds them up, clearing before step loses them.",
)
def test_gradients_cleared(student, case):
    model = student.make(case.model)
    student.train.train(model, case.loader(4), accelerator(), epochs=3, **SGD)
    require_weights(model, case.trained(batch_size=4, epochs=3, lr=0.05), "the weight after twelve steps")


@check(
    title="The model trains in training mode",
    hint="model.train() before the loop: the model may come from an evaluation.",
)
def test_training_mode(student, case):
    model = student.make(recipe("in_mode", recipe("Moody", case.weight, case.bias, quiet=3.0), False))
    student.train.train(model, case.loader(ROWS), accelerator(), epochs=1, **SGD)
    require_weights(
        model, case.trained(batch_size=ROWS, epochs=1, lr=0.05), "the weight of a model that came in eval mode"
    )


@check(
    title="An epoch's loss is the mean over its samples",
    hint="A last, smaller batch weighs less: do not average the batches' means, do not divide by len(loader) × batch size.",
)
def test_loss_over_samples(student, case):
    history = student.train.train(student.make(case.model), case.loader(5, 13), accelerator(), epochs=3, **STILL)
    expected = case.trained(batch_size=5, epochs=3, lr=0.0, rows=13)[2]
    assert_close(history, expected, "the losses of three epochs", case="13 rows in batches of 5", rtol=1e-4)


@check(
    title="The history is plain Python floats, one an epoch",
    hint=".item() or float(): a tensor keeps its whole graph in memory.",
)
def test_plain_history(student, case):
    history = student.train.train(student.make(case.model), case.loader(8), accelerator(), epochs=2, **STILL)
    kinds = [type(loss).__name__ for loss in history] if isinstance(history, list) else type(history).__name__
    require(kinds == ["float", "float"], "train returns a list of floats", expected=["float", "float"], got=kinds)
    assert_close(history, case.trained(batch_size=8, epochs=2, lr=0.0)[2], "the history", case="lr=0", rtol=1e-4)


@check(
    title="Accumulated micro-batches step like one large batch",
    hint="accumulate(model) around the step and accelerator.backward(loss); Accelerate divides by k, you do not; zero_grad "
    "before backward wipes the window's earlier gradients: it belongs after step.",
)
def test_accumulation(student, case):
    for k, micro in ((2, 4), (4, 2)):
        grouped, what = accelerator(gradient_accumulation_steps=k), f"the weight with {k} × {micro} rows a step"
        plain, centred = student.make(case.model), student.make(recipe("Centred", case.weight, case.bias))
        student.train.train(plain, case.loader(micro), grouped, epochs=2, **SGD)
        require_weights(plain, case.trained(batch_size=8, epochs=2, lr=0.05), what)
        student.train.train(centred, case.loader(micro), grouped, epochs=2, **SGD)
        expected = case.trained(batch_size=micro, epochs=2, lr=0.05, centred=k)
        require_weights(centred, expected, f"{what}, by a model that looks at each batch's mean")


@check(
    title="Two processes step like one with a batch twice the size",
    hint="Use what prepare returns: the prepared loader shares the rows out (no sampler of your own), the prepared "
    "model averages the gradients.",
)
def test_two_processes(student, case):
    results = student.on(processes=2).train.train(case.model, case.shared(4), accelerator(), epochs=1, **SGD)
    expected = case.trained(batch_size=8, epochs=1, lr=0.05)
    for states in results.modules:
        require(len(states) == 1, "the model that was passed in is trained in place")
        require_state(states[0], expected, "the weight on two processes")


@check(
    title="The loss counts the samples of all processes",
    hint="Gather or reduce before you average: a process sees only its own share of the rows. All processes take "
    "part: the main one alone would wait for ever.",
)
def test_two_process_loss(student, case):
    results = student.on(processes=2).train.train(case.model, case.shared(4), accelerator(), epochs=2, **STILL)
    expected = case.trained(batch_size=8, epochs=2, lr=0.0)[2]
    for rank, history in enumerate(results.values):
        assert_close(history, expected, "the losses", case=f"process {rank} of 2", rtol=1e-4)


@dataclass(frozen=True)
class PrecisionCase:
    """One SGD step of a two-layer model in full and in mixed precision."""

    first: np.ndarray
    second: np.ndarray
    X: np.ndarray
    y: np.ndarray
    full: np.ndarray
    mixed: np.ndarray


@reference
def precision(run: Run) -> PrecisionCase:
    """Both steps by plain PyTorch, the mixed one under its own autocast."""
    rng = run.rng("precision case")
    first, second = rng.normal(size=(12, FEATURES)), rng.normal(size=12)
    X, y = rng.normal(size=(8, FEATURES)), rng.normal(size=8)
    steps = [_one_two_layer_step(first, second, X, y, mixed) for mixed in (False, True)]
    return PrecisionCase(first, second, X, y, *steps)


def _one_two_layer_step(first, second, X, y, mixed: bool) -> np.ndarray:
    layers = [torch.tensor(w, dtype=torch.float32, requires_grad=True) for w in (first, second[None, :])]
    X, y = (torch.tensor(a, dtype=torch.float32) for a in (X, y))
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        out = nn.functional.linear(torch.tanh(nn.functional.linear(X, layers[0])), layers[1])[:, 0]
    ((out.float() - y) ** 2).mean().backward()
    return np.concatenate([(w - 0.05 * w.grad).detach().numpy().reshape(-1) for w in layers])


@check(
    title="The accelerator's precision is honoured: bf16 inside, float32 parameters",
    hint="Train the model that prepare returns; no model.half(), no autocast or GradScaler of your own.",
)
def test_mixed_precision(student, precision, gauge):
    model = student.make(recipe("TwoLayers", precision.first, precision.second))
    batches = loader(precision.X, precision.y, batch_size=8)
    student.train.train(model, batches, accelerator(mixed_precision="bf16"), epochs=1, **SGD)
    state = model.state_dict()
    require(isinstance(state, dict), "the model keeps its parameters", got=state)
    dtypes = {str(getattr(value, "dtype", None)).removeprefix("torch.") for value in state.values()}
    require(dtypes == {"float32"}, "parameters stay float32", got=dtypes)
    got = np.concatenate([as_array(value, "a parameter").reshape(-1) for value in state.values()])
    require(got.shape == precision.mixed.shape, "the model keeps its parameters' shapes")
    # a correct loop is within rounding of the mixed step; float32's is as far as bf16 is coarse
    near, apart = (float(np.abs(step - precision.mixed).max()) for step in (got, precision.full))
    gauge(near / apart, "the step is the one that bf16 gives", at_most=0.3, unit=" of the way to float32's")


@check(
    title='optimizer="adamw" is AdamW with the given rate',
    hint="torch.optim.AdamW with its default betas, made once: a new one each epoch has forgotten its moments.",
)
def test_adamw(student, case):
    model = student.make(case.model)
    student.train.train(model, case.loader(8), accelerator(), epochs=2, lr=0.03, optimizer="adamw")
    require_weights(model, case.trained(batch_size=8, epochs=2, lr=0.03, optimizer="adamw"), "the weight after AdamW")


@check(
    title="weight_decay reaches the optimizer",
    hint="Pass it on, for sgd and adamw alike; decaying the bias is up to you.",
)
def test_weight_decay(student, case):
    for name, lr, strength in (("sgd", 0.05, 0.5), ("adamw", 0.03, 0.5)):
        model = student.make(case.model)
        settings = {"lr": lr, "optimizer": name, "weight_decay": strength}
        student.train.train(model, case.loader(ROWS), accelerator(), epochs=1, **settings)
        readings = [
            case.trained(batch_size=ROWS, epochs=1, lr=lr, optimizer=name, decay=(strength, bias))
            for bias in (0.0, strength)
        ]
        _require_one_reading(model.state_dict(), readings, f"the weight after {name} with decay {strength}")


def _require_one_reading(state: object, readings: Sequence[tuple], what: str) -> None:
    """The state is that of one of several correct readings."""
    for reading in readings[:-1]:
        try:
            return require_state(state, reading, what)
        except AssertionError:
            continue
    return require_state(state, readings[-1], what)
