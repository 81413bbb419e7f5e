"""One vector of parameters, theta = (b, w), and a short loop."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler, TensorDataset


class LinearRegression(nn.Module):
    """theta[0] + x @ theta[1:]."""

    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        self.theta = nn.Parameter(torch.cat([torch.tensor([float(bias_init)]), 0.01 * torch.randn(n_features)]))

    def forward(self, x):
        return self.theta[0] + x.matmul(self.theta[1:])


def make_loader(X, y, batch_size, shuffle, seed=0):
    X, y = (t.detach().cpu() if isinstance(t, torch.Tensor) else torch.tensor(np.asarray(t, "float32")) for t in (X, y))
    if len(X) != len(y):
        raise ValueError(f"{len(X)} rows of X, {len(y)} of y")
    rows = TensorDataset(X.float(), y.float().view(-1))
    order = RandomSampler(rows, generator=torch.Generator().manual_seed(seed)) if shuffle else SequentialSampler(rows)
    return DataLoader(rows, batch_sampler=BatchSampler(order, batch_size, drop_last=False))


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    make = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[optimizer]
    opt = make(model.parameters(), lr=lr, weight_decay=weight_decay)  # theta is one vector: its bias decays as well
    net, opt, loader = accelerator.prepare(model, opt, loader)
    net.train()
    opt.zero_grad(set_to_none=True)

    def batch(x, y):
        with accelerator.accumulate(net):
            e2 = (net(x) - y).square()
            accelerator.backward(e2.mean())
            opt.step()
            opt.zero_grad()
        return accelerator.gather_for_metrics(e2.detach())

    return [torch.cat([batch(x, y) for x, y in loader]).double().mean().item() for _ in range(epochs)]
