"""Augmentation and robustness."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import accuracy, predict
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter
from scipy.stats import beta
from sklearn.utils import shuffle
from torch import nn
from torch.utils.data import DataLoader, Dataset, StackDataset
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


def augmentation(policy: str) -> Callable:
    makers = dict(
        none=lambda: v2.Lambda(lambda image: image),
        standard=lambda: v2.Compose([v2.RandomHorizontalFlip(p=0.5), PadCrop(padding=4)]),
        trivial_augment=v2.TrivialAugmentWide,
    )
    if policy not in makers:
        raise ValueError(f"unknown policy {policy!r}, choose from {sorted(makers)}")
    return makers[policy]()


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    images, targets = batch
    state = np.random.RandomState(torch.randint(2**31 - 1, (1,), generator=generator).item())
    lam = float(beta.rvs(alpha, alpha, random_state=state)) if alpha > 0 else 1.0
    others = shuffle(images, targets, random_state=state) if len(images) else (images, targets)
    return tuple(lam * own + (1 - lam) * other for own, other in zip((images, targets), others, strict=True))


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    strength = STRENGTHS[name][severity - 1]
    mean = images.flatten(1).mean(1)[:, None, None, None]
    ways = {
        "noise": lambda: images.add(torch.randn(images.shape, generator=generator), alpha=strength),
        "blur": lambda: torch.from_numpy(gaussian_filter(images.numpy(), strength, mode="mirror", axes=(-2, -1))),
        "brightness": lambda: images.add(strength),
        "contrast": lambda: images.mul(strength).add(mean, alpha=1).sub(mean * strength),
    }
    return ways[name]().clamp(min=0, max=1)


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    images, labels = zip(*(dataset[i] for i in range(len(dataset))), strict=True)
    images, found = torch.stack(images), []
    for place, (name, severity) in enumerate(product(corruptions, SEVERITIES)):
        generator = torch.Generator().manual_seed(seed + 7919 * place)
        inputs = (normalize or nn.Identity())(corrupt(images, name, severity, generator))
        loader = DataLoader(StackDataset(inputs, torch.as_tensor(labels)), batch_size=BATCH_SIZE)
        y_true, logits = predict(model, loader, accelerator)
        found.append({"name": name, "severity": severity, "accuracy": accuracy(y_true, logits.argmax(1))})
    values = np.array([row["accuracy"] for row in found], dtype=float).reshape(-1, len(SEVERITIES))
    return pd.DataFrame(values, columns=SEVERITIES, index=list(corruptions))


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(layout="tight")
    lines = axis.plot(np.asarray(results.columns, dtype=int), results.to_numpy().T, marker="^")
    axis.legend(lines, list(results.index), title="disturbed by")
    axis.set_title("Robustness")
    axis.set_xlabel("Severity")
    axis.set_ylabel("Accuracy")
    axis.set_xticks(np.asarray(results.columns, dtype=int))
    return figure
