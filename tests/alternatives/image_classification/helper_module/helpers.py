"""What several tasks need: reading files, running a model over a loader, keeping and restoring states, drawing."""

import csv
import os
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from accelerate.utils import gather_object
from torch import nn


def read_columns(path, *names):
    """The columns of a CSV file as lists of texts."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        absent = [name for name in names if name not in (reader.fieldnames or [])]
        if absent:
            raise ValueError(f"{path} should have the column(s) {', '.join(absent)}")
        rows = list(reader)
    return [[row[name] for row in rows] for name in names]


def is_norm(module):
    return isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm))


def trainable(module):
    return [p for p in module.parameters() if p.requires_grad]


def bare(model, accelerator):
    """The model itself, without what `prepare` or `torch.compile` put around it."""
    previous = None
    while model is not previous:
        previous, model = model, accelerator.unwrap_model(model, keep_torch_compile=False)
        model = model.__dict__.get("_modules", {}).get("_orig_mod", model)
    return model


def snapshot(model):
    """A copy of the state dict in memory of its own, on the CPU."""
    return {name: value.detach().cpu().contiguous().clone() for name, value in model.state_dict().items()}


def per_sample(logits, labels, smoothing=0.0):
    """(batch, 3): loss, hit and a one for each sample, so that the column sums are all that a mean needs."""
    losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    hits = logits.argmax(dim=1).eq(labels)
    return losses.mean(), torch.stack([losses.detach().float(), hits.float(), torch.ones_like(hits).float()], dim=1)


class Means:
    """Mean loss and accuracy over the samples of all processes."""

    def __init__(self, accelerator):
        self.accelerator, self.sums = accelerator, np.zeros(3)

    def add(self, rows):
        self.sums += self.accelerator.gather_for_metrics(rows).sum(dim=0, dtype=torch.float64).cpu().numpy()

    def result(self):
        loss, hits, n = self.sums.tolist()
        return loss / n, hits / n


def answers(model, loader, accelerator):
    """Labels and float32 logits of all batches, on every process."""
    labels, logits = [], []
    for x, y in loader:
        with accelerator.autocast():
            out = model(x)
        part = accelerator.gather_for_metrics({"labels": y, "logits": out.float()})
        labels.append(part["labels"].cpu())
        logits.append(part["logits"].cpu())
    return torch.cat(labels).to(torch.int64).numpy(), torch.cat(logits).numpy()


def replace_folder(aside, folder):
    """Puts a finished folder into its place."""
    aside, folder = Path(aside), Path(folder)
    if folder.exists():
        shutil.rmtree(folder)
    os.rename(aside, folder)


def agreed(value, accelerator):
    """The main process's value, on all processes."""
    return gather_object([value])[0] if accelerator.num_processes > 1 else value


def named_sides(axis, names, across, down):
    """Names of classes along both sides of a matrix."""
    axis.set(xticks=np.arange(len(names)), yticks=np.arange(len(names)), xlabel=across, ylabel=down)
    axis.set_xticklabels(names, rotation=60, ha="right", rotation_mode="anchor")
    axis.set_yticklabels(names)


def lines(axis, x, curves, **words):
    """Lines over x, told apart by a legend."""
    for name, values in curves.items():
        axis.plot(x, values, marker="o", markersize=3, label=name)
    axis.set(**words)
    axis.grid(alpha=0.3)
    axis.legend()


def new_axes(n, width=1, size=3.0):
    """A figure and its n axes, so many to a row."""
    figure = plt.figure(figsize=(size * min(n, width), size * -(-n // width)), layout="constrained")
    grid = figure.add_gridspec(-(-n // width), width)
    return figure, [figure.add_subplot(grid[divmod(i, width)]) for i in range(n)]
