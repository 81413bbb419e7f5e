"""Predictions from all processes, and scikit-learn's metrics."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score


def as_vector(values):
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype="float64").ravel()


def rmse(y_true, y_pred):
    y_true, y_pred = as_vector(y_true), as_vector(y_pred)
    # scikit-learn itself refuses different lengths and empty arrays with a ValueError
    return float(np.sqrt(mean_squared_error(y_true, y_pred)))


def predict_pairs(model, loader, accelerator):
    was_training = model.training
    model = accelerator.prepare_model(model, evaluation_mode=True)
    loader = accelerator.prepare_data_loader(loader)
    predictions, targets = [], []
    model.eval()
    with torch.no_grad():
        for x, y in loader:
            y_pred, y = accelerator.gather_for_metrics((model(x), y))
            predictions.append(y_pred.float().cpu())
            targets.append(y.float().cpu())
    model.train(was_training)
    return torch.cat(predictions).numpy(), torch.cat(targets).numpy()


def predict(model, loader, accelerator):
    return predict_pairs(model, loader, accelerator)[0]


def evaluate(model, loader, accelerator):
    y_pred, y_true = (part.astype("float64") for part in predict_pairs(model, loader, accelerator))
    dollars, predicted = np.expm1(y_true), np.expm1(y_pred)
    return {
        "rmse_log": rmse(y_true, y_pred),
        "rmse": rmse(dollars, predicted),
        "mae": float(mean_absolute_error(dollars, predicted)),
        "r2": float(r2_score(y_true, y_pred)),
    }


def plot_predictions(y_true, y_pred):
    y_true, y_pred = as_vector(y_true), as_vector(y_pred)
    figure, axis = plt.subplots(figsize=(6, 6))
    axis.scatter(y_true, y_pred, s=12, alpha=0.6, label="houses")
    ends = [min(y_true.min(), y_pred.min()), max(y_true.max(), y_pred.max())]
    axis.plot(ends, ends, "k--", label="predicted = actual")
    axis.set(xscale="log", yscale="log", xlabel="actual price ($)", ylabel="predicted price ($)", title="Predictions")
    axis.legend()
    return figure
