"""Bonus: augmentation and robustness, with the formulas written out."""

import math

import matplotlib.pyplot as plt
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


def augmentation(policy):
    if policy not in ("none", "standard", "trivial_augment"):
        raise ValueError(f"unknown policy {policy!r}: none, standard and trivial_augment are known")
    if policy == "trivial_augment":
        return v2.TrivialAugmentWide()
    crop = PadCrop(4)

    def transform(image):
        if policy == "none":
            return image
        image = crop(image)
        mirrored = bool(torch.rand(()) < 0.5)
        return v2.functional.horizontal_flip(image) if mirrored else image

    return transform


def log_gamma_draw(alpha, generator):
    """The logarithm of a draw from Gamma(alpha): Marsaglia and Tsang, 2000."""

    def uniform():
        return 1 - torch.rand((), generator=generator, dtype=torch.float64).item()  # 0 left out

    d = (alpha if alpha >= 1 else alpha + 1) - 1 / 3
    while True:
        x = torch.randn((), generator=generator, dtype=torch.float64).item()
        v = (1 + x / math.sqrt(9 * d)) ** 3
        if v > 0 and math.log(uniform()) < 0.5 * x * x + d - d * v + d * math.log(v):
            break
    return math.log(d * v) + (0.0 if alpha >= 1 else math.log(uniform()) / alpha)


def mixup(batch, alpha, generator):
    images, targets = batch
    if alpha == 0:
        weight = 1.0
    else:  # Beta is x / (x + y) of two Gamma draws
        difference = log_gamma_draw(alpha, generator) - log_gamma_draw(alpha, generator)
        weight = 0.5 * (1 + math.tanh(difference / 2))
    order = torch.randperm(len(images), generator=generator).tolist()
    mixed_images, mixed_targets = torch.empty_like(images), torch.empty_like(targets)
    for i, j in enumerate(order):
        mixed_images[i] = weight * images[i] + (1 - weight) * images[j]
        mixed_targets[i] = weight * targets[i] + (1 - weight) * targets[j]
    return mixed_images, mixed_targets


def blur_matrix(n, sigma, dtype):
    """(n, n): row i has the weights with which pixels make pixel i; each row adds up to 1, at the border too."""
    place = torch.arange(n, dtype=torch.float64)
    weights = torch.exp(-((place[:, None] - place[None, :]) ** 2) / (2 * sigma**2))
    return (weights / weights.sum(dim=1, keepdim=True)).to(dtype)


def corrupt(images, name, severity, generator):
    strength = STRENGTHS[name][severity - 1]
    if name == "noise":
        result = images + strength * torch.randn(images.size(), generator=generator).to(images)
    elif name == "blur":
        _, _, h, w = images.shape
        result = blur_matrix(h, strength, images.dtype) @ images @ blur_matrix(w, strength, images.dtype).T
    elif name == "brightness":
        result = images + strength
    else:
        mean = images.sum(dim=(1, 2, 3), keepdim=True) / images[0].numel()
        result = mean + strength * (images - mean)
    return torch.where(result < 0, 0.0, torch.where(result > 1, 1.0, result)).to(images.dtype)


def robustness(model, dataset, corruptions, accelerator, normalize=None, seed=0):
    images = torch.stack([image for image, _ in dataset])
    labels = torch.tensor([label for _, label in dataset])
    results = pd.DataFrame(index=list(corruptions), columns=[1, 2, 3, 4, 5], dtype="float64")
    for number, name in enumerate(corruptions):
        accuracies = []
        for severity in SEVERITIES:
            generator = torch.Generator()
            generator.manual_seed(1000 * seed + severity)
            rows = []
            for start in range(0, len(images), BATCH_SIZE):
                x = corrupt(images[start : start + BATCH_SIZE], name, severity, generator)
                rows.append(x if normalize is None else normalize(x))
            loader = DataLoader(TensorDataset(torch.cat(rows), labels), batch_size=BATCH_SIZE)
            y_true, logits = predict(model, loader, accelerator)
            accuracies.append(accuracy(y_true, logits.argmax(axis=1)))
        results.iloc[number] = accuracies
    return results


def plot_robustness(results):
    figure, axis = plt.subplots(figsize=(6, 4), constrained_layout=True)
    for name in results.index:
        axis.plot([1, 2, 3, 4, 5], [results.loc[name, severity] for severity in SEVERITIES], marker="v", label=name)
    axis.set_title("accuracy of the same images, disturbed")
    axis.set_xlabel("severity")
    axis.set_ylabel("accuracy")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
