"""Task 4, the scores of trials: the suite's network says one number that follows from all it was told, so that the errors
of an honest walk are known.

Features, network, loop and errors are played by stand-ins, so that a mistake there costs nothing here.
"""

from collections.abc import Iterator

import numpy as np

from grader.suite import (
    Run,
    accelerator,
    as_float,
    as_frame,
    check,
    reference,
    require,
    require_columns,
)

MEASURES = ("mae_mean", "mae_std", "seconds", "error")


@reference
def space(run: Run) -> dict[str, list]:
    """Settings that all tell in the errors, with values that are no defaults."""
    rng = run.rng("space")
    return {
        "lookback": [4, 7],
        "batch_size": [8, 13],
        "hidden_size": [4, int(rng.integers(20, 40))],
        "num_layers": [2, 3],
        "dropout": [0.1, 0.25],
        "lr": [float(rng.uniform(0.01, 0.05)), float(rng.uniform(0.06, 0.1))],
        "epochs": [2, 30],
        "optimizer": ["sgd"],
        "max_grad_norm": [None, 0.5],
        "patience": [3, None],
    }


def near(got: float, expected: float) -> bool:
    """Windows and answers pass through float32, with 1e-7 of a price that is a hundred times its usual error."""
    return abs(got - expected) <= 1e-4 * expected


@check(
    title="A trial's score is the mean error over its folds, in units of price",
    hint="Walk forward over the known days, half of the windows before the first block, with the gap that they need; "
    "training loaders are shuffled; settings, seed and accelerator go where they belong, the rest keeps its default; "
    "`close` is the price before the target's day; mean and deviation of evaluate's mae.",
)
def test_search_score(tuner, walk, space, errors_of, rng):
    plain = {"weight_decay": [0.37], "loss": ["mse"]}
    for wanted, n_trials, accumulation in ((plain, 1, 1), (space, 4, 3)):
        here, seed = accelerator(gradient_accumulation_steps=accumulation), int(rng.integers(11, 999))
        found = tuner.tune.search(walk, wanted, here, n_trials=n_trials, seed=seed)
        table = as_frame(found, "search's result")
        require_columns(table, [*wanted, *MEASURES], "search's result")
        require(len(table) == n_trials, "there is one row a trial", expected=n_trials, got=len(table))
        for values in zip(*(table[name] for name in (*wanted, *MEASURES)), strict=True):
            row = dict(zip((*wanted, *MEASURES), values, strict=True))
            settings = {name: row[name] for name in wanted}
            require_scores(row, settings, errors_of(walk.iloc[:-15], settings, seed, accumulation))


def require_scores(row: dict, settings: dict, errors: Iterator[list[float]]) -> None:
    case = str(settings)
    mean, std = (as_float(row[name], name, case=case) for name in ("mae_mean", "mae_std"))
    walks = list(errors)
    right = [folds for folds in walks if near(mean, np.mean(folds))]
    rule = "mae_mean is the mean of the errors of folds that have learned for themselves"
    require(bool(right), rule, expected=f"{np.mean(walks[0]):.5f}", got=f"{mean:.5f} {row['error']}", case=case)
    # With ddof 0 or 1. A difference of errors has the errors' rounding, which is more than that of its own size.
    spreads = [(np.std(folds, ddof=ddof), 1e-4 * np.mean(folds)) for folds in right for ddof in (0, 1)]
    fits = any(abs(std - spread) <= slack for spread, slack in spreads)
    require(fits, "mae_std is their standard deviation", expected=f"{spreads[0][0]:.5f}", got=std, case=case)


@check(
    title="In each fold everything learns anew, from its training windows alone",
    hint="A new Scaler, fitted on X and y of the training windows, for both parts, and a new network for each fold, "
    "after torch.manual_seed(seed) each time: nothing that has seen the validation windows, or another fold's.",
)
def test_search_learns_anew(tuner, walk, errors_of, rng):
    seed = int(rng.integers(999))
    # An "lstm" goes on from what it knew before and sees the scale of the features, an "rnn" tells what it was drawn with.
    for cell, lookback in (("lstm", 4), ("lstm", 6), ("rnn", 5)):
        settings = {"cell": cell, "lookback": lookback, "hidden_size": 8, "lr": float(rng.uniform(0.01, 0.1))}
        wanted = {name: [value] for name, value in settings.items()}
        found = tuner.tune.search(walk, wanted, accelerator(), n_trials=1, seed=seed)
        table = as_frame(found, "search's result", case=f"{cell}, lookback {lookback}")
        require_columns(table, MEASURES, "search's result")
        require(len(table) == 1, "there is one row a trial", expected=1, got=len(table))
        row = {name: table[name][0] for name in MEASURES}
        require_scores(row, settings, errors_of(walk.iloc[:-15], settings, seed, 1))
