import statistics

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.lines import Line2D
from scipy.spatial import distance


def as_vector(values):
    if isinstance(values, torch.Tensor):
        values = values.detach().double().numpy(force=True)
    return np.asarray(values, dtype="float64").reshape(-1)


def rmse(y_true, y_pred):
    y_true, y_pred = as_vector(y_true), as_vector(y_pred)
    if not 0 < len(y_true) == len(y_pred):
        raise ValueError(f"{len(y_true)} numbers cannot be compared with {len(y_pred)}")
    return float(distance.euclidean(y_true, y_pred) / np.sqrt(len(y_true)))


def predict_pairs(model, loader, accelerator):
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    before = model.training
    model.eval()
    pairs = []
    try:
        for x, y in loader:
            with torch.inference_mode():
                answers = model(x).tolist()
            pairs += accelerator.gather_for_metrics(list(zip(answers, y.tolist())), use_gather_object=True)
    finally:
        model.train(before)
    predicted, actual = np.array(pairs, dtype="float64").T
    return predicted, actual


def predict(model, loader, accelerator):
    return np.ascontiguousarray(predict_pairs(model, loader, accelerator)[0])


def evaluate(model, loader, accelerator):
    predicted, actual = predict_pairs(model, loader, accelerator)
    dollars = np.expm1([actual, predicted])
    variance = statistics.pvariance(actual.tolist())
    unexplained = rmse(actual, predicted) ** 2
    return {
        "rmse_log": rmse(actual, predicted),
        "rmse": rmse(*dollars),
        "mae": float(distance.cityblock(*dollars) / len(actual)),
        "r2": float(1 - unexplained / variance) if variance > 0 else float("-inf"),
    }


def plot_predictions(y_true, y_pred):
    actual, predicted = as_vector(y_true), as_vector(y_pred)
    lowest, highest = min(*actual, *predicted) * 0.9, max(*actual, *predicted) * 1.1
    figure, axis = plt.subplots(figsize=(5.5, 5.5))
    points = axis.scatter(actual, predicted, s=14, facecolors="none", edgecolors="C0")
    line = axis.add_line(Line2D([lowest, highest], [lowest, highest], color="k", linewidth=1))
    axis.set(xlim=(lowest, highest), ylim=(lowest, highest), xscale="log", yscale="log")
    axis.set(xlabel="actual price in $", ylabel="predicted price in $", title="Actual and predicted prices")
    axis.legend([points, line], ["house", "actual = predicted"])
    return figure
