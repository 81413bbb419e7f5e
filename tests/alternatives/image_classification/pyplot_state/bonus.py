"""Bonus: augmentation and robustness."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from evaluate import accuracy, predict
from scipy.ndimage import gaussian_filter1d
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
    if policy == "none":
        return v2.Compose([v2.Identity()])
    elif policy == "standard":
        return v2.Compose([v2.RandomHorizontalFlip(), PadCrop(padding=4)])
    elif policy == "trivial_augment":
        return v2.Compose([v2.TrivialAugmentWide()])
    else:
        raise ValueError(f'policy should be "none", "standard" or "trivial_augment", not {policy!r}')


def mixup(batch, alpha, generator):
    images, targets = batch
    n = len(images)
    if alpha == 0:
        weight = 1.0
    else:
        seed = int(torch.randint(1, 2**31, (1,), generator=generator))
        weight = float(np.random.RandomState(seed).beta(alpha, alpha))
    order = torch.randperm(n, generator=generator)
    other_images = images.index_select(0, order)
    other_targets = targets.index_select(0, order)
    mixed_images = images.mul(weight).add(other_images, alpha=1 - weight)
    mixed_targets = targets.mul(weight).add(other_targets, alpha=1 - weight)
    return mixed_images, mixed_targets


def corrupt(images, name, severity, generator):
    strength = STRENGTHS[name][severity - 1]
    values = images.detach().cpu().numpy()
    if name == "noise":
        drawn = torch.randn(values.shape, generator=generator).numpy()
        values = values + strength * drawn
    elif name == "blur":
        values = gaussian_filter1d(values, strength, axis=2, mode="mirror")
        values = gaussian_filter1d(values, strength, axis=3, mode="mirror")
    elif name == "brightness":
        values = values + strength
    elif name == "contrast":
        mean = values.mean(axis=(1, 2, 3), keepdims=True)
        values = mean + strength * (values - mean)
    return torch.from_numpy(np.clip(values, 0, 1)).to(images)


def robustness(model, dataset, corruptions, accelerator, normalize=None, seed=0):
    images = torch.stack([image for image, _ in dataset])
    labels = torch.tensor([label for _, label in dataset])
    records = []
    for name in corruptions:
        for severity in SEVERITIES:
            # each severity the same noise, only stronger
            disturbed = corrupt(images, name, severity, torch.Generator().manual_seed(seed))
            if normalize is not None:
                disturbed = normalize(disturbed)
            loader = DataLoader(TensorDataset(disturbed, labels), batch_size=BATCH_SIZE, shuffle=False)
            y_true, logits = predict(model, loader, accelerator)
            records.append((name, severity, accuracy(y_true, logits.argmax(axis=1))))
    table = pd.DataFrame(records, columns=["corruption", "severity", "accuracy"])
    table = table.pivot(index="corruption", columns="severity", values="accuracy")
    return table.loc[list(corruptions)]


def plot_robustness(results):
    figure = plt.figure(figsize=(6, 4))
    for name in results.index:
        plt.plot(results.columns, results.loc[name], ".-", label=name)
    plt.xticks(results.columns)
    plt.title("Accuracy under corruption")
    plt.xlabel("severity")
    plt.ylabel("accuracy")
    plt.legend()
    return figure
