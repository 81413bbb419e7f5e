import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, default_collate


class LinearRegression(nn.Linear):
    def __init__(self, n_features, bias_init=0.0):
        super().__init__(n_features, 1)
        nn.init.zeros_(self.weight)
        nn.init.constant_(self.bias, bias_init)

    def forward(self, x):
        return super().forward(x)[:, 0]


def make_loader(X, y, batch_size, shuffle, seed=0):
    X, y = (v.detach().numpy(force=True) if isinstance(v, torch.Tensor) else np.asarray(v) for v in (X, y))
    X, y = torch.tensor(X.astype("float32")), torch.tensor(y.astype("float32").ravel())
    if len(X) != len(y):
        raise ValueError(f"as many targets as rows of features expected, found {len(y)} and {len(X)}")
    return DataLoader(
        TensorDataset(X, y),
        batch_size=batch_size,
        shuffle=bool(shuffle),
        collate_fn=default_collate,
        generator=torch.Generator().manual_seed(seed + 1),
    )


def make_optimizer(model, kind, lr, weight_decay):
    bias = {id(p) for name, p in model.named_parameters() if "bias" in name.split(".")}
    groups = [
        {"params": [p for p in model.parameters() if id(p) not in bias], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if id(p) in bias], "weight_decay": 0.0},
    ]
    if kind not in ("adamw", "sgd"):
        raise ValueError(f"adamw or sgd expected, found {kind!r}")
    return torch.optim.AdamW(groups, lr=lr) if kind == "adamw" else torch.optim.SGD(groups, lr=lr)


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    optimizer = make_optimizer(model, optimizer, lr, weight_decay)
    loader, model, optimizer = accelerator.prepare(loader, model, optimizer)
    model.train()
    history = []
    for _ in range(epochs):
        squares = []
        for x, y in loader:
            with accelerator.accumulate(model):
                predicted = model(x)
                accelerator.backward(torch.nn.functional.mse_loss(predicted, y))
                optimizer.step()
                optimizer.zero_grad()
            predicted, y = accelerator.gather_for_metrics((predicted.detach(), y))
            squares += torch.square(predicted.double() - y.double()).tolist()
        history.append(math.fsum(squares) / len(squares))
    return history
