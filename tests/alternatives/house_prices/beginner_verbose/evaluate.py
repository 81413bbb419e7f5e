"""Task 4: measure how good the model is."""

import math

import matplotlib.pyplot as plt
import numpy as np
import torch


def to_list(values):
    """Any list, array, series or tensor as a plain list of floats."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().float().numpy()
    array = np.asarray(values, dtype="float64")
    return array.reshape(-1).tolist()


def rmse(y_true, y_pred):
    a = to_list(y_true)
    b = to_list(y_pred)
    if len(a) == 0 or len(b) == 0:
        raise ValueError("there is nothing to compare")
    if len(a) != len(b):
        raise ValueError("different lengths: " + str(len(a)) + " and " + str(len(b)))
    total = 0.0
    for i in range(len(a)):
        error = a[i] - b[i]
        total = total + error * error
    mean = total / len(a)
    return math.sqrt(mean)


def predict_pairs(model, loader, accelerator):
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)

    was_training = model.training
    model.eval()
    predictions = []
    targets = []
    for x, y in loader:
        with torch.no_grad():
            output = model(x)
        output = accelerator.gather_for_metrics(output)
        y = accelerator.gather_for_metrics(y)
        predictions.extend(output.tolist())
        targets.extend(y.tolist())
    if was_training:
        model.train()
    else:
        model.eval()
    return np.array(predictions, dtype="float32"), np.array(targets, dtype="float32")


def predict(model, loader, accelerator):
    predictions, targets = predict_pairs(model, loader, accelerator)
    return predictions


def evaluate(model, loader, accelerator):
    predictions, targets = predict_pairs(model, loader, accelerator)
    predictions = predictions.tolist()
    targets = targets.tolist()

    # back to dollars
    predicted_prices = []
    true_prices = []
    for i in range(len(targets)):
        predicted_prices.append(math.expm1(predictions[i]))
        true_prices.append(math.expm1(targets[i]))

    absolute = 0.0
    for i in range(len(targets)):
        absolute = absolute + abs(predicted_prices[i] - true_prices[i])

    mean_target = sum(targets) / len(targets)
    explained = 0.0
    total = 0.0
    for i in range(len(targets)):
        explained = explained + (predictions[i] - targets[i]) ** 2
        total = total + (targets[i] - mean_target) ** 2
    if total == 0:
        r2 = float("nan")  # all prices are the same
    else:
        r2 = 1 - explained / total

    result = {}
    result["rmse_log"] = rmse(targets, predictions)
    result["rmse"] = rmse(true_prices, predicted_prices)
    result["mae"] = absolute / len(targets)
    result["r2"] = r2
    return result


def plot_predictions(y_true, y_pred):
    actual = to_list(y_true)
    predicted = to_list(y_pred)
    fig, ax = plt.subplots(figsize=(7, 7))

    lowest = min(min(actual), min(predicted))
    highest = max(max(actual), max(predicted))
    ax.plot([lowest, highest], [lowest, highest], color="red", label="perfect prediction")
    ax.scatter(actual, predicted, s=12, color="steelblue", label="houses")

    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(lowest * 0.9, highest * 1.1)
    ax.set_ylim(lowest * 0.9, highest * 1.1)
    ax.set_title("Actual and predicted prices", loc="left")
    ax.set_xlabel("Actual price ($)")
    ax.set_ylabel("Predicted price ($)")
    ax.legend()
    return fig
