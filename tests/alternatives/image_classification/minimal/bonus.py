"""Bonus: augmentation and robustness."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from evaluate import accuracy, predict
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
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
    def __init__(self, padding):
        super().__init__()
        self.padding = padding

    def forward(self, image):
        return v2.RandomCrop(v2.functional.get_size(image), padding=self.padding)(image)


def augmentation(policy):
    if policy == "none":
        return v2.Identity()
    if policy == "standard":
        return v2.Compose([PadCrop(4), v2.RandomHorizontalFlip()])
    if policy == "trivial_augment":
        return v2.TrivialAugmentWide()
    raise ValueError(f"{policy!r} is none of none, standard, trivial_augment.")


def mixup(batch, alpha, generator):
    images, targets = batch
    order = torch.randperm(len(images), generator=generator)
    seed = torch.randint(2**31, (), generator=generator).item()
    lam = np.random.default_rng(seed).beta(alpha, alpha) if alpha else 1.0
    return lam * images + (1 - lam) * images[order], lam * targets + (1 - lam) * targets[order]


def corrupt(images, name, severity, generator):
    s = STRENGTHS[name][severity - 1]
    if name == "noise":
        images = images + s * torch.randn(images.shape, generator=generator, dtype=images.dtype)
    elif name == "blur":
        k = min(11, *(2 * side - 1 for side in images.shape[2:]))
        images = v2.functional.gaussian_blur(images, [k, k], [s, s])
    elif name == "brightness":
        images = images + s
    else:
        mean = images.mean((1, 2, 3), keepdim=True)
        images = mean + s * (images - mean)
    return images.clamp(0, 1)


def robustness(model, dataset, corruptions, accelerator, normalize=None, seed=0):
    images = torch.stack([image for image, _ in dataset])
    labels = torch.tensor([label for _, label in dataset])
    rows = {}
    for name in corruptions:
        rows[name] = []
        for severity in SEVERITIES:
            x = corrupt(images, name, severity, torch.Generator().manual_seed(seed))
            loader = DataLoader(TensorDataset(normalize(x) if normalize else x, labels), BATCH_SIZE)
            y, logits = predict(model, loader, accelerator)
            rows[name].append(accuracy(y, logits.argmax(1)))
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(SEVERITIES))


def plot_robustness(results):
    figure, axis = plt.subplots()
    results.T.plot(ax=axis, marker="o", xlabel="severity", ylabel="accuracy", title="Accuracy on disturbed images")
    return figure
