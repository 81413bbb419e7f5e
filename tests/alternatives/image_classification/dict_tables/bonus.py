"""Bonus: augmentation and robustness."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from evaluate import accuracy, predict
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

POLICIES = {
    "none": lambda: v2.Lambda(lambda image: image),
    "standard": lambda: v2.Compose([PadCrop(4), v2.RandomHorizontalFlip(p=0.5)]),
    "trivial_augment": partial(v2.TrivialAugmentWide, num_magnitude_bins=31),
}


def augmentation(policy):
    if policy not in POLICIES:
        raise ValueError(f"{policy!r} is not among the policies {sorted(POLICIES)}")
    return POLICIES[policy]()


def draw_weight(alpha, generator):
    low, high = torch.randint(2**32, (2,), generator=generator).tolist()
    return float(np.random.default_rng((low, high)).beta(alpha, alpha))


WEIGHTS = {True: lambda alpha, generator: 1.0, False: draw_weight}  # by `alpha == 0`


def mixup(batch, alpha, generator):
    named = dict(zip(("images", "targets"), batch))
    weight = WEIGHTS[alpha == 0](alpha, generator)
    order = torch.randperm(len(named["images"]), generator=generator)
    mixed = {name: values * weight + values[order] * (1 - weight) for name, values in named.items()}
    return mixed["images"], mixed["targets"]


def blur(images, sigma, generator):
    """Gaussian, with an odd kernel that reaches over three deviations, as far as the image allows."""
    kernel = [min(2 * int(3 * sigma + 1) + 1, 2 * side - 1) for side in (images.shape[-1], images.shape[-2])]
    return v2.functional.gaussian_blur(images, kernel_size=kernel, sigma=[sigma] * 2)


CORRUPTIONS = {
    "noise": lambda x, s, g: x + torch.zeros_like(x).normal_(std=s, generator=g),
    "blur": blur,
    "brightness": lambda x, s, g: x + s,
    "contrast": lambda x, s, g: x * s + x.mean(dim=tuple(range(1, x.ndim)), keepdim=True) * (1 - s),
}


def corrupt(images, name, severity, generator):
    return CORRUPTIONS[name](images, STRENGTHS[name][severity - 1], generator).clip(0.0, 1.0)


def robustness(model, dataset, corruptions, accelerator, normalize=None, seed=0):
    images, labels = (torch.stack([torch.as_tensor(part) for part in column]) for column in zip(*dataset))
    prepare = {True: lambda x: x, False: normalize}[normalize is None]

    def cell(name, severity):
        generator = torch.Generator().manual_seed(seed * 10 + severity)
        disturbed = prepare(corrupt(images, name, severity, generator))
        y_true, logits = predict(model, DataLoader(TensorDataset(disturbed, labels), BATCH_SIZE), accelerator)
        return accuracy(y_true, logits.argmax(axis=1))

    table = {name: {severity: cell(name, severity) for severity in SEVERITIES} for name in corruptions}
    return pd.DataFrame(table, index=list(SEVERITIES)).T


STYLES = {"noise": "o-", "blur": "s--", "brightness": "^-.", "contrast": "d:"}


def plot_robustness(results):
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, row in results.to_dict(orient="index").items():
        axis.plot(list(row.keys()), list(row.values()), STYLES.get(name, "-"), label=name)
    axis.set(**{"title": "Robustness of the classifier", "xlabel": "severity", "ylabel": "accuracy"})
    axis.legend()
    return figure
