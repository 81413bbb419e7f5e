"""Augmentation and robustness, as functions of tensors."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from evaluate import accuracy, predict
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision.transforms import v2

STRENGTHS = {
    "noise": (0.04, 0.08, 0.12, 0.18, 0.26),
    "blur": (0.4, 0.6, 0.8, 1.1, 1.5),
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
}
SEVERITIES = (1, 2, 3, 4, 5)
BATCH_SIZE = 64


class PadCrop(nn.Module):
    def __init__(self, padding: int) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, image: object) -> object:
        return v2.RandomCrop(v2.functional.get_size(image), padding=self.padding)(image)


def identity(image: object) -> object:
    return image


def standard(image: object, crop: Callable = PadCrop(4)) -> object:
    shifted = crop(image)
    return v2.functional.hflip(shifted) if torch.bernoulli(torch.tensor(0.5)) else shifted


def augmentation(policy: str) -> Callable:
    found = {"none": identity, "standard": standard, "trivial_augment": v2.TrivialAugmentWide()}.get(policy)
    if found is None:
        raise ValueError(f"policy {policy!r}: there are none, standard and trivial_augment")
    return found


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    images, targets = batch
    n = len(images)
    if alpha == 0:
        share = 1.0
    else:
        seed = torch.empty((), dtype=torch.int64).random_(generator=generator).item()
        share = float(np.random.default_rng(seed).dirichlet((alpha, alpha))[0])  # Beta(alpha, alpha)
    own = torch.eye(n, dtype=torch.float64)
    mixing = share * own + (1 - share) * own[torch.randperm(n, generator=generator)]  # (n, n)
    mix = partial(torch.einsum, "ij,j...->i...")
    return mix(mixing.to(images.dtype), images), mix(mixing.to(targets.dtype), targets)


def noisy(x: torch.Tensor, deviation: float, generator: torch.Generator) -> torch.Tensor:
    return x + deviation * torch.randn(x.shape, generator=generator, dtype=x.dtype)


def blur_matrix(n: int, sigma: float) -> torch.Tensor:
    """(n, n): the weight of each pixel of a line in each blurred one; beyond its ends the line goes on as it ends."""
    reach = torch.arange(-math.ceil(4 * sigma), math.ceil(4 * sigma) + 1)
    weights = torch.softmax(-0.5 * (reach.double() / sigma) ** 2, dim=0).expand(n, -1)
    places = (torch.arange(n)[:, None] + reach).clamp(0, n - 1)
    return torch.zeros(n, n, dtype=torch.float64).scatter_add(1, places, weights)


def blurred(x: torch.Tensor, sigma: float, generator: torch.Generator) -> torch.Tensor:
    down, across = (blur_matrix(side, sigma).to(x) for side in x.shape[-2:])
    return torch.einsum("yh,nchw,xw->ncyx", down, x, across)


def brightened(x: torch.Tensor, amount: float, generator: torch.Generator) -> torch.Tensor:
    return x + amount


def flattened(x: torch.Tensor, rest: float, generator: torch.Generator) -> torch.Tensor:
    own = torch.einsum("nchw->n", x).div(x[0].numel() if len(x) else 1)[:, None, None, None]
    return own.lerp(x, rest)


WAYS = {"noise": noisy, "blur": blurred, "brightness": brightened, "contrast": flattened}


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    return F.hardtanh(WAYS[name](images, STRENGTHS[name][severity - 1], generator), 0.0, 1.0)


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    images, labels = next(iter(DataLoader(dataset, batch_size=len(dataset))))
    after = normalize if normalize is not None else identity

    def measured(name: str, severity: int) -> float:
        generator = torch.Generator().manual_seed(seed + 10 * list(STRENGTHS).index(name) + severity)
        inputs = torch.cat([after(corrupt(part, name, severity, generator)) for part in images.split(BATCH_SIZE)])
        y_true, logits = predict(model, DataLoader(TensorDataset(inputs, labels), BATCH_SIZE), accelerator)
        return accuracy(y_true, logits.argmax(axis=1))

    table = {name: pd.Series({severity: measured(name, severity) for severity in SEVERITIES}) for name in corruptions}
    return pd.DataFrame(table, index=list(SEVERITIES), dtype=float).T


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    values = torch.tensor(results.to_numpy(dtype=float))
    for name, line in zip(results.index, values, strict=True):
        axis.plot(torch.arange(1, 6), line, label=name)
    axis.set_title("Accuracy, the more the images are disturbed")
    axis.set(xlabel="severity (1 to 5)", ylabel="accuracy (0 to 1)")
    axis.legend()
    axis.grid(True)
    return figure
