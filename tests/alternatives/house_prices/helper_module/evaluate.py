import numpy as np
import torch
from helpers import annotate, every_row, panels, vectors
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error


def rmse(y_true, y_pred):
    return float(root_mean_squared_error(*vectors(y_true, y_pred)))


def predict_pairs(model, loader, accelerator):
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    modes = [module.training for module in model.modules()]
    model.eval()

    def step(x, y):
        with torch.no_grad(), accelerator.autocast():
            return model(x)

    try:
        rows = list(every_row(loader, accelerator, step))
    finally:
        for module, mode in zip(model.modules(), modes):
            module.training = mode
    predicted, y = (torch.cat(part).float().cpu().numpy() for part in zip(*rows))
    return predicted, y


def predict(model, loader, accelerator):
    return predict_pairs(model, loader, accelerator)[0]


def evaluate(model, loader, accelerator):
    predicted, y = (part.astype("float64") for part in predict_pairs(model, loader, accelerator))
    price, predicted_price = np.expm1(y), np.expm1(predicted)
    return {
        "rmse_log": float(root_mean_squared_error(y, predicted)),
        "rmse": float(root_mean_squared_error(price, predicted_price)),
        "mae": float(mean_absolute_error(price, predicted_price)),
        "r2": float(r2_score(y, predicted)),
    }


def plot_predictions(y_true, y_pred):
    actual, predicted = vectors(y_true, y_pred)
    ends = np.array([min(actual.min(), predicted.min()) * 0.95, max(actual.max(), predicted.max()) * 1.05])
    figure, (axis,) = panels(1, size=5)
    axis.plot(ends, ends, color="tab:red", label="prediction = price")
    axis.plot(actual, predicted, ".", color="tab:blue", label="one house", zorder=3)
    annotate(axis, "Predicted over actual prices", "actual price (dollars)", "predicted price (dollars)")
    axis.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    axis.legend()
    return figure
