"""Predictions and what they are worth."""

from contextlib import contextmanager
from operator import itemgetter

import numpy as np
import torch
from matplotlib import pyplot as plt


def flat(values):
    """Numbers (n,) out of nearly anything."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().tolist()
    return np.asarray(values, dtype="float64").reshape(-1)


def compared(measure):
    def checked(y_true, y_pred):
        a, b = flat(y_true), flat(y_pred)
        if a.size == 0 or a.size != b.size:
            raise ValueError(f"expected two vectors of one length, found {a.size} and {b.size} numbers")
        return float(measure(a, b))

    checked.__name__ = measure.__name__
    return checked


@compared
def rmse(y_true, y_pred):
    return np.mean(np.square(y_pred - y_true)) ** 0.5


@compared
def mae(y_true, y_pred):
    return np.mean(abs(y_pred - y_true))


@compared
def r2(y_true, y_pred):
    spread = np.var(y_true)
    return 1 - np.mean(np.square(y_pred - y_true)) / spread if spread > 0 else np.nan


@contextmanager
def evaluating(model):
    before = [(module, module.training) for module in model.modules()]
    try:
        with torch.no_grad():
            yield model.eval()
    finally:
        for module, mode in before:
            module.training = mode


def answers(model, loader, accelerator):
    for x, y in accelerator.prepare(loader):
        yield accelerator.gather_for_metrics({"pred": model(x).float(), "true": y.float()})


def predict_pairs(model, loader, accelerator):
    model.to(accelerator.device)
    with evaluating(model):
        batches = list(answers(model, loader, accelerator))
    return tuple(torch.cat(list(map(itemgetter(part), batches))).cpu().numpy() for part in ("pred", "true"))


def predict(model, loader, accelerator):
    predicted, _ = predict_pairs(model, loader, accelerator)
    return predicted


def evaluate(model, loader, accelerator):
    predicted, actual = map(flat, predict_pairs(model, loader, accelerator))
    dollars = np.expm1(actual), np.expm1(predicted)
    return dict(rmse_log=rmse(actual, predicted), rmse=rmse(*dollars), mae=mae(*dollars), r2=r2(actual, predicted))


def plot_predictions(y_true, y_pred):
    actual, predicted = flat(y_true), flat(y_pred)
    both = np.concatenate([actual, predicted])
    low, high = 0.9 * both.min(), 1.1 * both.max()
    figure, axis = plt.subplots(figsize=(5, 5), layout="constrained")
    axis.loglog(actual, predicted, "o", markersize=3, alpha=0.6, label="a house")
    line = np.geomspace(low, high, 20)
    axis.loglog(line, line, color="gray", label="equal")
    axis.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axis.set_title("How close are the predictions?")
    axis.set_xlabel("price (dollars)")
    axis.set_ylabel("prediction (dollars)")
    axis.legend(loc="upper left")
    return figure
