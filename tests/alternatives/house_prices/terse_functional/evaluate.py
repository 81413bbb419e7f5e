"""Measures in float64; every process gathers, then cuts off the repeated rows."""

import numpy as np
import torch
from matplotlib.figure import Figure


def rmse(y_true, y_pred):
    a, b = (np.asarray(v.detach().cpu().double() if torch.is_tensor(v) else v, np.float64) for v in (y_true, y_pred))
    if a.shape != b.shape or a.size == 0:
        raise ValueError(f"expected equal, non-empty shapes, found {a.shape} and {b.shape}")
    return np.sqrt(np.square(a - b).mean())


def predict_pairs(model, loader, accelerator):
    modes = {m: m.training for m in model.modules()}
    loader = accelerator.prepare(loader)
    with torch.no_grad(), accelerator.autocast():
        model.to(accelerator.device).eval()
        parts = [accelerator.gather(torch.stack([model(x).float(), y.float()], 1)) for x, y in loader]
    for m, mode in modes.items():
        m.training = mode
    # repeats are in the last batch only, behind the last row
    return torch.cat(parts)[: len(loader.dataset)].cpu().double().numpy().T


def predict(model, loader, accelerator):
    return predict_pairs(model, loader, accelerator)[0]


def evaluate(model, loader, accelerator):
    p, y = predict_pairs(model, loader, accelerator)
    dollars = np.expm1(p) - np.expm1(y)
    r2 = 1 - np.square(p - y).sum() / np.square(y - y.mean()).sum()
    return {"rmse_log": rmse(y, p), "r2": r2, "rmse": rmse(dollars, 0 * dollars), "mae": np.abs(dollars).mean()}


def plot_predictions(y_true, y_pred):
    ax = (fig := Figure()).add_subplot(
        xscale="log", yscale="log", xlabel="actual ($)", ylabel="predicted ($)", title="Predictions"
    )
    a, b = (np.asarray(v, np.float64).ravel() for v in (y_true, y_pred))
    ax.plot(a, b, ".", label="houses")
    ax.axline((a.min(), a.min()), (a.max() * 1.01, a.max() * 1.01), color="0.5", label="y = x")
    ax.legend()
    return fig
