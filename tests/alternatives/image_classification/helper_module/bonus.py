"""Bonus: augmentation and robustness."""

import numpy as np
import pandas as pd
import torch
from evaluate import accuracy, predict
from helpers import lines, new_axes
from scipy.ndimage import gaussian_filter
from scipy.stats import beta
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms import v2

STRENGTHS = {
    "noise": (0.04, 0.08, 0.12, 0.18, 0.26),  # standard deviation of Gaussian noise, drawn for each value
    "blur": (0.4, 0.6, 0.8, 1.1, 1.5),  # standard deviation of a Gaussian blur, in pixels
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),  # added to all values
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),  # what is left of each value's distance from its image's mean
}
SEVERITIES = (1, 2, 3, 4, 5)
BATCH_SIZE = 64  # images that one process corrupts and answers at a time


class PadCrop(nn.Module):
    """Crops an image of any size out of itself with a black border of some pixels; its place is drawn at each call. Given."""

    def __init__(self, padding: int) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, image: object) -> object:
        """A window of the image's own size."""
        return v2.RandomCrop(v2.functional.get_size(image), padding=self.padding)(image)


def augmentation(policy):
    policies = ("none", "standard", "trivial_augment")
    if policy not in policies:
        raise ValueError(f"policy {policy!r} is not one of {policies}")
    if policy == "trivial_augment":
        return v2.TrivialAugmentWide()
    moved = v2.RandomApply([v2.RandomHorizontalFlip(p=1.0)], p=0.5)
    return v2.Compose([PadCrop(4), moved]) if policy == "standard" else v2.Lambda(lambda image: image)


def mixup(batch, alpha, generator):
    images, targets = batch
    partner = torch.randperm(len(targets), generator=generator)
    u = torch.rand((), generator=generator, dtype=torch.float64).item()
    weight = float(beta.ppf(u, alpha, alpha)) if alpha > 0 else 1.0  # inverse of the distribution function
    return tuple(weight * part + (1 - weight) * part[partner] for part in (images, targets))


def corrupt(images, name, severity, generator):
    strength = STRENGTHS[name][severity - 1]
    if name == "noise":
        drawn = torch.randn(images.shape, generator=generator, dtype=torch.float64).to(images.dtype)
        images = images + strength * drawn
    if name == "blur":
        soft = gaussian_filter(images.numpy(force=True), sigma=(0, 0, strength, strength), mode="reflect")
        images = torch.from_numpy(soft).to(images.device)
    if name == "brightness":
        images = images + strength
    if name == "contrast":
        own = images.mean(dim=[-3, -2, -1], keepdim=True)
        images = own + (images - own) * strength
    return images.clip(0, 1)


def robustness(model, dataset, corruptions, accelerator, normalize=None, seed=0):
    images = torch.stack([image for image, _ in dataset])
    labels = torch.tensor([int(label) for _, label in dataset])
    table = pd.DataFrame(np.nan, index=list(corruptions), columns=list(SEVERITIES))
    for row, name in enumerate(corruptions):
        for column, severity in enumerate(SEVERITIES):
            generator = torch.Generator().manual_seed(seed + 100 * row + severity)
            parts = [corrupt(part, name, severity, generator) for part in images.split(BATCH_SIZE)]
            disturbed = torch.cat([normalize(part) for part in parts] if normalize is not None else parts)
            loader = DataLoader(TensorDataset(disturbed, labels), batch_size=BATCH_SIZE)
            y_true, logits = predict(model, loader, accelerator)
            table.iloc[row, column] = accuracy(y_true, logits.argmax(axis=1))
    return table


def plot_robustness(results):
    figure, [axis] = new_axes(1, size=5)
    lines(axis, list(results.columns), dict(results.T.items()), title="Disturbed images", xlabel="severity", ylabel="accuracy")
    axis.set_xticks(list(results.columns))
    return figure
