"""Task 3: the model by its values, the loop by the weights that it leaves behind.

The loops get models and data of the suite's own, drawn for this run, and must end where a plain PyTorch loop ends.
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
    as_float,
    assert_close,
    check,
    loader,
    recipe,
    reference,
    require,
    tensor,
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

    def trained(
        self,
        *,
        batch_size: int,
        epochs: int,
        lr: float,
        optimizer: str = "sgd",
        rows: int = ROWS,
        decay: tuple[float, float] = (0.0, 0.0),
    ) -> tuple[np.ndarray, float, list[float]]:
        """Weight, bias and epoch losses of a plain loop; `decay` is that of the weight and that of the bias."""
        model = nn.Linear(FEATURES, 1)
        model.weight.data = torch.tensor(self.weight, dtype=torch.float32).reshape(1, -1)
        model.bias.data = torch.tensor([self.bias], dtype=torch.float32)
        X, y = (torch.tensor(a[:rows], dtype=torch.float32) for a in (self.X, self.y))
        groups = [{"params": [p], "weight_decay": d} for p, d in zip(model.parameters(), decay, strict=True)]
        stepper = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[optimizer](groups, lr=lr)
        losses = []
        for _ in range(epochs):
            total = 0.0
            for at in range(0, rows, batch_size):
                stepper.zero_grad()
                errors = (model(X[at : at + batch_size])[:, 0] - y[at : at + batch_size]) ** 2
                errors.mean().backward()
                stepper.step()
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
    title="The model maps (batch, n_features) to (batch,)",
    hint="nn.Linear(n, 1) gives (batch, 1): minus a (batch,) target that becomes (batch, batch) without a word.",
)
def test_output_shape(student, rng):
    model = student.train.LinearRegression(7)
    for batch in (1, 4):
        out = model(tensor(rng.normal(size=(batch, 7))))
        as_array(out, f"the output for a batch of {batch}", shape=(batch,))


@check(
    title="The model is linear: one weight a feature and a bias",
    hint="No activation, no hidden layer; the bias must be there.",
)
def test_is_linear(student, rng):
    model = student.train.LinearRegression(6, bias_init=float(rng.normal()))
    sizes = [as_array(p, "a parameter").size for p in model.parameters()]
    require(sum(sizes) == 7, "there are n_features + 1 parameters", expected=7, got=sum(sizes))
    student.train.train(
        model, loader(rng.normal(size=(8, 6)), rng.normal(5, 3, 8), batch_size=4), accelerator(), epochs=2, **SGD
    )
    a, b = rng.normal(size=(2, 20, 6)) * 10
    at = lambda x: as_array(model(tensor(x)), "the output", shape=(20,))  # noqa: E731
    bent = at(a + b) - at(a) - at(b) + at(np.zeros((20, 6)))
    assert_close(bent, np.zeros(20), "f(a + b) − f(a) − f(b) + f(0)", atol=1e-3)
    slopes = at(np.eye(20, 6)) - at(np.zeros((20, 6)))
    require(bool((np.abs(slopes[:6]) > 1e-6).all()), "every feature counts after training", got=slopes[:6])


@check(title="An untrained model answers bias_init", hint="Set the bias in __init__; at x = 0 nothing else is left.")
def test_bias_init(student, rng):
    wanted = float(rng.uniform(8, 14))
    at_zero = lambda model: as_array(model(tensor(np.zeros((3, 4)))), "the output", shape=(3,))  # noqa: E731
    assert_close(at_zero(student.train.LinearRegression(4, bias_init=wanted)), [wanted] * 3, "f(0)", atol=1e-4)
    assert_close(at_zero(student.train.LinearRegression(4)), [0.0] * 3, "f(0) by default", atol=1e-6)


def pairs_of(batches: object) -> list[tuple]:
    """The batches of a loader, each of which must be a pair."""
    require(hasattr(batches, "__iter__") and not isinstance(batches, str), "make_loader gives a loader", got=batches)
    pairs = [tuple(batch) if isinstance(batch, list | tuple) else () for batch in batches]
    require(all(len(pair) == 2 for pair in pairs) and bool(pairs), "each batch is a pair of features and targets")
    return pairs


@check(
    title="make_loader gives float32 pairs and drops no row",
    hint="The last, smaller batch belongs to it; X is (batch, n_features), y is (batch,).",
)
def test_loader_batches(student, rng):
    X, y = rng.normal(size=(11, 3)), rng.normal(size=11)
    batches = pairs_of(student.train.make_loader(X, y, 4, False))
    require(len(batches) == 3, "there are three batches", expected=3, got=len(batches))
    for xs, ys in batches:
        dtypes = [str(getattr(part, "dtype", type(part).__name__)).removeprefix("torch.") for part in (xs, ys)]
        require(dtypes == ["float32", "float32"], "both parts are float32 tensors", got=dtypes)
    assert_close(np.concatenate([as_array(xs, "x", shape=(None, 3)) for xs, _ in batches]), X, "the features")
    assert_close(np.concatenate([as_array(ys, "y", shape=(None,)) for _, ys in batches]), y, "the targets")


@check(
    title="make_loader shuffles pairs when asked to",
    hint="Features and targets move together, each row once an epoch, each epoch in another order.",
)
def test_loader_shuffles(student, rng):
    X = np.arange(60.0).reshape(30, 2)
    shuffled = student.train.make_loader(X, X[:, 0] * 10, 8, True, seed=int(rng.integers(1000)))
    epochs = []
    for _ in range(2):
        pairs = [
            (as_array(xs, "x", shape=(None, 2)), as_array(ys, "y", shape=(None,))) for xs, ys in pairs_of(shuffled)
        ]
        xs, ys = (np.concatenate(part) for part in zip(*pairs, strict=True))
        assert_close(ys, xs[:, 0] * 10, "the target beside its features")
        require(sorted(xs[:, 0]) == sorted(X[:, 0]), "each row comes exactly once an epoch")
        require(list(xs[:, 0]) != list(X[:, 0]), "the order is not the table's")
        epochs.append(list(xs[:, 0]))
    require(epochs[0] != epochs[1], "another epoch has another order")


@check(
    title="One batch gives one step down the gradient of the mean squared error",
    hint="Mean over the batch, MSE (not its root, not L1), the model that was passed in is the one that moves.",
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
    history = student.train.train(student.make(case.model), case.loader(8), accelerator(), epochs=2, **SGD)
    kinds = [type(loss).__name__ for loss in history] if isinstance(history, list) else type(history).__name__
    require(kinds == ["float", "float"], "train returns a list of floats", expected=["float", "float"], got=kinds)


@check(
    title="Accumulated micro-batches step like one large batch",
    hint="accumulate(model) around the step and accelerator.backward(loss); Accelerate divides by k, you do not.",
)
def test_accumulation(student, case):
    for k, micro in ((2, 4), (4, 2)):
        model = student.make(case.model)
        grouped = accelerator(gradient_accumulation_steps=k)
        student.train.train(model, case.loader(micro), grouped, epochs=2, **SGD)
        expected = case.trained(batch_size=8, epochs=2, lr=0.05)
        require_weights(model, expected, f"the weight with {k} × {micro} rows a step")


@check(
    title="Two processes step like one with a batch twice the size",
    hint="Use what prepare returns: the prepared loader shares the rows out, the prepared model averages the gradients.",
)
def test_two_processes(student, case):
    results = student.on(processes=2).train.train(case.model, case.loader(4), accelerator(), epochs=1, **SGD)
    expected = case.trained(batch_size=8, epochs=1, lr=0.05)
    for states in results.modules:
        require(len(states) == 1, "the model that was passed in is trained in place")
        require_state(states[0], expected, "the weight on two processes")


@check(
    title="The loss counts the samples of all processes",
    hint="Gather or reduce before you average: a process sees only its own share of the rows.",
)
def test_two_process_loss(student, case):
    results = student.on(processes=2).train.train(case.model, case.loader(4), accelerator(), epochs=2, **STILL)
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
def test_mixed_precision(student, precision):
    model = student.make(recipe("TwoLayers", precision.first, precision.second))
    batches = loader(precision.X, precision.y, batch_size=8)
    student.train.train(model, batches, accelerator(mixed_precision="bf16"), epochs=1, **SGD)
    state = model.state_dict()
    require(isinstance(state, dict), "the model keeps its parameters", got=state)
    dtypes = {str(getattr(value, "dtype", None)).removeprefix("torch.") for value in state.values()}
    require(dtypes == {"float32"}, "parameters stay float32", got=dtypes)
    got = np.concatenate([as_array(value, "a parameter").reshape(-1) for value in state.values()])
    require(got.shape == precision.mixed.shape, "the model keeps its parameters' shapes")
    far, near = (float(np.abs(got - step).max()) for step in (precision.full, precision.mixed))
    # a correct loop is within rounding of the mixed step; the full one is as far as bf16 is coarse
    apart = float(np.abs(precision.full - precision.mixed).max())
    require(
        near <= 0.3 * apart,
        "the step is the one that bf16 gives",
        expected=f"within {0.3 * apart:.2g}",
        got=f"{near:.2g} ({far:.2g} from float32's)",
    )


@check(title='optimizer="adamw" is AdamW with the given rate', hint="torch.optim.AdamW with its default betas.")
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


@check(
    title="Trained on houses, the model predicts prices that it has not seen",
    hint="Start the bias at the mean of the training targets' log price, as bias_init; 40 epochs are then enough.",
)
def test_learns(student, houses, thresholds):
    X, X_hidden = _simple_features(houses)
    y = np.log1p(houses.train["SalePrice"].to_numpy(float))
    model = student.train.LinearRegression(X.shape[1], bias_init=float(y.mean()))
    batches = student.train.make_loader(X.astype("float32"), y.astype("float32"), 64, True)
    student.train.train(model, batches, accelerator(), epochs=40, lr=0.02, optimizer="adamw")
    model.eval()
    predicted = as_array(model(tensor(X_hidden)), "the predictions", shape=(len(X_hidden),))
    error = predicted - np.log1p(houses.hidden["SalePrice"].to_numpy(float))
    rmse = as_float(np.sqrt(np.mean(error**2)), "the error")
    limit = thresholds["trained_rmse_log"]
    require(rmse <= limit, "the RMSE of hidden log prices is low", expected=f"≤ {limit}", got=f"{rmse:.4f}")


def _simple_features(houses) -> tuple[np.ndarray, np.ndarray]:
    """Standardised numbers of the training and the hidden houses, by the suite's own hand: no task builds on another."""
    names = ["OverallQual", "GrLivArea", "TotalBsmtSF", "YearBuilt", "GarageCars", "LotArea", "Fireplaces", "FullBath"]
    both = [table[names].astype(float).to_numpy() for table in (houses.train, houses.hidden)]
    mean, std = both[0].mean(axis=0), both[0].std(axis=0)
    return (both[0] - mean) / std, (both[1] - mean) / std
