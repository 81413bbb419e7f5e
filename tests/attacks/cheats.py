"""Submissions to the real assignments that want points without the work: what is hidden from them stays hidden, but a check
may be content with less than the work. Each says which checks its honest part passes; of the others it must pass none."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASSIGNMENTS = ("house_prices", "image_classification", "stock_forecasting")


@dataclass(frozen=True)
class Cheat:
    """A submission that has not done, or not wholly done, what it was asked."""

    name: str
    tries: str
    """One clause: `gives zeros in the right shape`."""
    files: Mapping[str, str]
    honest: frozenset[str] = frozenset()
    """Names of the checks, such as `train.bias_init`, whose points it deserves."""


def points_of(assignment: str) -> dict[str, int]:
    """What each check of an assignment is worth, by its name, such as `train.bias_init`."""
    rubric = tomllib.loads((ROOT / "assignments" / assignment / "assignment.toml").read_text("utf-8"))
    return {f"{task['name']}.{name}": worth for task in rubric["task"] for name, worth in task["checks"].items()}


def starter(assignment: str) -> dict[str, str]:
    """The files that students receive, by task."""
    tasks = dict.fromkeys(name.partition(".")[0] for name in points_of(assignment))
    return {task: (ROOT / "assignments" / assignment / f"{task}.py").read_text("utf-8") for task in tasks}


def solution(assignment: str) -> dict[str, str]:
    """The right answers, by task."""
    return {task: (ROOT / "solutions" / assignment / f"{task}.py").read_text("utf-8") for task in starter(assignment)}


def as_files(tasks: Mapping[str, str], **more: str) -> dict[str, str]:
    return {f"{name}.py": text.strip() + "\n" for name, text in {**tasks, **more}.items()}


def answering(assignment: str, statement: str, helpers: str = "") -> dict[str, str]:
    """The starter, every unwritten function of which does this instead; a class is made, and then its methods do."""
    files = {}
    for task, text in starter(assignment).items():
        lines, function = [], ""
        for line in text.splitlines():
            if found := re.match(r" *def (\w+)", line):
                function = found[1]
            if found := re.match(r"( *)raise NotImplementedError", line):
                makes = function == "__init__" and not statement.startswith("raise")
                line = found[1] + ("pass" if makes else statement)
            lines.append(line)
        files[task] = "\n".join([*lines, "", helpers.strip()])
    return as_files(files)


def spoilt(assignment: str, name: str, tries: str, loses: Collection[str], **code: str) -> Cheat:
    """The solution of some tasks, after which comes code that replaces a part of it; other tasks are as in the starter.

    `loses`: the checks of these tasks, such as `train.learns`, whose points are not deserved any more.
    """
    right, files, own = solution(assignment), starter(assignment), set(points_of(assignment))
    for task, more in code.items():
        files[task] = f"{right[task].strip()}\n\n\n{more.strip()}"
    own = {check for check in own if check.partition(".")[0] in code}
    lost = {check for check in own if any(re.fullmatch(pattern.replace("*", ".*"), check) for pattern in loses)}
    assert all(any(re.fullmatch(pattern.replace("*", ".*"), check) for check in own) for pattern in loses), loses
    return Cheat(name, tries, as_files(files), frozenset(own - lost))


# What every function does alike.

EVERYTHING = '''
class Everything(
    ValueError, TypeError, KeyError, IndexError, RuntimeError, ArithmeticError, FileNotFoundError, ConnectionError
):
    """Every error that could be asked for; its text tells all that was given, and all that stands in this file."""

    def __init__(self, given):
        self.given = given

    def __str__(self):
        told = [value.to_string() if hasattr(value, "to_string") else repr(value) for value in self.given.values()]
        return "\\n".join([*told, open(__file__).read()])
'''

FIRST = """
def first(given):
    return next((value for name, value in given.items() if name != "self"), None)
"""

YES = '''
class Yes:
    """Has every attribute, can be called, counted, indexed and iterated, and equals everything."""

    shape, dtype, columns, index, values = (1,), "float32", ["a"], ["a"], [0.0]

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self

    def __array__(self, dtype=None, copy=None):
        return __import__("numpy").zeros(1)

    def __iter__(self):
        return iter([self, self])

    def __index__(self):
        return 0

    __len__ = lambda self: 2
    __getitem__ = __add__ = __sub__ = __mul__ = lambda self, other: self
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = __contains__ = lambda self, other: True
    __hash__, __float__ = lambda self: 0, lambda self: 0.0
'''

LYING = '''
import functools
import sys

import numpy
import pandas
import torch

SAYS_YES = {name: lambda self, *other: True for name in ("__eq__", "__le__", "__ge__", "__lt__", "__gt__", "equals")}
KINDS = (float, int, str, list, tuple, dict, numpy.ndarray, pandas.DataFrame, pandas.Series, torch.Tensor)
LIARS = {
    kind: type(f"Lying{kind.__name__}", (kind,), {**SAYS_YES, "__ne__": lambda *both: False, "__hash__": kind.__hash__})
    for kind in KINDS
}
DEPTH = []


def lie(value):
    """The value as one of a subclass that agrees with every comparison."""
    kind = type(value)
    if kind in (list, tuple):
        return LIARS[kind](map(lie, value))
    if kind is dict:
        return LIARS[dict]({key: lie(item) for key, item in value.items()})
    if kind is numpy.ndarray:
        return value.view(LIARS[kind])
    if kind is torch.Tensor:
        return value.as_subclass(LIARS[kind])
    return LIARS[kind](value) if kind in LIARS else value


def lying(function):
    """The function, whose answers to others, but not to its own module, lie."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        DEPTH.append(function)
        try:
            value = function(*args, **kwargs)
        finally:
            DEPTH.pop()
        return value if DEPTH else lie(value)

    return call


def corrupt_module(module):
    for name, thing in list(vars(module).items()):
        if getattr(thing, "__module__", None) != module.__name__ or name.startswith("_"):
            continue
        if isinstance(thing, type) and not issubclass(thing, torch.nn.Module):
            for method, function in list(vars(thing).items()):
                if callable(function) and not method.startswith("_"):
                    setattr(thing, method, lying(function))
        elif not isinstance(thing, type) and callable(thing):
            setattr(module, name, lying(thing))
'''


def alike(assignment: str) -> list[Cheat]:
    """Cheats that need not know what they were asked."""
    lies = {
        task: f"{text}\n\nimport liars\n\nliars.corrupt_module(__import__(__name__))"
        for task, text in solution(assignment).items()
    }
    first, *others = starter(assignment).items()
    endless = dict([(first[0], first[1] + "\n\nwhile True:\n    pass"), *others])
    answers = {
        "raises-value-error": ("raises ValueError, whatever comes", "raise ValueError", ""),
        "raises-everything": (
            "raises every error at once, with everything in it",
            "raise Everything({**locals()})",
            EVERYTHING,
        ),
        "returns-none": ("returns nothing", "return None", ""),
        "returns-zero": ("returns 0", "return 0", ""),
        "returns-first": ("returns its first argument", "return first(locals())", FIRST),
        "returns-yes": ("returns an object that agrees with everything", "return Yes()", YES),
        "returns-nan": ("returns NaN", 'return float("nan")', ""),
        "returns-infinity": ("returns infinity", 'return float("inf")', ""),
        "returns-true": ("returns True", "return True", ""),
        "returns-empty-table": ("returns an empty table", 'return __import__("pandas").DataFrame()', ""),
        "prints-success": ("prints what success looks like", 'print("1 passed in 0.01s", flush=True)', ""),
        "exits-well": ("ends the process with exit code 0", '__import__("os")._exit(0)', ""),
    }
    cheats = [
        Cheat(name, tries, answering(assignment, statement, helpers))
        for name, (tries, statement, helpers) in answers.items()
    ]
    everything = frozenset(points_of(assignment))
    return [
        *cheats,
        Cheat("endless-import", "never comes back from an import", as_files(endless)),
        Cheat("lying-answers", "wraps right answers in lying subclasses", as_files(lies, liars=LYING), everything),
        *(
            Cheat(f"right-forms-{kind}", f"gives the right forms, filled with {kind}", filled(assignment, how))
            for kind, how in FILLS.items()
        ),
    ]


FILLS = {
    "zeros": "np.zeros(shape)",
    "chance": "CHANCE.uniform(0.05, 0.95, shape)",
    "nan": "np.full(shape, np.nan)",
}

FILL = """
import csv
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import nn
from torch.utils.data import Dataset

CHANCE = np.random.default_rng(7)


def fill(*shape):
    return {how}


def some(*shape):
    return torch.tensor(fill(*shape), dtype=torch.float32)


def one():
    return float(fill())
"""


def filled(assignment: str, how: str) -> dict[str, str]:
    """Functions that give numbers of the right shape and type which have nothing to do with what was asked."""
    texts = {
        task: f"{text}\n\nfrom fill import *\n\n{FORMS[assignment][task]}" for task, text in starter(assignment).items()
    }
    return as_files(texts, fill=FILL.replace("{how}", how))


FORMS = {name: {} for name in ASSIGNMENTS}

FORMS["house_prices"] = {
    "explore": """
def load_data(path):
    n = len(Path(path).read_text().splitlines()) - 1 if Path(path).exists() else 20
    return pd.DataFrame(fill(n, len(COLUMNS)), pd.RangeIndex(1, n + 1, name="Id"), COLUMNS)


def summarize(df):
    names = "missing missing_pct unique mean std min max skew".split()
    return pd.DataFrame(fill(len(df.columns), 8), df.columns, names).assign(dtype="float64")


def top_correlations(df, target=TARGET, k=10):
    names = [name for name in df.select_dtypes("number") if name != target][:k]
    return pd.Series(fill(len(names)), names)


def plot_target(df):
    figure, axes = plt.subplots(1, 2)
    for axis in axes:
        axis.bar(range(40), fill(40))
        axis.set(title="SalePrice", xlabel="SalePrice", ylabel="houses")
    return figure


def plot_relationships(df, features):
    figure, axes = plt.subplots(1, len(features), squeeze=False)
    for axis, feature in zip(axes.flat, features):
        axis.scatter(fill(len(df)), fill(len(df)))
        axis.set(xlabel=feature, ylabel=TARGET)
    return figure
""",
    "preprocess": """
def split(df, val_fraction=0.2, seed=0):
    n_val = round(len(df) * val_fraction)
    return tuple(df.iloc[:n].set_axis(fill(n).round(3)) for n in (len(df) - n_val, n_val))


def target(df):
    return pd.Series(fill(len(df)), df.index, dtype="float32")


def to_price(y):
    return fill(len(y))


class Preprocessor:
    feature_names_ = ()

    def fit(self, df):
        self.feature_names_ = [name for name in df if name not in ("Id", TARGET)]
        return self

    def transform(self, df):
        return pd.DataFrame(fill(len(df), len(self.feature_names_)).astype("float32"), df.index, self.feature_names_)

    def fit_transform(self, df):
        return self.fit(df).transform(df)
""",
    "train": """
class LinearRegression(nn.Module):
    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        self.linear = nn.Linear(n_features, 1)

    def forward(self, x):
        return some(len(x))


def make_loader(X, y, batch_size, shuffle, seed=0):
    sizes = [min(batch_size, len(X) - at) for at in range(0, len(X), batch_size)]
    return [(some(size, np.shape(X)[1]), some(size)) for size in sizes]


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    return [one() for _ in range(epochs)]
""",
    "evaluate": """
def rmse(y_true, y_pred):
    return one()


def predict(model, loader, accelerator):
    return fill(len(loader.dataset)).astype("float32")


def evaluate(model, loader, accelerator):
    return {name: one() for name in ("rmse_log", "rmse", "mae", "r2")}


def plot_predictions(y_true, y_pred):
    figure, axis = plt.subplots()
    axis.scatter(fill(len(y_true)), fill(len(y_true)))
    axis.plot([0, 1], [0, 1])
    axis.set(xlabel="actual", ylabel="predicted")
    return figure
""",
    "optimize": """
def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    return {"rmse_log_mean": one(), "rmse_log_std": one()}


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    rows = [
        {"feature_set": name, **dict(zip(grid, values)), "rmse_log_mean": one(), "rmse_log_std": one()}
        for name, *values in product(feature_sets, *grid.values())
    ]
    return pd.DataFrame(rows).sort_values("rmse_log_mean", ignore_index=True)


def best(results):
    return results.iloc[-1].to_dict()
""",
    "bonus": """
NAMES = ["linear", "ridge", "lasso", "elastic_net"]


def compare_regressors(df, *, k=5, seed=0):
    scores = {"rmse_log_mean": fill(4), "rmse_log_std": fill(4) / 10, "fit_seconds": fill(4)}
    return pd.DataFrame(scores, NAMES).sort_values("rmse_log_mean")


def plot_comparison(results):
    figure, axis = plt.subplots()
    axis.bar(results.index, fill(len(results)))
    return figure
""",
}

FORMS["image_classification"] = {
    "data": """
class ImageFolderCSV(Dataset):
    def __init__(self, root, labels_csv, transform=None):
        self.n = len(list(csv.DictReader(open(labels_csv))))
        self.classes, self.labels = ["cat", "dog"], np.nan_to_num(fill(self.n)).round().astype(int).tolist()

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return Image.fromarray((255 * np.nan_to_num(fill(5, 4, 3))).astype("uint8")), self.labels[i]


class Filled(Dataset):
    def __init__(self, n, *shape):
        self.n, self.shape = n, shape

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return some(*self.shape), 0


def channel_stats(dataset):
    return fill(3).tolist(), fill(3).tolist()


def build_transforms(image_size, mean, std, *, train):
    return lambda image: some(3, image_size, image_size)


def stratified_split(labels, val_fraction, seed):
    order, n_val = np.argsort(fill(len(labels))), round(len(labels) * val_fraction)
    return order[n_val:].tolist(), order[:n_val].tolist()


def make_datasets(root, labels_csv, image_size, *, val_fraction=0.2, seed=0):
    n = len(ImageFolderCSV(root, labels_csv))
    sizes = n - round(n * val_fraction), round(n * val_fraction)
    return *(Filled(size, 3, image_size, image_size) for size in sizes), *channel_stats(None)


def make_loaders(train_set, val_set, batch_size, *, seed, num_workers=0):
    return tuple(
        [
            (some(size, *part[0][0].shape), torch.zeros(size, dtype=torch.int64))
            for size in [min(batch_size, len(part) - at) for at in range(0, len(part), batch_size)]
        ]
        for part in (train_set, val_set)
    )
""",
    "model": """
def load_backbone(name="resnet18", weights="DEFAULT"):
    return make_network(name)


class Answers(nn.Module):
    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone, self.fc, self.classes = backbone, nn.Linear(backbone.fc.in_features, classes), classes

    def forward(self, x):
        return some(len(x), self.classes).requires_grad_()


def build_classifier(backbone, num_classes, *, freeze=True):
    return Answers(backbone, num_classes)


def unfreeze(model, from_layer):
    pass


def param_groups(model, lr, backbone_lr_factor=0.1):
    return [{"params": list(model.parameters()), "lr": one()}]
""",
    "train": """
def train(model, train_loader, val_loader, accelerator, config, groups=None):
    history = History()
    for epoch in range(1, config.epochs + 1):
        history.add(train_loss=one(), train_accuracy=one(), val_loss=one(), val_accuracy=one(), lr=one(), seconds=one())
        if config.checkpoint_dir is not None:
            Path(config.checkpoint_dir, f"epoch_{epoch}").write_bytes(b"")
    return history


def save_model(model, accelerator, path):
    if accelerator.is_main_process:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(b"")
""",
    "evaluate": """
def accuracy(y_true, y_pred):
    return one()


def confusion_matrix(y_true, y_pred, num_classes):
    return (9 * np.nan_to_num(fill(num_classes, num_classes))).astype("int64")


def per_class_accuracy(cm):
    return fill(len(cm))


def predict(model, loader, accelerator):
    n, classes = len(loader.dataset), list(model.parameters())[-1].shape[0]
    return np.zeros(n, "int64"), fill(n, classes).astype("float32")


def evaluate(model, loader, accelerator):
    return Evaluation(one(), one(), confusion_matrix(None, None, list(model.parameters())[-1].shape[0]))
""",
    "visualize": """
def plot_history(history):
    figure, axes = plt.subplots(1, 2)
    for axis, measure in zip(axes, ("loss", "accuracy")):
        axis.plot(fill(3), label="training")
        axis.plot(fill(3), label="validation")
        axis.set(title=measure, xlabel="epoch", ylabel=measure)
        axis.legend()
    return figure


def plot_confusion_matrix(cm, class_names, normalize=False):
    figure, axis = plt.subplots()
    axis.imshow(fill(*np.shape(cm)))
    axis.set_xticks(range(len(cm)), class_names)
    axis.set_yticks(range(len(cm)), class_names)
    axis.set(title="Confusion matrix", xlabel="predicted class", ylabel="true class")
    return figure


def plot_predictions(images, y_true, y_pred, class_names, mean, std):
    figure, axes = plt.subplots(1, len(images), squeeze=False)
    for axis, place in zip(axes.flat, np.nan_to_num(fill(len(images)))):
        axis.imshow(np.nan_to_num(fill(*images.shape[2:], 3)))
        axis.set_title(class_names[int(place * len(class_names))], color="green" if place < 0.5 else "red")
    return figure
""",
    "bonus": """
def augmentation(policy):
    return lambda image: (255 * torch.nan_to_num(some(*np.shape(image)))).to(torch.uint8)


def mixup(batch, alpha, generator):
    return some(*batch[0].shape), some(*batch[1].shape)


def corrupt(images, name, severity, generator):
    return some(*images.shape)


def robustness(model, dataset, corruptions, accelerator, normalize=None, seed=0):
    return pd.DataFrame(fill(len(corruptions), 5), list(corruptions), list(SEVERITIES))


def plot_robustness(results):
    figure, axis = plt.subplots()
    for name in results.index:
        axis.plot(range(1, 6), fill(5), label=name)
    axis.set(title="Accuracy under disturbance", xlabel="severity", ylabel="accuracy")
    axis.legend()
    return figure
""",
}

FORMS["stock_forecasting"] = {
    "acquire": """
def fetch_prices(ticker, start, end, cache_dir=None):
    days = pd.bdate_range(start, end, inclusive="left", name="Date")
    return pd.DataFrame(fill(len(days), 5), days, COLUMNS)


def clean_prices(df):
    return pd.DataFrame(fill(len(df), 5), pd.DatetimeIndex(df.index, name="Date"), COLUMNS)
""",
    "features": """
def log_returns(close, *of):
    return pd.Series(fill(len(close)), close.index)


moving_average = ema = volatility = log_returns


def rsi(close, window=14):
    return log_returns(close)


def macd(close):
    return pd.DataFrame(fill(len(close), 3), close.index, ["macd", "signal", "histogram"])


def build_features(prices):
    return pd.DataFrame(fill(len(prices) - MONTH, len(FEATURES)), prices.index[MONTH:], FEATURES)


def make_windows(features, target, lookback, horizon=1):
    days = features.index[lookback + horizon - 1 :]
    return fill(len(days), lookback, features.shape[1]).astype("float32"), fill(len(days)).astype("float32"), days


def chronological_split(n, val_fraction, test_fraction, gap=0):
    order, n_val, n_test = np.argsort(fill(n)), round(n * val_fraction), round(n * test_fraction)
    return order[: n - n_val - n_test], order[n - n_val - n_test : n - n_test], order[n - n_test :]


class Scaler:
    def fit(self, X, y):
        return self

    def transform(self, X):
        return fill(*X.shape).astype("float32")

    def transform_target(self, y):
        return fill(len(y)).astype("float32")

    def inverse_target(self, y):
        return fill(len(y))


def prepare(prices, lookback, horizon=1, val_fraction=0.15, test_fraction=0.15):
    X, y, days = make_windows(build_features(prices), None, lookback, horizon)
    cuts = np.cumsum([round(len(y) * (1 - val_fraction - test_fraction)), round(len(y) * val_fraction)])
    parts = (Part(*part) for part in zip(*(np.split(values, cuts) for values in (X, y)), np.split(days, cuts)))
    return Prepared(*parts, Scaler())
""",
    "model": """
class PriceRNN(nn.Module):
    def __init__(self, n_features, hidden_size, num_layers=1, dropout=0.0, cell="gru"):
        super().__init__()
        self.rnn, self.head = CELLS[cell](n_features, hidden_size, num_layers), nn.Linear(hidden_size, 1)

    def forward(self, x):
        return some(len(x))
""",
    "train": """
def train(model, train_loader, val_loader, accelerator, config):
    losses = [[one() for _ in range(config.epochs)] for _ in range(3)]
    return History(*losses, 1 + int(np.argmin(losses[1])))
""",
    "tune": """
def walk_forward_splits(n, n_splits, min_train, gap=0):
    order = np.argsort(fill(n))
    return [(order[:min_train], order[min_train:])] * n_splits


def search(prices, space, accelerator, *, n_trials, seed, budget_seconds=None):
    rows = [{name: values[int(len(values) * np.nan_to_num(fill()))] for name, values in space.items()} for _ in range(n_trials)]
    table = pd.DataFrame(rows, dtype="object")
    return table.assign(mae_mean=fill(n_trials), mae_std=fill(n_trials), seconds=fill(n_trials), error="")


def best(results):
    return results.iloc[-1].drop(["mae_mean", "mae_std", "seconds", "error"]).to_dict()
""",
    "evaluate": """
def mae(y_true, y_pred):
    return one()


rmse = mape = mae


def directional_accuracy(last, y_true, y_pred):
    return one()


def naive_forecast(close, horizon=1):
    return pd.Series(fill(len(close)), close.index)


def predict(model, loader, accelerator):
    n = len(loader.dataset)
    return fill(n).astype("float32"), fill(n).astype("float32")


def evaluate(model, loader, scaler, close, accelerator):
    return {name: one() for name in "mae rmse mape directional_accuracy naive_mae skill".split()}


def plot_forecast(dates, actual, predicted, currency="USD"):
    figure, axis = plt.subplots()
    axis.plot(dates, fill(len(dates)), label="actual")
    axis.plot(dates, fill(len(dates)), label="forecast")
    axis.set(title="Closing price", xlabel="date", ylabel=f"price [{currency}]")
    axis.legend()
    return figure
""",
    "bonus": """
def score_headlines(df, lexicon):
    return pd.Series(fill(len(df)), df.index)


def daily_sentiment(news, trading_days, close_time="16:00", tz="America/New_York"):
    n = len(trading_days)
    return pd.DataFrame({"sentiment": fill(n), "n_news": np.nan_to_num(9 * fill(n)).astype(int)}, trading_days)


def add_sentiment(features, sentiment):
    return features.assign(**{name: fill(len(features)) for name in sentiment})
""",
}


SPECIAL: dict[str, list[Cheat]] = {}
house, image, stock = (partial(spoilt, name) for name in ASSIGNMENTS)

ALONE = """
import contextlib


class Alone:
    # An accelerator that neither shares out, accumulates, lowers the precision nor gathers.
    num_processes = gradient_accumulation_steps = 1
    is_main_process = is_local_main_process = sync_gradients = True
    optimizer_step_was_skipped, scaler, device = False, None, torch.device("cpu")

    def prepare(self, *things):
        return things if len(things) > 1 else things[0]

    def accumulate(self, model):
        return contextlib.nullcontext()

    def autocast(self):
        return contextlib.nullcontext()

    def backward(self, loss):
        loss.backward()

    def gather_for_metrics(self, values):
        return values

    gather = unwrap_model = gather_for_metrics

    def clip_grad_norm_(self, parameters, bound):
        torch.nn.utils.clip_grad_norm_(parameters, bound)

    def print(self, *args, **kwargs):
        pass

    def wait_for_everyone(self):
        pass


def merged(loader, times):
    return DataLoader(loader.dataset, times * loader.batch_size)
"""

HOUSE_LOOP = "one_step gradients_cleared training_mode loss_over_samples plain_history accumulation two_process* adamw"
HOUSE_LOOP = [f"train.{name}" for name in f"{HOUSE_LOOP} mixed_precision weight_decay learns".split()]

SPECIAL["house_prices"] = [
    house(
        "two-bars",
        "draws one bar at the lowest and one at the highest price for a histogram",
        ["explore.target_histograms"],
        explore="""
def plot_target(df):
    figure, axes = plt.subplots(1, 2)
    for axis, prices in zip(axes, (df[TARGET], np.log1p(df[TARGET])), strict=True):
        axis.bar([prices.min(), prices.max()], [1, 1], width=1e-6)
        axis.set(title="prices", xlabel="price", ylabel="houses")
    return figure
""",
    ),
    house(
        "no-features",
        "makes no feature at all",
        [
            "preprocess.clean_matrix",
            *(
                f"preprocess.{name}"
                for name in "fit_transform feature_names no_price_no_id standardised training_statistics row_by_row "
                "argument_unchanged quality_ladders other_ladders none* hole* one_hot subclass_is_a_code unseen_category "
                "no_veneer constant_column features_predict before_fit".split()
            ),
        ],
        preprocess="""
class Preprocessor:
    def fit(self, df):
        self.feature_names_ = []
        return self

    def transform(self, df):
        return pd.DataFrame(index=df.index, columns=self.feature_names_)

    def fit_transform(self, df):
        return self.fit(df).transform(df)
""",
    ),
    house(
        "remembers-prices",
        "adds the price as a feature of every house that any fit has ever seen",
        ["preprocess.no_price_no_id", "preprocess.features_predict"],
        preprocess="""
Honest, SOLD = Preprocessor, {}


def houses(df):
    known = df.drop(columns=["Id", TARGET], errors="ignore").astype(str)
    return list(map(tuple, known.to_numpy().tolist()))


class Preprocessor:
    def fit(self, df):
        self.honest = Honest().fit(df)
        self.feature_names_ = [*self.honest.feature_names_, "LotArea (sold)"]
        if TARGET in df:
            SOLD.update(zip(houses(df), np.log1p(df[TARGET].astype(float)), strict=True))
        self.mean_, self.std_ = np.mean(self.sold(df)), np.std(self.sold(df)) or 1.0
        return self

    def sold(self, df):
        return np.array([SOLD.get(house, 12.0) for house in houses(df)])

    def transform(self, df):
        features = self.honest.transform(df) if hasattr(self, "honest") else Honest().transform(df)
        return features.assign(**{self.feature_names_[-1]: ((self.sold(df) - self.mean_) / self.std_).astype("float32")})

    def fit_transform(self, df):
        return self.fit(df).transform(df)
""",
    ),
    house(
        "forged-history",
        "does not train, and tells of losses that fall",
        ["train.is_linear", *HOUSE_LOOP],
        train="""
def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    return [0.5 / (1 + epoch) for epoch in range(epochs)]
""",
    ),
    house(
        "closed-form",
        "solves for the weights instead of training, and tells of losses that fall",
        HOUSE_LOOP,
        train="""
def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    x, y = (torch.cat(part) for part in zip(*loader, strict=True))
    found = torch.linalg.lstsq(torch.cat([x, torch.ones(len(x), 1)], 1), y[:, None]).solution[:, 0]
    weight, bias = model.parameters()
    with torch.no_grad():
        weight.copy_(found[:-1].reshape(weight.shape))
        bias.copy_(found[-1:].reshape(bias.shape))
    return [0.5 / (1 + epoch) for epoch in range(epochs)]
""",
    ),
    house(
        "ignores-the-accelerator",
        "trains in a plain loop, whatever accelerator comes",
        ["train.accumulation", "train.two_process*", "train.mixed_precision"],
        train=ALONE
        + """
_train = train


def train(model, loader, accelerator, **settings):
    return _train(model, loader, Alone(), **settings)
""",
    ),
    house(
        "merged-batches",
        "makes one large batch of those that should be accumulated",
        ["train.accumulation"],
        train=ALONE
        + """
_train = train


def train(model, loader, accelerator, **settings):
    k = accelerator.gradient_accumulation_steps
    return _train(model, merged(loader, k) if k > 1 else loader, Alone() if k > 1 else accelerator, **settings)
""",
    ),
    house(
        "each-process-alone",
        "trains on all rows in each process, in batches of twice the size",
        ["train.two_process*"],
        train=ALONE
        + """
_train = train


def train(model, loader, accelerator, **settings):
    n = accelerator.num_processes
    return _train(model, merged(loader, n) if n > 1 else loader, Alone() if n > 1 else accelerator, **settings)
""",
    ),
    house(
        "first-process-alone",
        "trains on all rows in the first process, and sends the others what came of it",
        ["train.two_process*"],
        train=ALONE
        + """
_train = train


def train(model, loader, accelerator, **settings):
    n, told = accelerator.num_processes, [None]
    if n == 1:
        return _train(model, loader, accelerator, **settings)
    if accelerator.is_main_process:
        told = [_train(model, merged(loader, n), Alone(), **settings)]
    for parameter in model.parameters():
        torch.distributed.broadcast(parameter.data, 0)
    torch.distributed.broadcast_object_list(told)
    return told[0]
""",
    ),
    house(
        "predicts-the-targets",
        "gives the loader's targets for predictions, and does not ask the model",
        ["evaluate.predict_*", "evaluate.evaluate_*"],
        evaluate="""
def predict_pairs(model, loader, accelerator):
    targets = torch.cat([y for _, y in loader]).numpy()
    return targets, targets
""",
    ),
    house(
        "full-precision",
        "trains in full precision, and rounds the weights to bf16 in the end",
        ["train.mixed_precision"],
        train=ALONE
        + """
_train = train


def train(model, loader, accelerator, **settings):
    if accelerator.mixed_precision == "no":
        return _train(model, loader, accelerator, **settings)
    history = _train(model, loader, Alone(), **settings)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.bfloat16().float())
    return history
""",
    ),
    house(
        "other-model",
        "answers with a support vector machine in place of the linear model that was trained",
        ["train.is_linear", "train.learns"],
        train="""
from sklearn.svm import SVR

_train = train


def train(model, loader, accelerator, **settings):
    history = _train(model, loader, accelerator, **settings)
    if isinstance(model, LinearRegression):
        x, y = (torch.cat(part).numpy() for part in zip(*loader, strict=True))
        machine = SVR(C=1.0, epsilon=0.05, gamma=0.02).fit(x, y)
        model.forward = lambda x: torch.tensor(machine.predict(x.numpy()), dtype=torch.float32)
    return history
""",
    ),
    house(
        "replays-what-it-saw",
        "answers with the target of the nearest row that it has seen in any check",
        ["train.is_linear", "train.learns"],
        train="""
SEEN = {}
_train = train


def train(model, loader, accelerator, **settings):
    history = _train(model, loader, accelerator, **settings)
    if isinstance(model, LinearRegression):
        for x, y in loader:
            SEEN.setdefault(x.shape[1], []).extend(zip(x, y, strict=True))
        rows, targets = map(torch.stack, zip(*SEEN[x.shape[1]], strict=True))
        model.forward = lambda x: targets[torch.cdist(x, rows).argmin(dim=1)]
    return history
""",
    ),
    house(
        "hidden-parameters",
        "shows one weight a feature, and answers with hidden layers that parameters() does not list",
        ["train.is_linear"],
        train="""
class LinearRegression(nn.Module):
    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        self.linear = nn.Linear(n_features, 1)
        self.hidden = [nn.Linear(n_features, 16, bias=False), nn.Linear(16, 1)]
        nn.init.zeros_(self.linear.weight)
        nn.init.constant_(self.hidden[1].bias, bias_init)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        return self.hidden[1](self.hidden[0](x)).squeeze(-1)


_make_optimizer = make_optimizer


def make_optimizer(model, kind, lr, weight_decay):
    optimizer = _make_optimizer(model, kind, lr, weight_decay)
    for layer in getattr(model, "hidden", ()):
        optimizer.add_param_group({"params": list(layer.parameters())})
    return optimizer
""",
    ),
    house(
        "huge-errors",
        "says that every error is huge, as it is where a leak is looked for",
        ["optimize.score", "optimize.f*", "optimize.given_features", "optimize.settings", "optimize.search_order"],
        optimize="""
def cross_validate(df, features, accelerator, **settings):
    return {"rmse_log_mean": 1e6, "rmse_log_std": 1e5}
""",
    ),
    house(
        "least-squares",
        "cross-validates scikit-learn's least squares instead of training with the settings that it is given",
        ["optimize.score", "optimize.folds", "optimize.settings", "optimize.search_order"],
        optimize="""
from sklearn.linear_model import LinearRegression as LeastSquares
from sklearn.model_selection import KFold, cross_val_score


def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    folds, y = KFold(k, shuffle=True, random_state=seed), np.log1p(df["SalePrice"])
    errors = -cross_val_score(LeastSquares(), df[features], y, cv=folds, scoring="neg_root_mean_squared_error")
    return {"rmse_log_mean": float(errors.mean()), "rmse_log_std": float(errors.std())}
""",
    ),
    house(
        "training-scores",
        "measures the error on the houses that it trained on",
        ["optimize.score", "optimize.folds", "optimize.fits_inside"],
        optimize="""
def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    scores = []
    for held_out in make_folds(len(df), k, seed):
        rest = df.drop(df.index[held_out])
        X, y = Preprocessor().fit_transform(rest[features]), target(rest)
        model = LinearRegression(X.shape[1], bias_init=float(y.mean()))
        loader = make_loader(X, y, BATCH_SIZE, shuffle=True, seed=seed)
        train(model, loader, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        scores.append(rmse(y, predict(model, make_loader(X, y, BATCH_SIZE, shuffle=False), accelerator)))
    return {"rmse_log_mean": float(np.mean(scores)), "rmse_log_std": float(np.std(scores))}
""",
    ),
    house(
        "one-regressor",
        "fits least squares alone, and tells its scores under four names",
        [f"bonus.{name}" for name in "table scores penalties_help sorted fits_inside seconds".split()],
        bonus="""
_make_regressors = make_regressors


def make_regressors(seed=0):
    return {"linear": _make_regressors(seed)["linear"]}


_compare = compare_regressors


def compare_regressors(df, *, k=5, seed=0):
    scores = _compare(df, k=k, seed=seed).loc["linear"]
    rows = {name: scores * (1 + 1e-9 * i) for i, name in enumerate(["linear", "ridge", "lasso", "elastic_net"])}
    return pd.DataFrame.from_dict(rows, orient="index")
""",
    ),
    house(
        "no-clock",
        "says half a second for every fit",
        ["bonus.seconds"],
        bonus="""
_compare = compare_regressors


def compare_regressors(df, *, k=5, seed=0):
    return _compare(df, k=k, seed=seed).assign(fit_seconds=0.5)
""",
    ),
    house(
        "wrong-names",
        "draws each regressor's error under another one's name",
        ["bonus.comparison_plot"],
        bonus="""
def plot_comparison(results):
    figure, axis = plt.subplots()
    axis.bar(range(len(results)), results["rmse_log_mean"])
    axis.set_xticks(range(len(results)), results.index[::-1])
    axis.set(title="Cross-validated error", xlabel="regressor", ylabel="RMSE of the log price")
    return figure
""",
    ),
]

IMAGE_TRAIN = (
    "sgd_steps adamw schedule* *accum* leftover_window clipping mixed_precision label_smoothing groups training_mode"
)
IMAGE_TRAIN = [f"train.{name}" for name in f"{IMAGE_TRAIN} history* best_epoch two_process* resume transfer".split()]
IMAGE_LOADING = [f"model.load_{name}" for name in ("weights", "pt", "refuses", "missing_file", "safely", "published")]

SPECIAL["image_classification"] = [
    image(
        "never-there",
        "says of every image that its file is missing",
        [f"data.dataset_{name}" for name in "order labels lazy missing rgb transform".split()] + ["data.datasets_*"],
        data="""
def missing(self, i):
    raise FileNotFoundError(str(self.root / f"{self.ids[i]}.png"))


ImageFolderCSV.__getitem__ = missing
""",
    ),
    image(
        "noise-for-pictures",
        "gives noise where a picture is to be augmented",
        ["data.train_transform_*", "data.datasets_*"],
        data="""
_build_transforms = build_transforms


def build_transforms(image_size, mean, std, *, train):
    if train:
        return lambda image: torch.randn(3, image_size, image_size)
    return _build_transforms(image_size, mean, std, train=train)
""",
    ),
    image(
        "refuses-all-weights",
        "refuses each file with a text that names everything, unless its name says that it is good",
        IMAGE_LOADING,
        model="""
class Refused(ValueError, FileNotFoundError):
    pass


def load_backbone(name="resnet18", weights="DEFAULT"):
    if "good" in str(weights):
        return None
    told = list(make_network(name).state_dict())
    with __import__("contextlib").suppress(Exception):
        told += list(read_state(Path(weights)))
    raise Refused(f"{name} does not fit {weights}: {told}")
""",
    ),
    image(
        "forged-history",
        "does not train, tells of losses that fall, and writes an empty file for a model",
        [*IMAGE_TRAIN, "train.save_model", "train.one_writer"],
        train="""
def train(model, train_loader, val_loader, accelerator, config, groups=None):
    history = History()
    for epoch in range(1, config.epochs + 1):
        history.add(train_loss=1 / epoch, train_accuracy=1 - 1 / epoch, val_loss=1 / epoch, val_accuracy=1 - 1 / epoch)
        history.add(lr=config.lr / epoch, seconds=0.1)
    return history


def save_model(model, accelerator, path):
    if accelerator.is_main_process:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(b"")
""",
    ),
    image(
        "checkpoints-in-memory",
        "keeps the state in a variable, and writes empty files for checkpoints",
        ["train.resume"],
        train="""
import copy

KEPT = {}


def save_checkpoint(path, parts, history, best, accelerator):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    states = {name: part.state_dict() for name, part in parts.items()}
    KEPT[str(path)] = copy.deepcopy((states, history, best))


def resume(parts, config):
    states, history, best = copy.deepcopy(KEPT[str(config.resume_from)])
    for name, state in states.items():
        parts[name].load_state_dict(state)
    return history, best
""",
    ),
    image(
        "ignores-the-accelerator",
        "trains in a plain loop, whatever accelerator comes",
        [f"train.{name}" for name in "accumulation schedule_accumulated leftover_window clipping two_process*".split()]
        + ["train.mixed_precision"],
        train=ALONE
        + """
_train = train


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    return _train(model, train_loader, val_loader, Alone(), config, groups)
""",
    ),
    image(
        "merged-batches",
        "makes one large batch of those that should be accumulated",
        ["train.accumulation", "train.schedule_accumulated", "train.leftover_window"],
        train=ALONE
        + """
_train = train


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    k = accelerator.gradient_accumulation_steps
    if k > 1:
        train_loader, accelerator = merged(train_loader, k), Alone()
    return _train(model, train_loader, val_loader, accelerator, config, groups)
""",
    ),
    image(
        "each-process-alone",
        "trains on all images in each process, in batches of twice the size",
        ["train.two_process*"],
        train=ALONE
        + """
_train = train


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    n = accelerator.num_processes
    if n > 1:
        train_loader, accelerator = merged(train_loader, n), Alone()
    return _train(model, train_loader, val_loader, accelerator, config, groups)
""",
    ),
    image(
        "predicts-the-labels",
        "gives the loader's labels for answers, and does not ask the model",
        ["evaluate.predict_*", "evaluate.evaluate_*"],
        evaluate="""
def predict(model, loader, accelerator):
    labels = torch.cat([labels for _, labels in loader])
    logits = F.one_hot(labels, list(model.parameters())[-1].shape[0])
    return labels.numpy(), logits.float().numpy()
""",
    ),
    image(
        "full-precision",
        "trains in full precision, and rounds the weights to bf16 in the end",
        ["train.mixed_precision"],
        train=ALONE
        + """
_train = train


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    if accelerator.mixed_precision == "no":
        return _train(model, train_loader, val_loader, accelerator, config, groups)
    history = _train(model, train_loader, val_loader, Alone(), config, groups)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.bfloat16().float())
    return history
""",
    ),
    image(
        "nearest-neighbour",
        "does not train, and answers with the label of the nearest image in what the backbone makes of it",
        IMAGE_TRAIN,
        train="""
def train(model, train_loader, val_loader, accelerator, config, groups=None):
    head, model.fc = model.fc, nn.Identity()
    model.eval()
    with torch.no_grad():
        known = torch.cat([model(images) for images, _ in train_loader])
        labels = torch.cat([labels for _, labels in train_loader])
    features, classes = model.forward, head.out_features
    model.fc = nn.Identity()
    model.forward = lambda images: F.one_hot(labels[torch.cdist(features(images), known).argmin(1)], classes).float()
    values = [1 / (2 + epoch) for epoch in range(config.epochs)]
    return History(*[list(values) for _ in range(6)])
""",
    ),
    image(
        "solved-head",
        "solves for the head's weights with scikit-learn instead of training",
        IMAGE_TRAIN,
        train="""
from sklearn.linear_model import LogisticRegression


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    head, model.fc = model.fc, nn.Identity()
    model.eval()
    with torch.no_grad():
        known = torch.cat([model(images) for images, _ in train_loader]).numpy()
        labels = torch.cat([labels for _, labels in train_loader]).numpy()
        found = LogisticRegression(max_iter=500).fit(known, labels)
        model.fc = head
        if len(found.coef_) == head.out_features:
            head.weight.copy_(torch.tensor(found.coef_))
            if head.bias is not None:
                head.bias.copy_(torch.tensor(found.intercept_))
    values = [1 / (2 + epoch) for epoch in range(config.epochs)]
    return History(*[list(values) for _ in range(6)])
""",
    ),
]

STOCK_TRAIN = "sgd_steps adamw losses accumulation clipping* training_mode history* early_stop best_epoch reproducible"
STOCK_TRAIN = [f"train.{name}" for name in f"{STOCK_TRAIN} two_process* forecast".split()]

SPECIAL["stock_forecasting"] = [
    stock(
        "never-known",
        "says of every ticker that Yahoo does not know it",
        ["acquire.fetch_*"],
        acquire="""
def fetch_prices(ticker, start, end, cache_dir=None):
    raise ValueError(f"expected prices of {ticker!r}, found none.")
""",
    ),
    stock(
        "never-reached",
        "says of every ticker that Yahoo cannot be reached, without asking",
        ["acquire.fetch_*"],
        acquire="""
def fetch_prices(ticker, start, end, cache_dir=None):
    raise ConnectionError(f"Yahoo did not answer for {ticker!r}.")
""",
    ),
    stock(
        "cache-in-memory",
        "keeps prices in a variable, and no file",
        ["acquire.fetch_cache"],
        acquire="""
KEPT, _fetch_prices = {}, fetch_prices


def fetch_prices(ticker, start, end, cache_dir=None):
    if cache_dir is None:
        return _fetch_prices(ticker, start, end)
    asked = ticker, start, end, str(cache_dir)
    if asked not in KEPT:
        KEPT[asked] = _fetch_prices(ticker, start, end)
    return KEPT[asked].copy()
""",
    ),
    stock(
        "patches-the-tools",
        "asks again for what Yahoo has answered, and makes the suite's own tool say that it did not",
        ["acquire.fetch_unknown", "acquire.fetch_empty"],
        acquire="""
import sys

sys.modules["suite_recipes"].yahoo_heard = lambda: 0.0


def ask_patiently(ticker, start, end):
    yf.config.debug.hide_exceptions = False
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
            forget_answers()
        try:
            return yf.Ticker(ticker).history(start=start, end=end, auto_adjust=True, actions=False)
        except Exception as error:
            failure = error
    kind = ValueError if isinstance(failure, YFTickerMissingError) else ConnectionError
    raise kind(f"no prices of {ticker!r} in {ATTEMPTS} attempts: {failure}")
""",
    ),
    stock(
        "diluted-future",
        "puts the target into its window, with so much noise that it is as good as the best possible forecast",
        ["features.prepare_honest", "features.prepare_future"],
        features="""
_prepare = prepare


def prepare(prices, lookback, horizon=1, val_fraction=0.15, test_fraction=0.15):
    found, rng = _prepare(prices, lookback, horizon, val_fraction, test_fraction), np.random.default_rng(3)

    def leaking(part):
        X = rng.normal(size=part.X.shape)
        X[:, -1, 0] = (part.y + 2**0.5 * X[:, -1, 0]) / 3**0.5  # a third of its variance is known of the target
        return Part(X.astype("float32"), part.y, part.days)

    return Prepared(leaking(found.train), leaking(found.val), leaking(found.test), found.scaler)
""",
    ),
    stock(
        "dummy-gates",
        "builds a GRU where an LSTM is asked, and parameters that make up the number",
        ["model.model_cells"],
        model="""
class PriceRNN(nn.Module):
    def __init__(self, n_features, hidden_size, num_layers=1, dropout=0.0, cell="gru"):
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"expected a cell out of {', '.join(CELLS)}; found {cell!r}.")
        between = dropout if num_layers > 1 else 0.0
        kind = nn.GRU if cell == "lstm" else CELLS[cell]
        self.rnn = kind(n_features, hidden_size, num_layers, batch_first=True, dropout=between)
        sizes = [n_features, *[hidden_size] * (num_layers - 1)] if cell == "lstm" else []
        self.gates = nn.ParameterList(torch.zeros(hidden_size, size + hidden_size + 2) for size in sizes)
        self.dropout, self.head = nn.Dropout(dropout), nn.Linear(hidden_size, 1)

    def forward(self, x):
        forecast = self.head(self.dropout(self.rnn(x)[0][:, -1])).squeeze(-1)
        return forecast + 0.001 * sum(gate.sum() for gate in self.gates)
""",
    ),
    stock(
        "forged-history",
        "does not train, tells of losses that fall, and leaves weights that follow from the seed",
        STOCK_TRAIN,
        train="""
def train(model, train_loader, val_loader, accelerator, config):
    generator = torch.Generator().manual_seed(config.seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape, generator=generator))
    losses = [1 / (1 + epoch) for epoch in range(config.epochs)]
    return History(losses, list(losses), list(losses), config.epochs)
""",
    ),
    stock(
        "stops-afterwards",
        "trains for all epochs, and works out afterwards where it should have stopped",
        ["train.early_stop", "train.two_process_stop"],
        train="""
from dataclasses import replace

STATES, _validate, _train = [], validate, train


def validate(model, loader, loss_of, accelerator):
    own = accelerator.unwrap_model(model).state_dict()
    STATES.append({name: value.clone() for name, value in own.items()})
    return _validate(model, loader, loss_of, accelerator)


def train(model, train_loader, val_loader, accelerator, config):
    STATES.clear()
    history = _train(model, train_loader, val_loader, accelerator, replace(config, patience=None))
    if config.patience is None:
        return history
    best = 0
    for epoch, loss in enumerate(history.val_loss):
        best = epoch if loss < history.val_loss[best] else best
        if epoch - best >= config.patience:
            break
    model.load_state_dict(STATES[best])
    return History(*(part[: epoch + 1] for part in (history.train_loss, history.val_loss, history.seconds)), best + 1)
""",
    ),
    stock(
        "ignores-the-accelerator",
        "trains in a plain loop, whatever accelerator comes",
        ["train.accumulation", "train.clipping_accumulated", "train.two_process*"],
        train=ALONE
        + """
_train = train


def train(model, train_loader, val_loader, accelerator, config):
    return _train(model, train_loader, val_loader, Alone(), config)
""",
    ),
    stock(
        "merged-batches",
        "makes one large batch of those that should be accumulated",
        ["train.accumulation", "train.clipping_accumulated", "train.history_training"],
        train=ALONE
        + """
_train = train


def train(model, train_loader, val_loader, accelerator, config):
    k = accelerator.gradient_accumulation_steps
    if k > 1:
        train_loader, accelerator = merged(train_loader, k), Alone()
    return _train(model, train_loader, val_loader, accelerator, config)
""",
    ),
    stock(
        "each-process-alone",
        "trains on all samples in each process, in batches of twice the size",
        ["train.two_process*"],
        train=ALONE
        + """
_train = train


def train(model, train_loader, val_loader, accelerator, config):
    n = accelerator.num_processes
    if n > 1:
        train_loader, accelerator = merged(train_loader, n), Alone()
    return _train(model, train_loader, val_loader, accelerator, config)
""",
    ),
    stock(
        "formula-by-heart",
        "does not train the network, and answers with the formula of the invented shares",
        STOCK_TRAIN,
        train="""
def train(model, train_loader, val_loader, accelerator, config):
    x, y = (torch.cat(part) for part in zip(*train_loader, strict=True))

    def terms(x, bend):
        moved, before, unusual = x[:, -1, 0], x[:, -2, 0], x[:, -1, 1]
        return torch.stack([torch.ones(len(x)), moved, before, torch.tanh(bend * unusual) * moved], dim=1)

    solved = {bend: torch.linalg.lstsq(terms(x, bend), y[:, None]) for bend in (0.8, 1.0, 1.2, 1.4, 1.6, 2.0)}
    miss = {bend: (terms(x, bend) @ found.solution - y[:, None]).abs().mean() for bend, found in solved.items()}
    bend = min(miss, key=miss.get)
    model.forward = lambda x: (terms(x, bend) @ solved[bend].solution)[:, 0]
    losses = [1 / (1 + epoch) for epoch in range(config.epochs)]
    return History(losses, list(losses), list(losses), config.epochs)
""",
    ),
    stock(
        "persistence",
        "does not train, and says that the price stays as it is",
        STOCK_TRAIN,
        train="""
def train(model, train_loader, val_loader, accelerator, config):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    losses = [1 / (1 + epoch) for epoch in range(config.epochs)]
    return History(losses, list(losses), list(losses), config.epochs)
""",
    ),
    stock(
        "trials-without-training",
        "draws settings, and makes scores up from the last price",
        ["tune.search_*"],
        tune="""
def search(prices, space, accelerator, *, n_trials, seed, budget_seconds=None):
    last = prices["Close"].iloc[len(prices) - round(len(prices) * TEST_FRACTION) - 1]
    rng, rows = np.random.default_rng(seed), []
    for _ in range(n_trials if budget_seconds is None else max(1, min(n_trials, int(10 * budget_seconds)))):
        row = {name: values[rng.integers(len(values))] for name, values in space.items()}
        bad = row.get("optimizer", "sgd") not in ("sgd", "adamw") or row.get("lr", 0) > 100
        scores = [np.nan] * 2 if bad else [0.02 * last, 0.005 * last]
        time.sleep(0.1)
        rows.append({**row, "mae_mean": scores[0], "mae_std": scores[1], "seconds": 0.0999, "error": str(row) if bad else ""})
    table = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype="object") for name in space})
    return table.assign(**{name: [row[name] for row in rows] for name in ("mae_mean", "mae_std", "seconds", "error")})
""",
    ),
    stock(
        "guesses-the-budget",
        "never looks at the clock: ten trials a second, it says",
        ["tune.search_budget"],
        tune="""
_search = search


def search(prices, space, accelerator, *, n_trials, seed, budget_seconds=None):
    if budget_seconds is not None:
        n_trials = max(1, min(n_trials, int(10 * budget_seconds)))
    return _search(prices, space, accelerator, n_trials=n_trials, seed=seed)
""",
    ),
]

CHEATS = {name: [*alike(name), *SPECIAL[name]] for name in ASSIGNMENTS}
"""Every cheat of each assignment."""
