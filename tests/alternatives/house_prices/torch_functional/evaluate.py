"""Task 4: measures in torch."""

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.data_loader import DataLoaderDispatcher, DataLoaderShard
from accelerate.utils import send_to_device
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader


def vector(values: object) -> torch.Tensor:
    """float64, (n,)"""
    if not isinstance(values, torch.Tensor):
        values = torch.from_numpy(np.array(values, dtype="float64"))
    return values.detach().cpu().double().flatten()


def rmse(y_true: object, y_pred: object) -> float:
    a, b = vector(y_true), vector(y_pred)
    if a.shape != b.shape or not a.numel():
        raise ValueError(f"shapes {tuple(a.shape)} and {tuple(b.shape)}")
    return F.mse_loss(b, a).sqrt().item()


@torch.inference_mode()
def predict_pairs(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[torch.Tensor, torch.Tensor]:
    """A loader that is not prepared gives all rows to every process: nothing has to be gathered then."""
    shared_out = isinstance(loader, (DataLoaderShard, DataLoaderDispatcher))
    modes = [(part, part.training) for part in model.modules()]
    model.to(accelerator.device).eval()
    pairs = []
    for x, y in loader:
        x, y = send_to_device((x, y), accelerator.device)
        pair = torch.stack([model(x).float(), y.float()], dim=-1)
        pairs.append(accelerator.gather_for_metrics(pair) if shared_out else pair)
    for part, mode in modes:
        part.training = mode
    return torch.cat(pairs).cpu().unbind(-1)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    return predict_pairs(model, loader, accelerator)[0].numpy()


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> dict[str, float]:
    y_pred, y_true = map(vector, predict_pairs(model, loader, accelerator))
    p_pred, p_true = y_pred.expm1(), y_true.expm1()
    measures = {
        "rmse_log": F.mse_loss(y_pred, y_true).sqrt(),
        "rmse": F.mse_loss(p_pred, p_true).sqrt(),
        "mae": F.l1_loss(p_pred, p_true),
        "r2": 1 - F.mse_loss(y_pred, y_true) / y_true.var(correction=0),
    }
    return {name: measure.item() for name, measure in measures.items()}


def plot_predictions(y_true: object, y_pred: object) -> Figure:
    a, b = vector(y_true), vector(y_pred)
    figure, axis = plt.subplots(figsize=(5.5, 5.5), constrained_layout=True)
    low, high = torch.cat([a, b]).aminmax()
    line = torch.logspace(low.log10().item(), high.log10().item(), 20, dtype=torch.float64)
    axis.plot(line, line, color="tab:orange", label="predicted = actual", zorder=1)
    axis.scatter(a, b, s=6, label="one house", zorder=2)
    axis.set(xscale="log", yscale="log", xlabel="actual price, $", ylabel="predicted price, $", title="Predictions")
    axis.legend(loc="upper left")
    return figure
