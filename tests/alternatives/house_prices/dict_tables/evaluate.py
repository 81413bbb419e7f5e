"""Measures, in a table."""

import matplotlib.pyplot as plt
import numpy as np
import torch

MEASURES = {
    "rms": lambda y, p: np.sqrt(((p - y) ** 2).mean()),
    "mean_abs": lambda y, p: np.abs(p - y).mean(),
    "r2": lambda y, p: 1 - ((p - y) ** 2).sum() / ((y - y.mean()) ** 2).sum(),
}
SCALES = {"log": lambda y: y, "dollars": np.expm1}
SCORES = {"rmse_log": ("rms", "log"), "rmse": ("rms", "dollars"), "mae": ("mean_abs", "dollars"), "r2": ("r2", "log")}
TO_ARRAY = {
    True: lambda values: np.array(values.detach().cpu().tolist(), dtype="float64"),
    False: lambda values: np.array(values, dtype="float64"),
}


def as_vector(values):
    array = TO_ARRAY[torch.is_tensor(values)](values)
    if array.ndim != 1:
        raise ValueError(f"expected a vector, found the shape {array.shape}")
    return array


def rmse(y_true, y_pred):
    y_true, y_pred = as_vector(y_true), as_vector(y_pred)
    problems = {"no numbers": len(y_true) == 0, "different lengths": len(y_true) != len(y_pred)}
    for problem, found in problems.items():
        if found:
            raise ValueError(problem)
    return float(MEASURES["rms"](y_true, y_pred))


def predict_pairs(model, loader, accelerator):
    loader = accelerator.prepare(loader)
    mode = {True: model.train, False: model.eval}[model.training]
    model.to(accelerator.device)
    model.eval()
    columns = {"predicted": [], "actual": []}
    with torch.no_grad():
        for x, y in loader:
            predicted, actual = accelerator.gather_for_metrics((model(x), y))
            columns["predicted"].append(predicted.float().cpu())
            columns["actual"].append(actual.float().cpu())
    mode()
    return {name: torch.cat(parts).numpy() for name, parts in columns.items()}


def predict(model, loader, accelerator):
    return predict_pairs(model, loader, accelerator)["predicted"]


def evaluate(model, loader, accelerator):
    pairs = predict_pairs(model, loader, accelerator)
    y, p = (pairs[name].astype("float64") for name in ("actual", "predicted"))
    with np.errstate(all="ignore"):
        return {
            name: float(MEASURES[measure](SCALES[scale](y), SCALES[scale](p)))
            for name, (measure, scale) in SCORES.items()
        }


def plot_predictions(y_true, y_pred):
    prices = {"actual": np.ravel(TO_ARRAY[torch.is_tensor(y_true)](y_true))}
    prices["predicted"] = np.ravel(TO_ARRAY[torch.is_tensor(y_pred)](y_pred))
    limits = min(p.min() for p in prices.values()) * 0.9, max(p.max() for p in prices.values()) / 0.9
    figure, axis = plt.subplots()
    axis.scatter("actual", "predicted", data=prices, s=10, c="navy", label="houses")
    axis.axline((limits[0], limits[0]), (limits[1], limits[1]), c="orange", label="as predicted")
    axis.set(**{"xscale": "log", "yscale": "log", "xlim": limits, "ylim": limits})
    axis.set(**{"xlabel": "actual dollars", "ylabel": "predicted dollars", "title": "Predictions of prices"})
    axis.legend()
    return figure
