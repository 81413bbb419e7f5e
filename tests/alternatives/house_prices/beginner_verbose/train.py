"""Task 3: the model and the training loop."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader


class LinearRegression(nn.Module):
    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        self.layer = nn.Linear(n_features, 1)
        with torch.no_grad():
            for i in range(n_features):
                self.layer.weight[0, i] = 0.0
            self.layer.bias[0] = bias_init

    def forward(self, x):
        out = self.layer(x)  # (batch, 1)
        out = out[:, 0]  # (batch,)
        return out


def as_float_tensor(values):
    if isinstance(values, torch.Tensor):
        return values.detach().to("cpu", torch.float32, copy=True)
    return torch.tensor(np.asarray(values, dtype="float32"))


def make_loader(X, y, batch_size, shuffle, seed=0):
    X_tensor = as_float_tensor(X)
    y_tensor = as_float_tensor(y)
    y_tensor = y_tensor.reshape(-1)
    if len(X_tensor) != len(y_tensor):
        raise ValueError("X and y do not have the same number of rows")

    # a plain list of (features, target) pairs is a dataset too
    pairs = []
    for i in range(len(X_tensor)):
        pairs.append((X_tensor[i], y_tensor[i]))

    generator = torch.Generator()
    generator.manual_seed(seed)
    return DataLoader(pairs, batch_size=batch_size, shuffle=shuffle, generator=generator)


def make_optimizer(model, kind, lr, weight_decay):
    weights = []
    biases = []
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            biases.append(parameter)
        else:
            weights.append(parameter)
    groups = [
        {"params": weights, "weight_decay": weight_decay},
        {"params": biases, "weight_decay": 0.0},
    ]
    if kind == "adamw":
        return torch.optim.AdamW(groups, lr=lr)
    if kind == "sgd":
        return torch.optim.SGD(groups, lr=lr)
    raise ValueError("optimizer must be adamw or sgd, not " + str(kind))


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    opt = make_optimizer(model, optimizer, lr, weight_decay)
    model, opt, loader = accelerator.prepare(model, opt, loader)
    loss_function = nn.MSELoss()

    history = []
    for epoch in range(epochs):
        model.train()
        total = 0.0
        count = 0
        for batch in loader:
            x = batch[0]
            y = batch[1]
            with accelerator.accumulate(model):
                prediction = model(x)
                loss = loss_function(prediction, y)
                accelerator.backward(loss)
                opt.step()
                opt.zero_grad()

            # collect the predictions of all processes
            all_predictions = accelerator.gather_for_metrics(prediction.detach())
            all_targets = accelerator.gather_for_metrics(y)
            for p, t in zip(all_predictions.tolist(), all_targets.tolist()):
                total = total + (p - t) ** 2
                count = count + 1
        history.append(total / count)
    model.train()
    return history
