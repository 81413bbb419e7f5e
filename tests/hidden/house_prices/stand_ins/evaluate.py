"""Task 4 in its shortest form, for the checks of tasks that build on it."""

import numpy as np
import torch


def rmse(y_true, y_pred):
    y_true, y_pred = (np.asarray(part, dtype="float64").reshape(-1) for part in (y_true, y_pred))
    if len(y_true) != len(y_pred) or not len(y_true):
        raise ValueError("expected equally many values")
    return float(np.sqrt(np.mean((y_true - y_pred) ** 2)))


def predict(model, loader, accelerator):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        predictions = torch.cat([model(x) for x, _ in loader])
    model.train(was_training)
    return predictions.numpy()


def evaluate(model, loader, accelerator):
    y_true = torch.cat([y for _, y in loader]).numpy().astype("float64")
    y_pred = predict(model, loader, accelerator).astype("float64")
    dollars = np.expm1(y_true), np.expm1(y_pred)
    return {
        "rmse_log": rmse(y_true, y_pred),
        "rmse": rmse(*dollars),
        "mae": float(np.mean(np.abs(dollars[0] - dollars[1]))),
        "r2": float(1 - rmse(y_true, y_pred) ** 2 / np.var(y_true)),
    }
