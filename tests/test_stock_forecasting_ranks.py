"""Tasks 3 to 5 of project 3's reference solution on two processes, which decide alike and are like one with twice the batch."""

import contextlib
import copy
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import stock_forecasting_solved as shared
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

solved, accelerator = shared.solved, shared.accelerator
WINDOWS, TARGETS, Line, loader = shared.WINDOWS, shared.TARGETS, shared.Line, shared.loader
STOPPING = {"epochs": 30, "lr": 0.05, "optimizer": "sgd", "loss": "mse", "max_grad_norm": None, "patience": 2}
CLIPPED = {"epochs": 3, "lr": 0.3, "optimizer": "sgd", "max_grad_norm": 0.05, "seed": 5}
PATIENCE = 300  # seconds; a busy machine needs most of two minutes
BUDGET, TICKS = 10.0, (1.0, 3.0)  # seconds in all, and by each look at its clock, of the first and the second process

TWO_RANKS = """
import dataclasses, os, sys, torch
sys.path[:0] = sys.argv[1:3]
from types import SimpleNamespace
import tune
from accelerate import Accelerator, debug_launcher
from evaluate import evaluate, predict
from features import Scaler
from stock_forecasting_solved import Line, draw_prices, forget, loader
from test_stock_forecasting_ranks import BUDGET, CLIPPED, STOPPING, TICKS, disputed, scaler_of
from train import TrainConfig, train

def run(model, train_loader, val_loader, accelerator, **settings):
    history = train(model, train_loader, val_loader, accelerator, TrainConfig(**settings))
    return {"state": model.state_dict(), "history": dataclasses.asdict(history)}

def main():
    rank = torch.distributed.get_rank()
    os.environ["LOCAL_RANK"] = str(rank)  # as every launcher but this one does
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    assert accelerator.num_processes == 2
    report = {"clipped": run(Line(), loader(24, 2, seed=1), loader(9, 2), accelerator, **CLIPPED)}
    forget()
    accelerator = Accelerator(cpu=True)
    report["stopped"] = run(Line(), *disputed(2), accelerator, **STOPPING)
    shuffled = lambda: torch.utils.data.DataLoader(loader().dataset, 4, shuffle=True)
    report["seeds"] = [
        run(Line(0.5), shuffled(), loader(9, 2), accelerator, epochs=2, lr=0.1, seed=seed) for seed in (1, 2)
    ]
    model = Line()
    y_true, y_pred = predict(model, loader(9, 2), accelerator)
    report |= {"y_true": torch.tensor(y_true), "y_pred": torch.tensor(y_pred)}
    report["measures"] = evaluate(model, loader(9, 2), scaler_of(Scaler), 50.0 + torch.arange(9).numpy(), accelerator)

    space = {"cell": ["rnn", "gsu"], "hidden_size": [2, 3], "lookback": [4], "epochs": [1]}
    table = tune.search(draw_prices(150), space, accelerator, n_trials=4, seed=0)
    report["trials"] = table.drop(columns="seconds").to_dict("list")
    ticks = iter(range(1, 1000))
    tune.time = SimpleNamespace(monotonic=lambda: next(ticks) * TICKS[rank])

    def meet(*_, **__):  # as a training does: a process that went on alone would wait here
        return [accelerator.gather(torch.ones(1)).sum().item()]

    tune.cross_validate = meet
    table = tune.search(draw_prices(150), space, accelerator, n_trials=9, seed=0, budget_seconds=BUDGET)
    report["met"] = table["mae_mean"].tolist()
    torch.save(report, f"{sys.argv[3]}/rank{rank}.pt")

torch.set_num_threads(1)
debug_launcher(main, num_processes=2)
"""


def scaler_of(kind: type) -> object:
    """A scaler of mean 0.02 and deviation 0.03 for the target."""
    return kind().fit(np.zeros((2, 1, 1)), np.array([-0.01, 0.05]))


def disputed(batch_size: int) -> tuple[DataLoader, DataLoader]:
    """Data on which two processes would stop at different epochs if each looked at its own validation windows.

    Training leads the weights of `Line` to others. Windows of the even batches of two agree with where it leads, those of
    the odd ones with a place on the way, so that these get worse when it has been passed.
    """
    start = torch.linspace(-0.5, 0.5, WINDOWS[0].numel())
    goal = start + torch.cos(torch.arange(len(start)))
    x = WINDOWS.flatten(1)
    own = torch.arange(len(x)) // 2 % 2  # by which process a window would be validated, in batches of two
    val = torch.where(own == 0, x @ goal, x @ (start + 0.4 * (goal - start)))
    train_loader = DataLoader(TensorDataset(WINDOWS, x @ goal), batch_size)
    return train_loader, DataLoader(TensorDataset(WINDOWS[:9], val[:9]), batch_size)


def stops(losses: list[float], patience: int) -> tuple[int, int]:
    """After which epoch training ends by these validation losses, and which one was the best."""
    best = 1
    for epoch, loss in enumerate(losses, start=1):
        best = epoch if loss < losses[best - 1] else best
        if epoch - best >= patience:
            break
    return epoch, best


def by_hand() -> tuple[list[list[float]], list[dict]]:
    """Validation losses of all, of the first and of the second process' windows, and the weights, epoch by epoch."""
    model, (train_loader, val_loader) = Line(), disputed(4)
    optimizer = torch.optim.SGD(model.parameters(), lr=STOPPING["lr"])
    x, y = val_loader.dataset.tensors
    own, losses, weights = torch.arange(len(y)) // 2 % 2, ([], [], []), []
    for _ in range(STOPPING["epochs"]):
        for windows, targets in train_loader:
            optimizer.zero_grad()
            F.mse_loss(model(windows), targets).backward()
            optimizer.step()
        error = (model(x) - y).detach() ** 2
        for met, rows in zip(losses, (own >= 0, own == 0, own == 1), strict=True):
            met.append(error[rows].mean().item())
        weights.append(copy.deepcopy(model.state_dict()))
    return losses, weights


def test_the_disputed_data_are_disputed():
    # Otherwise a process that decides by itself would go unnoticed below.
    ends = [stops(losses, STOPPING["patience"])[0] for losses in by_hand()[0]]
    assert len(set(ends)) == 3
    assert ends[2] < ends[0] < min(ends[1], STOPPING["epochs"])


@pytest.fixture(scope="module")
def ranks(tmp_path_factory) -> list[dict]:
    """What each of the two processes found."""
    folder = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, "-c", TWO_RANKS, str(shared.SOLUTION), str(Path(__file__).parent), str(folder)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    running = subprocess.Popen(command, **pipes, env=environment, start_new_session=True)
    try:
        _, said = running.communicate(timeout=PATIENCE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)  # ranks that wait for each other outlive their parent
    assert running.returncode == 0, said
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]


pytestmark = [pytest.mark.skipif(not hasattr(os, "fork"), reason="the two ranks are forked")]


def assert_like_one(found: dict, model: torch.nn.Module, history: object) -> None:
    # float32 sums in another order
    torch.testing.assert_close(found["state"], model.state_dict(), atol=1e-5, rtol=1e-4)
    assert found["history"]["best_epoch"] == history.best_epoch
    for name in ("train_loss", "val_loss"):
        np.testing.assert_allclose(found["history"][name], getattr(history, name), rtol=1e-4, err_msg=name)


@pytest.mark.slow
def test_two_processes_are_one_with_twice_the_batch(solved, accelerator, ranks):
    model, config = Line(), solved.train.TrainConfig(**CLIPPED)
    built = accelerator(gradient_accumulation_steps=2)
    history = solved.train.train(model, loader(24, 4, seed=1), loader(9, 4), built, config)
    for found in ranks:
        assert_like_one(found["clipped"], model, history)


@pytest.mark.slow
def test_two_processes_stop_after_the_same_epoch(solved, accelerator, ranks):
    losses, weights = by_hand()
    ended, best = stops(losses[0], STOPPING["patience"])
    model, config = Line(), solved.train.TrainConfig(**STOPPING)
    history = solved.train.train(model, *disputed(4), accelerator(), config)
    for found in ranks:
        assert_like_one(found["stopped"], model, history)
        np.testing.assert_allclose(found["stopped"]["history"]["val_loss"], losses[0][:ended], rtol=1e-4)
        torch.testing.assert_close(found["stopped"]["state"], weights[best - 1], atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_two_processes_follow_the_seed(ranks):
    for number in (0, 1):
        one, other = (found["seeds"][number] for found in ranks)
        torch.testing.assert_close(one["state"], other["state"], atol=0, rtol=0)
    first, second = ranks[0]["seeds"]
    assert not torch.equal(first["state"]["sum.weight"], second["state"]["sum.weight"])


@pytest.mark.slow
def test_two_processes_count_each_window_once(solved, accelerator, ranks):
    said = Line()(WINDOWS[:9]).detach()
    close = 50.0 + np.arange(9)
    measures = solved.evaluate.evaluate(Line(), loader(9, 4), scaler_of(solved.features.Scaler), close, accelerator())
    for found in ranks:
        assert torch.equal(found["y_true"], TARGETS[:9])
        torch.testing.assert_close(found["y_pred"], said, atol=1e-5, rtol=1e-4)
        assert found["measures"] == pytest.approx(measures, rel=1e-4)


@pytest.mark.slow
def test_two_processes_run_the_same_trials_within_the_budget(ranks):
    first, second = (found["trials"] for found in ranks)
    assert first["error"] == second["error"]
    np.testing.assert_equal(first["mae_mean"], second["mae_mean"])
    assert np.isfinite(first["mae_mean"]).any()
    # A clock is looked at when the search begins, and twice in a trial: the slower one reaches the budget before the third.
    assert [found["met"] for found in ranks] == [[2.0, 2.0]] * 2
