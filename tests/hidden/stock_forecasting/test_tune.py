"""Task 4, folds and the choice among trials: by sets of numbers that are plain."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from grader.suite import CheckFailed, as_array, check, require

Folds = list[tuple[np.ndarray, np.ndarray]]


def split(student, *shape: int, **gap: int) -> Folds:
    """(train, val) of each fold as whole numbers."""
    case = f"n, n_splits, min_train = {shape}" + "".join(f", {name}={value}" for name, value in gap.items())
    got = student.tune.walk_forward_splits(*shape, **gap)
    rule = "walk_forward_splits gives a list of pairs (train, val)"
    require(isinstance(got, list | tuple) and len(got) > 0, rule, got=type(got).__name__, case=case)
    folds = []
    for fold in got:
        require(isinstance(fold, list | tuple) and len(fold) == 2, rule, got=fold, case=case)
        train, val = (as_array(part, "a part of a fold", shape=(None,), case=case) for part in fold)
        require(len(train) > 0 and len(val) > 0, "both parts of a fold have windows", got=fold, case=case)
        folds.append((train, val))
    return folds


def shapes(rng: np.random.Generator, questions: int) -> Iterator[tuple[int, int, int]]:
    """n, n_splits, min_train: blocks of one window, of equal and of unequal sizes; then what the draw gives."""
    yield from ((7, 4, 3), (30, 3, 15), (23, 4, 9), (12, 1, 1))
    for _ in range(questions):
        n_splits, min_train = int(rng.integers(2, 7)), int(rng.integers(8, 40))
        yield min_train + n_splits + int(rng.integers(1, 40)), n_splits, min_train


@check(
    title="walk_forward_splits trains on everything before the validation block, and on nothing after it",
    hint="Pairs (train, val), the earliest block first. The training part grows from fold to fold: 0, 1, 2 … up to the "
    "block. No shuffling, no sliding window.",
)
def test_splits_forward(tuner, rng):
    for shape in shapes(rng, 6):
        folds = split(tuner, *shape)
        starts = [val.min() for _, val in folds]
        require(starts == sorted(set(starts)), "the earliest fold comes first", got=starts, case=str(shape))
        for train, val in folds:
            require(
                np.array_equal(train, np.arange(val.min())),
                "the training part is all that lies before the block, in order",
                expected=f"0 … {val.min() - 1:g}",
                got=train.tolist(),
                case=f"n, n_splits, min_train = {shape}, block {val.min():g} … {val.max():g}",
            )


def require_blocks(folds: Folds, n: int, n_splits: int, min_train: int, case: str) -> None:
    require(len(folds) == n_splits, "there are n_splits folds", expected=n_splits, got=len(folds), case=case)
    validated = np.concatenate([val for _, val in folds])
    rule = "the blocks are min_train … n − 1, each number once, in order"
    require(
        np.array_equal(validated, np.arange(min_train, n)),
        rule,
        expected=f"{min_train} … {n - 1}",
        got=validated.tolist(),
        case=case,
    )
    sizes = [len(val) for _, val in folds]
    require(max(sizes) - min(sizes) <= 1, "the blocks have nearly the same size", got=sizes, case=case)


@check(
    title="Every window from min_train on is validated on once",
    hint="Cut min_train … n − 1 into n_splits blocks whose sizes differ by one at most, also where they do not divide.",
)
def test_splits_cover(tuner, rng):
    for n, n_splits, min_train in shapes(rng, 6):
        case = f"n, n_splits, min_train = {n, n_splits, min_train}"
        require_blocks(split(tuner, n, n_splits, min_train), n, n_splits, min_train, case)


@check(
    title="The gap lies between training and validation",
    hint="gap windows fewer to train on, those next to the block; the block itself stays as it is.",
)
def test_splits_gap(tuner, rng):
    for (n, n_splits, min_train), gap in zip(shapes(rng, 6), (1, 14, 8, 0, *rng.integers(1, 8, 6)), strict=True):
        gap = int(gap)
        folds = split(tuner, n, n_splits, min_train, gap=gap)
        case = f"n, n_splits, min_train = {n, n_splits, min_train}, gap={gap}"
        require_blocks(folds, n, n_splits, min_train, case)
        for train, val in folds:
            right = np.array_equal(train, np.arange(val[0] - gap))
            require(
                right,
                "training ends gap windows before the block",
                expected=f"0 … {val[0] - gap - 1:g}",
                got=train.tolist(),
                case=case,
            )


@check(
    title="walk_forward_splits refuses folds without windows",
    hint="ValueError if the gap leaves the first fold nothing to train on, or one of them has nothing to validate on; "
    "one window is enough.",
)
def test_splits_refuse(tuner, rng):
    m = int(rng.integers(9, 30))
    # impossible, and what is just possible
    pairs = [
        (((m + 3, 4, m), 0), ((m + 4, 4, m), 0)),
        (((m + 20, 4, m), m), ((m + 20, 4, m), m - 1)),
        (((m + 20, 4, m), m + 3), ((m + 21, 4, m), 0)),
        (((9, 3, 0), 0), ((9, 3, 1), 0)),
        (((m, 2, m), 0), ((m + 2, 2, m), 0)),
        (((m, 2, m + 5), 0), ((m + 7, 2, m + 5), 0)),
    ]
    for (shape, gap), (possible, small_gap) in pairs:
        case = f"n, n_splits, min_train = {shape}, gap={gap}"
        try:
            with tuner.raises(ValueError):
                tuner.tune.walk_forward_splits(*shape, gap=gap)
        except CheckFailed as failed:
            raise CheckFailed("a fold without windows raises ValueError", got=str(failed), case=case) from None
        split(tuner, *possible, gap=small_gap)


MEASURES = ("mae_mean", "mae_std", "seconds", "error")


def trials(settings: dict[str, list], mae: list[float], errors: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """A table as `search` gives it. Neither the smallest spread nor the shortest time is the smallest error's."""
    table = pd.DataFrame({name: pd.Series(values, dtype="object") for name, values in settings.items()})
    spread = np.where(np.isnan(mae), np.nan, 5 - np.nan_to_num(mae))
    return table.assign(mae_mean=mae, mae_std=spread, seconds=rng.permutation(len(mae)) + 1.0, error=errors)


@check(
    title="best gives the settings of the smallest error, as they were tried",
    hint="Leave out failed rows, and only them (np.isnan cannot read dtype object): then places are not labels. None "
    "is a setting, `seconds` is not, 16 is not 16.0. If no trial went well: ValueError with the first one's error.",
)
def test_best_settings(tuner, rng):
    lr, width = float(rng.uniform(0.001, 0.1)), int(rng.integers(5, 60))
    word = f"gradients of trial {int(rng.integers(10**6))}"
    settings = {
        "cell": ["lstm", "gru", "rnn", "gru", "lstm"],
        "hidden_size": [8, 9, 10, width, 4],
        "lr": [0.5, 0.6, 0.7, lr, 0.9],
        "max_grad_norm": [1.0, 0.5, 1.0, None, 2.0],
    }
    low = float(rng.uniform(0.5, 1.0))
    mae, errors = [np.nan, low + 0.2, low + 2, low, low + 1], [f"ValueError: {word}", "", "", "", ""]
    table = trials(settings, mae, errors, rng)
    numbers = table.drop(columns=["cell", "max_grad_norm"]).astype({"hidden_size": "int64", "lr": "float64"})
    for case, given in (
        ("settings of several kinds", table),
        ("settings that are all numbers", numbers),
        ("all columns of dtype object", table.astype("object")),
    ):
        expected = {name: table[name][3] for name in given.columns if name not in MEASURES}
        require_settings(tuner.tune.best(given), expected, case)
    failed = table.assign(mae_mean=np.nan, mae_std=np.nan, error=[f"ValueError: {word}", *["TypeError: later"] * 4])
    with tuner.raises(ValueError) as raised:
        tuner.tune.best(failed)
    require(word in raised[0].text, "the text tells the first trial's error", expected=word, got=raised[0].text)


def require_settings(got: object, expected: dict, case: str) -> None:
    require(isinstance(got, dict), "best gives a dictionary", got=type(got).__name__, case=case)
    rule = "best gives the settings, and nothing else"
    require(set(got) == set(expected), rule, expected=sorted(expected), got=sorted(map(str, got)), case=case)
    for name, value in expected.items():
        rule = f"{name} is that of the trial with the smallest error, as it was tried"
        require(same_setting(got[name], value), rule, expected=value, got=got[name], case=case)


def same_setting(got: object, value: object) -> bool:
    """Whether it is the value, and of its kind: NaN is not None, 16.0 no number of units."""
    if value is None or isinstance(value, str):
        return type(got) is type(value) and got == value
    kinds = int | np.integer if isinstance(value, int) else float | np.floating
    return isinstance(got, kinds) and not isinstance(got, bool) and bool(got == value)
