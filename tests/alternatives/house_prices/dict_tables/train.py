"""The linear model and its loop, with tables for what can be chosen."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

OPTIMIZERS = {
    "adamw": lambda groups, lr: torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.999)),
    "sgd": lambda groups, lr: torch.optim.SGD(groups, lr=lr),
}
TO_TENSOR = {
    True: lambda values: values.detach().to("cpu", torch.float32),
    False: lambda values: torch.tensor(np.asarray(values, dtype="float32")),
}


class LinearRegression(nn.Module):
    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        self.p = nn.ParameterDict({"w": torch.zeros(n_features), "bias": torch.tensor(float(bias_init))})

    def forward(self, x):
        return torch.einsum("nf,f->n", x, self.p["w"]) + self.p["bias"]


def make_loader(X, y, batch_size, shuffle, seed=0):
    data = {name: TO_TENSOR[torch.is_tensor(values)](values) for name, values in {"x": X, "y": y}.items()}
    data["y"] = data["y"].reshape(-1)
    sizes = {name: len(values) for name, values in data.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"different numbers of rows: {sizes}")
    generator = torch.Generator().manual_seed(seed)

    def pick(rows):
        return data["x"][rows], data["y"][rows]

    return DataLoader(range(sizes["y"]), batch_size, shuffle=shuffle, collate_fn=pick, generator=generator)


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"unknown: {optimizer}; known: {', '.join(OPTIMIZERS)}")
    groups = {False: {"params": [], "weight_decay": weight_decay}, True: {"params": [], "weight_decay": 0.0}}
    for name, parameter in model.named_parameters():
        groups[name.endswith("bias")]["params"].append(parameter)
    groups = [group for group in groups.values() if group["params"]]
    prepared = accelerator.prepare(model, OPTIMIZERS[optimizer](groups, lr), loader)
    run = dict(zip(("model", "optimizer", "loader"), prepared))
    run["model"].train()
    history = {}
    for epoch in range(epochs):
        met = []
        for x, y in run["loader"]:
            with accelerator.accumulate(run["model"]):
                y_hat = run["model"](x)
                accelerator.backward(nn.functional.mse_loss(y_hat, y))
                run["optimizer"].step()
                run["optimizer"].zero_grad(set_to_none=False)
            both = accelerator.gather_for_metrics({"y_hat": y_hat.detach(), "y": y})
            met.append((both["y_hat"] - both["y"]).pow(2).cpu().numpy())
        history[epoch] = float(np.concatenate(met).mean(dtype="float64"))
    return list(history.values())
