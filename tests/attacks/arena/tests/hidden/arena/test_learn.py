"""Hidden checks of models and training."""

import numpy as np
import torch

from grader.suite import accelerator, as_array, assert_close, check, linear, loader, recipe, require


@check(title="predictions explain the hidden rows", hint="least squares")
def test_predict(student, rng, thresholds):
    weights = rng.normal(size=4)
    x, new = rng.normal(size=(40, 4)), rng.normal(size=(30, 4))
    y, hidden = (part @ weights + 2 + 0.1 * rng.normal(size=len(part)) for part in (x, new))
    predicted = as_array(student.learn.predict(x, y, new), "the predictions", shape=(30,))
    r2 = 1 - np.sum((hidden - predicted) ** 2) / np.sum((hidden - hidden.mean()) ** 2)
    require(bool(r2 >= thresholds["r2"]), "R² on hidden rows", expected=f"at least {thresholds['r2']}", got=r2)


@check(title="training follows the gradient", hint="SGD on the mean squared error")
def test_train(student, rng):
    x, y = rng.normal(size=(12, 3)).astype(np.float32), rng.normal(size=12).astype(np.float32)
    start = rng.normal(size=3)
    model = student.make(linear(start, 0.5))
    student.learn.train(model, loader(x, y, batch_size=4), accelerator(), 2, 0.05)
    assert_close(model.state_dict()["0.weight"], trained(x, y, start), "the weights", rtol=1e-3, atol=1e-4)


def trained(x, y, start):
    """The weights after a plain loop."""
    weight = torch.tensor(start[None], dtype=torch.float32, requires_grad=True)
    bias = torch.tensor([0.5], requires_grad=True)
    for _ in range(2):
        for rows in torch.arange(12).split(4):
            out = torch.nn.functional.linear(torch.tensor(x)[rows], weight, bias)[:, 0]
            gradients = torch.autograd.grad(((out - torch.tensor(y)[rows]) ** 2).mean(), [weight, bias])
            with torch.no_grad():
                for parameter, gradient in zip([weight, bias], gradients, strict=True):
                    parameter -= 0.05 * gradient
    return weight.detach().numpy()


@check(title="the model has two layers and a ReLU between", hint="nn.Sequential")
def test_model(student, rng):
    x = torch.tensor(rng.normal(size=(5, 4)), dtype=torch.float32)
    model = student.learn.make_model(4, 7)
    state = {name: torch.as_tensor(as_array(values, name)) for name, values in model.state_dict().items()}
    hidden = torch.relu(x.double() @ state["0.weight"].T + state["0.bias"])
    assert_close(model(x), hidden @ state["2.weight"].T + state["2.bias"], "the output", rtol=1e-3, atol=1e-4)
    require(state["0.weight"].shape == (7, 4), "the hidden layer's shape", got=tuple(state["0.weight"].shape))
    require(all(bool(values.std() > 0) for values in state.values() if values.numel() > 1), "weights are drawn")


@check(title="batches come in turn", hint="a generator")
def test_batches(student, rng):
    x = rng.normal(size=(10, 2))
    parts = [as_array(part, "a batch") for part in student.learn.batches(x, 4)]
    require([len(part) for part in parts] == [4, 4, 2], "sizes of the batches", got=[len(part) for part in parts][:9])
    assert_close(np.concatenate(parts), x, "the rows")


@check(title="the mean is that of both processes", hint="gather")
def test_ranks(student, rng):
    values = rng.normal(size=(2, 3))
    results = student.on(processes=2).learn.mean_over_ranks(accelerator(), recipe("share", values))
    assert_close(results.values, [values.mean()] * 2, "the means")
