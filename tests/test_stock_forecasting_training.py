"""Task 3 of project 3's reference solution, against the cells' formulas and plain PyTorch: one device, nothing prepared."""

import copy
import random

import numpy as np
import pytest
import stock_forecasting_solved as shared
import torch
import torch.nn.functional as F
from torch import nn

solved, accelerator, close_figures = shared.solved, shared.accelerator, shared.close_figures
WINDOWS, TARGETS, Line, loader = shared.WINDOWS, shared.TARGETS, shared.Line, shared.loader
CELLS = {"rnn": 1, "gru": 3, "lstm": 4}  # sets of weights


def step(cell: str, given: torch.Tensor, recalled: torch.Tensor, state: tuple) -> tuple:
    """One day by the handout's formulas: what W and U make of input and memory, (batch, sets · hidden) each."""
    h, s = state
    if cell == "rnn":
        return torch.tanh(given + recalled), s
    x, u = (part.chunk(CELLS[cell], dim=1) for part in (given, recalled))
    if cell == "gru":
        r, z = torch.sigmoid(x[0] + u[0]), torch.sigmoid(x[1] + u[1])
        return (1 - z) * torch.tanh(x[2] + r * u[2]) + z * h, s
    i, f, g, o = (part + other for part, other in zip(x, u, strict=True))
    s = torch.sigmoid(f) * s + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(s), s


def forecast_by_formula(model: nn.Module, cell: str, layers: int, x: torch.Tensor) -> torch.Tensor:
    """What the weights say, layer by layer and day by day: (batch,)."""
    weights, days = dict(model.rnn.named_parameters()), list(x.unbind(dim=1))
    for layer in range(layers):
        W, U, b, c = (weights[f"{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        state = (torch.zeros(len(x), U.shape[1]),) * 2
        for t, day in enumerate(days):
            state = step(cell, day @ W.T + b, state[0] @ U.T + c, state)
            days[t] = state[0]
    return (days[-1] @ model.head.weight.T + model.head.bias)[:, 0]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_the_network_is_its_cells_formula(solved, cell, layers):
    torch.manual_seed(0)
    model = solved.model.PriceRNN(3, 4, layers, dropout=0.5, cell=cell).eval()
    with torch.no_grad():
        expected = forecast_by_formula(model, cell, layers, WINDOWS)
        found = model(WINDOWS)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(model(WINDOWS[:1]), expected[:1], atol=1e-6, rtol=1e-5)
        assert model(WINDOWS[:1]).shape == (1,)
        assert torch.equal(model(WINDOWS), found), "nothing is remembered"
    first, later = 3 * 4 + 4 * 4 + 2 * 4, 4 * 4 + 4 * 4 + 2 * 4
    assert sum(p.numel() for p in model.rnn.parameters()) == CELLS[cell] * (first + (layers - 1) * later)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_is_for_training_with_one_layer_too(solved, layers):
    torch.manual_seed(0)
    model = solved.model.PriceRNN(3, 8, layers, dropout=0.5)
    assert len({model(WINDOWS[:1]).item() for _ in range(8)}) > 1
    assert len({model.eval()(WINDOWS[:1]).item() for _ in range(8)}) == 1
    certain = solved.model.PriceRNN(3, 8, layers)
    assert len({certain(WINDOWS[:1]).item() for _ in range(8)}) == 1


def test_an_unknown_cell_is_named(solved):
    with pytest.raises(ValueError, match=r"gru, lstm, rnn.*'gsu'"):
        solved.model.PriceRNN(3, 4, cell="gsu")


# The loop -------------------------------------------------------------------------------------------------------------


def by_hand(config, n: int = 24, batch_size: int = 4, accumulate: int = 1, val: slice = slice(None)) -> tuple:
    """Train a `Line` with torch alone: losses of each epoch as met, losses of `val` after it, and the weights after it."""
    model = Line()
    kind = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[config.optimizer]
    optimizer = kind(model.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    loss_of = {"huber": F.huber_loss, "mse": F.mse_loss}[config.loss]
    batches = [slice(start, min(start + batch_size, n)) for start in range(0, n, batch_size)]
    trained, validated, weights = [], [], []
    for _ in range(config.epochs):
        met = []
        for number, rows in enumerate(batches, start=1):
            losses = loss_of(model(WINDOWS[rows]), TARGETS[rows], reduction="none")
            (losses.mean() / accumulate).backward()
            met += losses.tolist()
            if number % accumulate == 0:
                if config.max_grad_norm is not None:
                    norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
                    for p in model.parameters():
                        p.grad *= min(1.0, config.max_grad_norm / norm.item())
                optimizer.step()
                optimizer.zero_grad()
        trained.append(np.mean(met))
        validated.append(loss_of(model(WINDOWS[val]), TARGETS[val]).item())
        weights.append(copy.deepcopy(model.state_dict()))
    return trained, validated, weights


def assert_weights(model: nn.Module, expected: dict) -> None:
    # float32, and clipping by a norm that was summed in another order
    torch.testing.assert_close(model.state_dict(), expected, atol=2e-6, rtol=1e-5)


CASES = {  # changes to the config, windows, batch size, accumulated batches
    "huber": ({}, 24, 4, 1),
    "squared": ({"loss": "mse", "lr": 0.01}, 24, 4, 1),
    "adamw": ({"optimizer": "adamw", "weight_decay": 0.5}, 24, 4, 1),
    "decay": ({"weight_decay": 0.3}, 24, 4, 1),
    "uneven": ({}, 22, 4, 1),
    "clipped": ({"max_grad_norm": 0.05}, 24, 4, 1),
    "accumulated": ({}, 24, 4, 3),
    "accumulated and clipped": ({"max_grad_norm": 0.05}, 24, 4, 2),
}


@pytest.mark.parametrize("case", CASES)
def test_every_step_and_every_number_is_plain_pytorchs(solved, accelerator, case):
    changes, n, batch_size, accumulate = CASES[case]
    config = solved.train.TrainConfig(
        **{"epochs": 4, "lr": 0.1, "optimizer": "sgd", "max_grad_norm": None, "patience": None} | changes
    )
    model, val = Line(), loader(11, 4, start=13)
    built = accelerator(gradient_accumulation_steps=accumulate)
    history = solved.train.train(model, loader(n, batch_size), val, built, config)
    trained, validated, weights = by_hand(config, n, batch_size, accumulate, slice(13, 24))
    np.testing.assert_allclose(history.train_loss, trained, rtol=1e-5)
    np.testing.assert_allclose(history.val_loss, validated, rtol=1e-5)
    assert history.best_epoch == 1 + int(np.argmin(validated))
    assert_weights(model, weights[history.best_epoch - 1])
    assert {type(value) for value in history.train_loss + history.val_loss + history.seconds} == {float}
    assert len(history.seconds) == 4
    assert min(history.seconds) > 0


STOPS = {  # validation losses as planned, patience -> epochs trained, epoch kept
    "the docstring's": ([3, 1, 2, 1.5, 0.1], 2, 4, 2),
    "equal is not better": ([2, 2, 2, 1], 2, 3, 1),
    "from the last better one": ([5, 6, 4, 5, 3, 4, 4, 0], 2, 7, 5),
    "the last is the best": ([5, 4, 3, 2, 1], 2, 5, 5),
    "best of all, untrained to the end": ([1, 3, 2, 4, 2], 9, 5, 1),
    "without patience": ([1, 3, 3, 3, 3, 3, 2], None, 7, 1),
    "impatient": ([2, 1, 1, 0], 1, 3, 2),
}


@pytest.mark.parametrize("case", STOPS)
def test_training_stops_and_keeps_as_planned(solved, accelerator, monkeypatch, case):
    planned, patience, trained, kept = STOPS[case]
    losses = iter([float(loss) for loss in planned])
    monkeypatch.setattr(solved.train, "validate", lambda *_: next(losses))
    config = solved.train.TrainConfig(epochs=len(planned), lr=0.05, optimizer="sgd", patience=patience)
    model = Line()
    history = solved.train.train(model, loader(), loader(), accelerator(), config)
    assert history.val_loss == planned[:trained]
    assert len(history.train_loss) == len(history.seconds) == trained
    assert history.best_epoch == kept
    assert_weights(model, by_hand(config)[2][kept - 1])


class Watched(Line):
    """Notes the mode of each forward pass, and whether it recorded gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.met = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.met.append((self.training, torch.is_grad_enabled()))
        return super().forward(x)


def test_each_epoch_trains_in_training_mode_and_validates_in_eval_mode(solved, accelerator):
    model = Watched().eval()
    solved.train.train(model, loader(8), loader(4), accelerator(), solved.train.TrainConfig(epochs=2))
    assert model.met == [(True, True), (True, True), (False, False)] * 2


def trained_after(solved, accelerator, noise: int, *, seed: int, own: bool) -> dict:
    """Weights after training with dropout and a shuffled loader, with the random state left in some other place."""
    for module in (torch, np.random, random):
        (module.manual_seed if module is torch else module.seed)(noise)
    batches = loader(seed=noise) if own else loader()
    if not own:
        batches = torch.utils.data.DataLoader(batches.dataset, 4, shuffle=True)
    model = Line(dropout=0.5)
    config = solved.train.TrainConfig(epochs=2, lr=0.05, seed=seed)
    solved.train.train(model, batches, loader(), accelerator(), config)
    return model.state_dict()


@pytest.mark.parametrize("own", [True, False], ids=["own generator", "torch's generator"])
def test_chance_follows_from_the_seed_alone(solved, accelerator, own):
    first, second, other = (
        trained_after(solved, accelerator, noise, seed=seed, own=own) for noise, seed in ((1, 5), (2, 5), (1, 6))
    )
    torch.testing.assert_close(first, second, atol=0, rtol=0)
    assert not torch.equal(first["sum.weight"], other["sum.weight"])


def test_unknown_settings_are_named(solved):
    for make, settings in (
        (solved.train.make_loss, {"loss": "l7"}),
        (lambda c: solved.train.make_optimizer(Line(), c), {"optimizer": "lion"}),
    ):
        with pytest.raises(ValueError, match=next(iter(settings.values()))):
            make(solved.train.TrainConfig(**settings))


def test_the_picture_shows_both_losses_and_the_epoch_kept(solved):
    history = solved.train.History([3.0, 2.0], [4.0, 5.0], [0.1, 0.1], 1)
    axis = solved.train.plot_training(history).axes[0]
    lines = {line.get_label(): line for line in axis.lines}
    assert lines["training"].get_xydata().tolist() == [[1, 3], [2, 2]]
    assert lines["validation"].get_xydata().tolist() == [[1, 4], [2, 5]]
    assert set(lines["kept"].get_xdata()) == {1}
