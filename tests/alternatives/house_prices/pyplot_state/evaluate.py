import matplotlib.pyplot as plt
import numpy as np
import torch


def numbers(values):
    if torch.is_tensor(values):
        values = values.detach().cpu().to(torch.float64)
    return np.ravel(np.asarray(values, dtype="float64"))


def rmse(y_true, y_pred):
    y_true, y_pred = numbers(y_true), numbers(y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError("%d true values and %d predictions" % (y_true.size, y_pred.size))
    if y_true.size == 0:
        raise ValueError("no values to compare")
    return np.sqrt(np.average((y_true - y_pred) ** 2)).item()


def predict_pairs(model, loader, accelerator):
    was_training = model.training
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    model.eval()
    predictions, targets = [], []
    with torch.no_grad():
        for x, y in loader:
            pair = torch.stack([model(x).float(), y.float()], dim=1)
            pair = accelerator.gather_for_metrics(pair).cpu().numpy()
            predictions.append(pair[:, 0])
            targets.append(pair[:, 1])
    model.train(was_training)
    return np.concatenate(predictions), np.concatenate(targets)


def predict(model, loader, accelerator):
    predictions, targets = predict_pairs(model, loader, accelerator)
    return predictions


def evaluate(model, loader, accelerator):
    predictions, targets = predict_pairs(model, loader, accelerator)
    predictions, targets = predictions.astype("float64"), targets.astype("float64")
    off = np.expm1(predictions) - np.expm1(targets)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1.0 - np.mean((predictions - targets) ** 2) / np.var(targets)
    return {
        "rmse_log": rmse(targets, predictions),
        "rmse": float(np.sqrt(np.mean(off**2))),
        "mae": float(np.mean(np.abs(off))),
        "r2": float(r2),
    }


def plot_predictions(y_true, y_pred):
    actual, predicted = numbers(y_true), numbers(y_pred)
    figure = plt.figure(figsize=(6, 6))
    low, high = np.min([actual, predicted]) / 1.2, np.max([actual, predicted]) * 1.2
    line = np.array([low, high])
    plt.fill_between(line, line * 0.9, line * 1.1, color="C2", alpha=0.2, label="within 10 %")
    plt.plot(line, line, "C2-", label="exactly right")
    plt.scatter(actual, predicted, s=10, c="C0", label="houses")
    plt.xscale("log")
    plt.yscale("log")
    plt.axis([low, high, low, high])
    plt.title("Predicted against actual prices")
    plt.xlabel("actual price")
    plt.ylabel("predicted price")
    plt.legend(loc="lower right")
    return figure
