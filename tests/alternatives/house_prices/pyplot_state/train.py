import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LinearRegression(nn.Module):
    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        self.coefficients = nn.Parameter(torch.zeros(n_features, 1))
        self.bias = nn.Parameter(torch.tensor([bias_init], dtype=torch.float32))

    def forward(self, x):
        return torch.addmm(self.bias, x, self.coefficients).flatten()


def as_floats(values):
    if not isinstance(values, torch.Tensor):
        values = torch.tensor(np.asarray(values, dtype="float64"))
    return values.detach().clone().to(torch.float32)


def make_loader(X, y, batch_size, shuffle, seed=0):
    X, y = as_floats(X), as_floats(y).ravel()
    if X.size(0) != y.size(0):
        raise ValueError("X and y differ in their number of rows: %d and %d" % (X.size(0), y.size(0)))
    rng = torch.Generator()
    rng.manual_seed(int(seed))
    data = TensorDataset(X, y)
    sampler = torch.utils.data.RandomSampler(data, generator=rng) if shuffle else None
    return DataLoader(data, batch_size=batch_size, sampler=sampler, generator=rng)


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    biases = [p for name, p in model.named_parameters() if name.split(".")[-1] == "bias"]
    others = [p for name, p in model.named_parameters() if name.split(".")[-1] != "bias"]
    groups = [{"params": others, "weight_decay": weight_decay}, {"params": biases, "weight_decay": 0.0}]
    if optimizer == "adamw":
        opt = torch.optim.AdamW(groups, lr=lr)
    elif optimizer == "sgd":
        opt = torch.optim.SGD(groups, lr=lr)
    else:
        raise ValueError("optimizer must be adamw or sgd, not %s" % optimizer)

    model, opt, loader = accelerator.prepare(model, opt, loader)
    loss_fn = nn.MSELoss(reduction="none")
    model.train()
    history = []
    for epoch in range(epochs):
        means, sizes = [], []
        for batch in loader:
            x, y = batch
            with accelerator.accumulate(model):
                losses = loss_fn(model(x), y)
                accelerator.backward(torch.mean(losses))
                opt.step()
                opt.zero_grad()
            met = accelerator.gather_for_metrics(losses.detach())
            means.append(met.mean().item())
            sizes.append(met.numel())
        history.append(float(np.average(means, weights=sizes)))
    return history
