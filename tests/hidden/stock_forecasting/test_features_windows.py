"""Task 2, windows, split and scaler: integer series whose answer is plain, and standardisation by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd

from grader.suite import Student, as_array, assert_close, check, require

DAYS, FEATURES = 40, 3
CASES = ((1, 1), (5, 1), (4, 3), (7, 2))  # lookback, horizon
CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # float32 statistics of numbers of the order of 1


def calendar(n: int = DAYS) -> pd.DatetimeIndex:
    """Weekdays, so that a day is not the row before plus 24 hours."""
    return pd.bdate_range("2022-06-01", periods=n, name="Date")


def numbered(days: pd.DatetimeIndex) -> pd.DataFrame:
    """Feature j of row i is i + 100 j."""
    rows = np.arange(len(days))
    return pd.DataFrame({f"f{j}": (rows + 100.0 * j) for j in range(FEATURES)}, index=days)


def windows_of(found: object, case: str) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    """(X, y, days) as they came, of whichever length."""
    require(
        isinstance(found, tuple | list) and len(found) == 3, "make_windows gives (X, y, days)", got=found, case=case
    )
    X, y = (
        as_array(found[0], "X", shape=(None, None, None), case=case),
        as_array(found[1], "y", shape=(None,), case=case),
    )
    return X, y, as_days(found[2], case)


def as_days(value: object, case: str) -> pd.DatetimeIndex:
    """Days without time zone, in whichever of pandas' units."""
    try:
        days = pd.DatetimeIndex(value)
    except (TypeError, ValueError):
        days = None
    require(days is not None and days.tz is None, "days are dates", got=type(value).__name__, case=case)
    return days


def last_rows(X: np.ndarray, case: str) -> np.ndarray:
    """The row of the features that each window ends with, however days and features lie in it: another check's matter."""
    require(X.size > 0, "there are windows", got=X.shape, case=case)
    return (X.reshape(len(X), -1) % 100).max(axis=1).astype(int)


def ask_windows(student: Student, lookback: int, horizon: int) -> object:
    """The student's windows of numbered days, with target 1000 + i on day i."""
    days = calendar()
    target = pd.Series(1000.0 + np.arange(DAYS), days)
    return student.once(
        f"windows {lookback} {horizon}",
        lambda: student.features.make_windows(numbered(days), target, lookback, horizon=horizon),
    )


@check(
    title="X holds every window, oldest day first, in float32",
    hint="n - lookback - horizon + 1 windows of (lookback, n_features), in the order of time, the last one, too; y "
    "and days are as many. reshape exchanges no axes, it mixes them.",
)
def test_windows_shape(student):
    for lookback, horizon in CASES:
        case = f"{DAYS} days, lookback {lookback}, horizon {horizon}"
        found = ask_windows(student, lookback, horizon)
        X, y, days = windows_of(found, case)
        n = DAYS - lookback - horizon + 1
        rows = np.array([range(start, start + lookback) for start in range(n)])  # (n, lookback)
        assert_close(X, rows[:, :, None] + 100 * np.arange(FEATURES), "X", case=case)
        require(len(y) == len(days) == n, "y and days are as many", expected=n, got=(len(y), len(days)), case=case)
        kinds = [str(getattr(part, "dtype", type(part).__name__)).removeprefix("torch.") for part in found[:2]]
        require(kinds == ["float32", "float32"], "X and y are float32", expected="float32", got=kinds, case=case)


@check(
    title="The window that ends on day t has the target of day t + horizon",
    hint="Off by one? With lookback 1 and horizon 1 the first window is day 0, and its target is day 1's. "
    "Do not shift once more what belongs to its day already.",
)
def test_windows_target(student):
    for lookback, horizon in CASES:
        case = f"lookback {lookback}, horizon {horizon}, target of day i is 1000 + i"
        X, y, _ = windows_of(ask_windows(student, lookback, horizon), case)
        ends = last_rows(X, case)
        require(len(y) == len(ends), "each window has a target", expected=len(ends), got=len(y), case=case)
        assert_close(y, 1000 + ends + horizon, "the target of each window", case=case)


@check(
    title="Targets are found by their date, and days are the targets' days",
    hint="target may have more days than features: take it by date, not by place, and count the horizon in rows of "
    "features. A window's day is that of its target, not its last one.",
)
def test_windows_dates(student, rng):
    everything = calendar(DAYS + 15)
    holes = np.sort(rng.choice(np.arange(12, DAYS), 3, replace=False))
    days = everything[9:-6].drop(everything[holes])
    target = pd.Series(rng.permutation(len(everything)) + 1000.0, everything)
    more = {"the same unit": target, "seconds": target.set_axis(everything.as_unit("s"))}
    for lookback, horizon in CASES[1:3]:
        ask = lambda target: student.features.make_windows(numbered(days), target, lookback, horizon=horizon)  # noqa: B023, E731
        case = f"lookback {lookback}, horizon {horizon}"
        X, y, found_days = windows_of(ask(target.loc[days]), case)
        ends = last_rows(X, case) + horizon
        require(bool((ends < len(days)).all()), "each window's target has a day", got=ends.max(), case=case)
        same = len(found_days) == len(ends) and bool((found_days == days[ends]).all())
        expected = f"{days[ends[0]]:%Y-%m-%d} first"
        got = f"{found_days[0]:%Y-%m-%d}" if len(found_days) else "none"
        require(same, "days are the targets' days", expected=expected, got=got, case=case)
        for kind, series in more.items():
            case = f"a target of more days than the features, in {kind}; lookback {lookback}, horizon {horizon}"
            again = windows_of(ask(series), case)
            same = len(again[2]) == len(found_days) and bool((again[2] == found_days).all())
            require(same, "days are as without the other days", case=case)
            assert_close(again[1], y, "y, which is as without the other days", case=case)


@check(
    title="make_windows refuses only what is too short for a single window",
    hint="lookback + horizon rows make one window; with fewer raise ValueError.",
)
def test_windows_refuse(student):
    for lookback, horizon in CASES[1:]:
        days = calendar(lookback + horizon)
        features, target = numbered(days), pd.Series(np.arange(len(days)) * 1.0, days)
        case = f"{len(days)} days, lookback {lookback}, horizon {horizon}"
        X, _, _ = windows_of(student.features.make_windows(features, target, lookback, horizon=horizon), case)
        require(len(X) == 1, "one window fits", expected=1, got=len(X), case=case)
        for rows in (len(days) - 1, lookback, 2):
            with student.raises(ValueError):
                student.features.make_windows(features.iloc[:rows], target, lookback, horizon=horizon)


def split(student: Student, *arguments: object) -> list[np.ndarray]:
    """The student's three parts."""
    parts = student.features.chronological_split(*arguments)
    require(isinstance(parts, tuple | list) and len(parts) == 3, "the split has three parts", got=parts)
    return [as_array(part, "a part", shape=(None,)) for part in parts]


def sizes_of(n: int, val_fraction: float, test_fraction: float) -> tuple[int, int]:
    return round(n * val_fraction), round(n * test_fraction)


def plain_case(rng: np.random.Generator, low: float, high: float) -> tuple[int, float, float]:
    """n and two fractions whose parts of n have decimals between `low` and `high`.

    Rounding is not at issue: neither is a half, and rounding where a part begins or how large it is comes to the same.
    """
    while True:
        n, val, test = int(rng.integers(150, 400)), *(int(rng.integers(8, 26)) / 100 for _ in range(2))
        by_place = round(n * (1 - test)) - round(n * (1 - test - val)), n - round(n * (1 - test))
        apart = abs(val - test) > 0.03
        if apart and all(low < n * part % 1 < high for part in (val, test)) and by_place == sizes_of(n, val, test):
            return n, val, test


@check(
    title="Train, val and test follow each other in the order of time and have the sizes asked for",
    hint="Blocks, not a random choice; val_fraction first, then test_fraction, both of n, rounded to the nearest; all "
    "windows are used without a gap. ValueError if a part would be empty.",
)
def test_split_parts(student, rng):
    for low, high in ((0.55, 0.95), (0.05, 0.45)):
        n, val, test = plain_case(rng, low, high)
        case, (n_val, n_test) = f"{n} windows, fractions {val} and {test}", sizes_of(n, val, test)
        parts = split(student, n, val, test)
        sizes, expected = [len(part) for part in parts], [n - n_val - n_test, n_val, n_test]
        require(sizes == expected, "train, val and test have their sizes", expected=expected, got=sizes, case=case)
        assert_close(np.concatenate(parts), np.arange(n), "the parts one after the other", case=case)
    for n, val, test in ((40, 0.001, 0.2), (40, 0.2, 0.001), (10, 0.6, 0.4)):
        with student.raises(ValueError):
            student.features.chronological_split(n, val, test)


@check(
    title="The gap is left out at the end of train and of val, so that no window straddles a boundary",
    hint="gap windows less in train, gap less in val; test is as without a gap. "
    "ValueError if nothing of a part is left: a slice to a negative place is not empty.",
)
def test_split_gap(student, rng):
    n, val, test = plain_case(rng, 0.05, 0.45)
    whole, gap = split(student, n, val, test), int(rng.integers(2, 8))
    found = split(student, n, val, test, gap)
    wanted = [part[: len(part) - cut] for part, cut in zip(whole, (gap, gap, 0), strict=True)]
    for name, part, expected in zip(("train", "val", "test"), found, wanted, strict=True):
        case = f"{name} of {n} windows, gap {gap}"
        assert_close(part, expected, "the windows' numbers", case=case)
    for before, after in pairwise(found):
        # A window of lookback + horizon = gap + 1 days begins with the day of its number.
        require(before.max() + gap < after.min(), "no day is in two parts", got=(before.max(), after.min()))
    for arguments in ((40, 0.4, 0.4, 10), (40, 0.2, 0.2, 8), (40, 0.2, 0.2, 12)):
        with student.raises(ValueError):
            student.features.chronological_split(*arguments)


def draw_training(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """X (9, 4, 4), whose feature 2 never varies, and y (9,), float32: all of another size and spread."""
    mean, spread = rng.permutation([-3.0, 0.5, 0.0, 8.0]), rng.permutation([0.2, 1.0, 3.0, 6.0])
    X = mean + spread * rng.normal(size=(9, 4, 4))
    X[:, :, 2] = 0.5  # a sum of such numbers is exact
    return X.astype("float32"), rng.normal(-0.4, 0.07, 9).astype("float32")


def standardised(values: np.ndarray, taught: np.ndarray) -> np.ndarray:
    """By the mean and standard deviation (ddof 0) of `taught` over all but the last axis."""
    axes = tuple(range(taught.ndim - 1)) or None
    mean, std = taught.astype("float64").mean(axis=axes), taught.astype("float64").std(axis=axes)
    return (values - mean) / np.where(std > 0, std, 1.0)


@check(
    title="The Scaler standardises by what fit saw: each feature by its own numbers, the target by its own",
    hint="Minus mean, by deviation (ddof 0), both over windows and days, kept from fit; transform learns nothing, also "
    "not from one window; what never varied becomes 0; float32; fit returns the scaler and begins anew each time.",
)
def test_scaler_statistics(student, rng):
    (X, y), (X2, y2) = draw_training(rng), draw_training(rng)
    scaler = student.features.Scaler()
    scaler.fit(X2, y2)
    fitted = scaler.fit(X, y)
    require(hasattr(fitted, "type_name"), "fit returns the scaler itself", got=fitted)
    cases = {"the training windows": (X, y), "other windows": (X2[:7], y2[:7] + 1), "a single window": (X2[:1], y2[:1])}
    for case, (some, target) in cases.items():
        wanted = standardised(some, X)
        found, found_target = fitted.transform(some), fitted.transform_target(target)
        assert_close(found, wanted, "transform", case=case, **CLOSE)
        assert_close(found_target, standardised(target, y), "transform_target", case=case, **CLOSE)
        kinds = [str(getattr(part, "dtype", type(part).__name__)) for part in (found, found_target)]
        require(kinds == ["float32", "float32"], "what comes back is float32", got=kinds, case=case)
    fitted.fit(X, np.full(9, 0.25, "float32"))
    flat = fitted.transform_target(np.full(3, 0.25, "float32"))
    assert_close(flat, np.zeros(3), "transform_target", case="a target that never varied")


@check(
    title="inverse_target takes back what transform_target did, in float64",
    hint="Times the deviation, then plus the mean: the target's own, in that order, and no exp. float32 stays float32 "
    "unless it is made float64 first.",
)
def test_scaler_inverse(student, rng):
    X, y = draw_training(rng)
    scaler = student.features.Scaler()
    scaler.fit(X, y)
    others = rng.normal(0.3, 0.05, 7).astype("float32")
    for case, target in (("the training targets", y), ("other targets", others), ("one target", others[:1])):
        scaled = as_array(scaler.transform_target(target), "transform_target", shape=(len(target),))
        varied = len(target) == 1 or bool(np.ptp(scaled) > 0)
        require(varied, "transform_target keeps targets apart", got=scaled, case=case)
        for kind in ("float32", "float64"):
            back = scaler.inverse_target(scaled.astype(kind))
            assert_close(back, target, "inverse_target of transform_target", rtol=1e-4, atol=1e-6, case=case)
            got, told = str(getattr(back, "dtype", type(back).__name__)), f"{case} in {kind}"
            require(got == "float64", "what comes back is float64", expected="float64", got=got, case=told)
