import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LinearRegression(nn.Module):
    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(n_features))
        self.bias = nn.Parameter(torch.tensor(float(bias_init)))

    def forward(self, x):
        return x @ self.w + self.bias


def tensor(a):
    a = a.detach().cpu() if isinstance(a, torch.Tensor) else np.array(a, "float32")
    return torch.as_tensor(a).float()


def make_loader(X, y, batch_size, shuffle, seed=0):
    X, y = tensor(X), tensor(y).flatten()
    if len(X) != len(y):
        raise ValueError(f"{len(X)} rows of features, {len(y)} targets")
    return DataLoader(TensorDataset(X, y), batch_size, shuffle, generator=torch.Generator().manual_seed(seed))


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    if optimizer not in ("adamw", "sgd"):
        raise ValueError(f"unknown optimizer {optimizer!r}")
    kind = torch.optim.AdamW if optimizer == "adamw" else torch.optim.SGD
    groups = [
        {"params": [p for n, p in model.named_parameters() if n.endswith("bias") == b], "weight_decay": d}
        for b, d in ((False, weight_decay), (True, 0.0))
    ]
    model, opt, loader = accelerator.prepare(model, kind(groups, lr=lr), loader)
    model.train()
    history = []
    for _ in range(epochs):
        errors = []
        for x, y in loader:
            with accelerator.accumulate(model):
                squared = F.mse_loss(model(x), y, reduction="none")
                accelerator.backward(squared.mean())
                opt.step()
                opt.zero_grad()
            errors.append(accelerator.gather_for_metrics(squared.detach()))
        history.append(torch.cat(errors).mean().item())
    return history
