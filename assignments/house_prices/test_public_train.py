"""Self-checks of task 3, train.py: `pytest -k train`."""

import sys

import numpy as np
import pandas as pd
import pytest

from grader.suite import (
    Recipe,
    accelerator,
    as_array,
    assert_close,
    check,
    linear,
    loader,
    require_equal,
    tensor,
)

START = "x = 1, 2; y = 3, 5; weight 1, bias 0, SGD with lr 0.1"


def two_rows(batch_size: int) -> Recipe:
    return loader(np.array([[1.0], [2.0]]), np.array([3.0, 5.0]), batch_size=batch_size)


def trained(student, batch_size: int, **settings) -> list[float]:
    """Weight and bias after one epoch on the two rows; `settings` are the accelerator's."""
    model = student.make(linear([1.0], 0.0))
    student.train.train(model, two_rows(batch_size), accelerator(**settings), epochs=1, lr=0.1, optimizer="sgd")
    return weight_and_bias(model.state_dict())


def weight_and_bias(state: dict) -> list[float]:
    return [float(as_array(state[name], name).reshape(-1)[0]) for name in ("0.weight", "0.bias")]


@check(
    title="The model maps (batch, n_features) to (batch,) and starts at bias_init",
    hint="nn.Linear(n_features, 1), its bias set to bias_init; squeeze the last dimension of its output away.",
)
def test_train_model(student):
    model = student.train.LinearRegression(3, bias_init=12.0)
    case = "4 houses with 3 features, all of them 0; bias_init = 12"
    got = as_array(model(tensor(np.zeros((4, 3)))), "the untrained output", shape=(4,), case=case)
    assert_close(got, [12.0] * 4, "the untrained output", case=case)
    as_array(model(tensor(np.zeros((1, 3)))), "the untrained output", shape=(1,), case="a single house with 3 features")
    parameters = sum(as_array(parameter, "a parameter").size for parameter in model.parameters())
    require_equal(parameters, 4, "there is one weight a feature and a bias", "3 features")


@check(
    title="make_loader gives float32 pairs and drops no row",
    hint="as_float_tensor of both, y reshaped to (n,), then a DataLoader; leave its drop_last alone.",
)
def test_train_loader(student):
    X, y = pd.DataFrame({"a": [1.0, 2, 3, 4, 5], "b": [6.0, 7, 8, 9, 10]}), [[10.0], [20], [30], [40], [50]]
    batches = [tuple(pair) for pair in student.train.make_loader(X, np.array(y), 2, False)]
    shapes = [tuple(as_array(part, "a part").shape for part in pair) for pair in batches]
    wanted = [((2, 2), (2,)), ((2, 2), (2,)), ((1, 2), (1,))]
    require_equal(shapes, wanted, "batches have the right shapes", "X (5, 2), y (5, 1), batch_size 2")
    dtypes = {str(part.dtype).removeprefix("torch.") for pair in batches for part in pair}
    require_equal(dtypes, {"float32"}, "features and targets are float32")
    shuffled = [value for _, ys in student.train.make_loader(X, np.array(y), 2, True) for value in as_array(ys, "y")]
    require_equal(sorted(shuffled), [10, 20, 30, 40, 50], "shuffled, every row still comes once")


@check(
    title="Each batch gives one step, down its own gradient of the mean squared error",
    hint="(2.6, 1) is a sum, not a mean; (2.52, 1.16) never cleared the gradients; (1, 0) lost them before the step.",
)
def test_train_step(student):
    assert_close(trained(student, 2), [1.8, 0.5], "(weight, bias)", case=f"one batch of two rows: {START}")
    assert_close(trained(student, 1), [2.12, 0.76], "(weight, bias)", case=f"two batches of one row: {START}")


@check(
    title="An epoch's loss is the mean over its samples, as a Python float",
    hint="loss.item() makes a float of a tensor. 11.25 is the mean of the batches' means: the last batch has one row only "
    "and must weigh less.",
)
def test_train_loss(student):
    rows = loader(np.array([[1.0], [2.0], [3.0]]), np.array([3.0, 5.0, 7.0]), batch_size=2)
    settings = {"epochs": 2, "lr": 0.0, "optimizer": "sgd"}  # at a rate of 0 the model stays as it is
    history = student.train.train(student.make(linear([1.0], 0.0)), rows, accelerator(), **settings)
    kinds = [type(loss).__name__ for loss in history] if isinstance(history, list) else type(history).__name__
    require_equal(kinds, ["float", "float"], "train returns a list of floats, one an epoch", "epochs=2")
    case = "squared errors 4, 9 and 16, in batches of 2"
    assert_close(history, [29 / 3, 29 / 3], "the loss", case=case, rtol=1e-4)


@check(
    title="Two accumulated batches step like one batch of both",
    hint="(1.68, 0.44) lacks accumulate(model); (2.6, 1) is loss.backward(); (1.4, 0.25) divided by hand as well; "
    "(1.6, 0.3) wipes the first batch's gradients: zero_grad belongs after step.",
)
def test_train_accumulation(student):
    got = trained(student, 1, gradient_accumulation_steps=2)
    assert_close(got, [1.8, 0.5], "(weight, bias)", case=f"two batches of one row, accumulated: {START}")


@pytest.mark.skipif(sys.platform != "linux", reason="two processes are tried on Linux only")
@check(
    title="Two processes step like one with both rows",
    hint="(2.12, 0.76): the loader is not the prepared one, each process saw both rows; (1.4, 0.4): the model is not. "
    "A loss of 4 or 9 is that of one process: gather or reduce before you average.",
)
def test_train_processes(student):
    settings = {"epochs": 1, "lr": 0.1, "optimizer": "sgd"}
    results = student.on(processes=2).train.train(linear([1.0], 0.0), two_rows(1), accelerator(), **settings)
    case = f"one row on each of two processes: {START}"
    assert_close(weight_and_bias(results.modules[0][0]), [1.8, 0.5], "(weight, bias)", case=case)
    for rank, history in enumerate(results.values):
        assert_close(history, [6.5], "the loss", case=f"squared errors 4 and 9, process {rank} of 2", rtol=1e-4)
