"""Augmentation and robustness."""

import logging
import math
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import accuracy, predict
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision.transforms import v2
from tqdm import tqdm

logger = logging.getLogger(__name__)

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
    known = ("none", "standard", "trivial_augment")
    if policy not in known:
        raise ValueError(f"unknown policy {policy!r}; known policies: {', '.join(known)}")
    if policy == "standard":
        return nn.Sequential(PadCrop(padding=4), v2.RandomHorizontalFlip(p=0.5))
    return v2.Identity() if policy == "none" else v2.TrivialAugmentWide()


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    images, targets = batch
    if len(images) != len(targets):
        raise ValueError(f"{len(images)} images, {len(targets)} targets")
    if alpha < 0:
        raise ValueError(f"alpha must not be negative, it is {alpha}")
    order = torch.randperm(len(images), generator=generator)
    if alpha == 0:
        weight = 1.0
    else:
        seed = torch.randint(0, 2**63 - 1, size=(1,), generator=generator).item()
        weight = float(np.random.default_rng(seed).beta(alpha, alpha))
    mixed = []
    for values in (images, targets):
        result = values.clone()
        result *= weight
        result += (1.0 - weight) * values[order]
        mixed.append(result)
    return mixed[0], mixed[1]


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    if name not in STRENGTHS:
        raise ValueError(f"unknown corruption {name!r}; known: {', '.join(STRENGTHS)}")
    if severity not in SEVERITIES:
        raise ValueError(f"severity must be one of {SEVERITIES}, not {severity}")
    if images.ndim != 4 or not images.is_floating_point():
        raise ValueError(f"expected float images (n, 3, h, w), found {images.dtype} {tuple(images.shape)}")
    strength = STRENGTHS[name][severity - 1]
    result = images.clone()
    if name == "noise":
        result += torch.randn(result.shape, generator=generator, dtype=result.dtype).mul_(strength)
    elif name == "blur":
        radius = math.ceil(3 * strength)
        padded = v2.functional.pad(result, [radius] * 4, padding_mode="edge")
        padded = v2.functional.gaussian_blur(padded, kernel_size=[2 * radius + 1] * 2, sigma=[strength] * 2)
        result = padded[:, :, radius:-radius, radius:-radius]
    elif name == "brightness":
        result += strength
    else:
        middle = result.mean(dim=[1, 2, 3], keepdim=True)
        result = (result - middle).mul_(strength).add_(middle)
    return result.clamp_(0.0, 1.0)


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    unknown = [name for name in corruptions if name not in STRENGTHS]
    if unknown:
        raise ValueError(f"unknown corruptions: {unknown}")
    if len(dataset) == 0:
        raise ValueError("robustness needs at least one image")
    images = torch.stack([dataset[place][0] for place in range(len(dataset))])
    labels = torch.tensor([int(dataset[place][1]) for place in range(len(dataset))], dtype=torch.int64)
    records = []
    for name in tqdm(corruptions, desc="robustness", leave=False, disable=not accelerator.is_main_process):
        record = {}
        for severity in SEVERITIES:
            rng = torch.Generator()
            rng.manual_seed(seed)
            disturbed = corrupt(images, name, severity, rng)
            if normalize is not None:
                disturbed = normalize(disturbed)
            loader = DataLoader(TensorDataset(disturbed, labels), batch_size=BATCH_SIZE, shuffle=False)
            y_true, logits = predict(model, loader, accelerator)
            record[severity] = accuracy(y_true, logits.argmax(axis=1))
        logger.info("%s: %s", name, record)
        records.append(record)
    return pd.DataFrame.from_records(records, index=list(corruptions), columns=list(SEVERITIES)).astype("float64")


def plot_robustness(results: pd.DataFrame) -> Figure:
    if list(map(int, results.columns)) != list(SEVERITIES):
        raise ValueError(f"expected the columns {SEVERITIES}, found {tuple(results.columns)}")
    figure, axis = plt.subplots(figsize=(7, 4.5))
    for name in results.index:
        axis.plot(list(SEVERITIES), results.loc[name].to_numpy(dtype=float), marker="o", label=str(name))
    axis.set_title("Accuracy on disturbed images")
    axis.set_xlabel("severity")
    axis.set_ylabel("accuracy")
    axis.set_xticks(list(SEVERITIES))
    axis.set_ylim(0.0, 1.0)
    axis.legend(title="corruption", loc="best")
    figure.tight_layout()
    return figure
