import matplotlib.pyplot as plt
import numpy as np
import torch


def vector(a):
    if isinstance(a, torch.Tensor):
        a = a.detach().cpu().double()
    return np.asarray(a, float).ravel()


def rmse(y_true, y_pred):
    a, b = vector(y_true), vector(y_pred)
    if len(a) != len(b) or not len(a):
        raise ValueError(f"cannot compare {len(a)} numbers with {len(b)}")
    return float(np.sqrt(np.mean((a - b) ** 2)))


@torch.no_grad()
def predict_pairs(model, loader, accelerator):
    model.to(accelerator.device)
    training = model.training
    model.eval()
    pairs = [accelerator.gather_for_metrics((model(x), y)) for x, y in accelerator.prepare(loader)]
    model.train(training)
    return tuple(torch.cat(part).float().cpu().numpy() for part in zip(*pairs))


def predict(model, loader, accelerator):
    return predict_pairs(model, loader, accelerator)[0]


def evaluate(model, loader, accelerator):
    pred, true = (v.astype("float64") for v in predict_pairs(model, loader, accelerator))
    dollars = np.expm1(true), np.expm1(pred)
    return {
        "rmse_log": rmse(true, pred),
        "rmse": rmse(*dollars),
        "mae": float(np.abs(dollars[0] - dollars[1]).mean()),
        "r2": float(1 - np.sum((true - pred) ** 2) / np.sum((true - true.mean()) ** 2)),
    }


def plot_predictions(y_true, y_pred):
    a, b = vector(y_true), vector(y_pred)
    ends = [min(a.min(), b.min()) / 1.1, max(a.max(), b.max()) * 1.1]
    fig, ax = plt.subplots()
    ax.scatter(a, b, s=8, label="houses")
    ax.plot(ends, ends, "k--", label="predicted = actual")
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    ax.set(xlabel="actual price", ylabel="predicted price", title="Predicted and actual prices")
    ax.legend()
    return fig
