"""Corruptions by scipy and numpy, the table by pandas."""

import numpy as np
import pandas as pd
import torch
from evaluate import accuracy, predict
from scipy.ndimage import gaussian_filter
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms import v2

STRENGTHS = {
    "noise": (0.04, 0.08, 0.12, 0.18, 0.26),
    "blur": (0.4, 0.6, 0.8, 1.1, 1.5),
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
}
SEVERITIES = (1, 2, 3, 4, 5)


class PadCrop(torch.nn.Module):
    def __init__(self, padding):
        super().__init__()
        self.padding = padding

    def forward(self, image):
        return v2.RandomCrop(v2.functional.get_size(image), padding=self.padding)(image)


POLICIES = {
    "none": v2.Compose([v2.Identity()]),
    "standard": v2.Compose([v2.RandomHorizontalFlip(p=0.5), PadCrop(4)]),
    "trivial_augment": v2.TrivialAugmentWide(),
}


def augmentation(policy):
    try:
        return POLICIES[policy]
    except KeyError:
        raise ValueError(f"unknown policy {policy}; known are {list(POLICIES)}") from None


def mixup(batch, alpha, generator):
    images, targets = batch
    weight = 1.0
    if alpha != 0:
        rng = np.random.default_rng(int(torch.randint(10**9, (1,), generator=generator)))
        weight = rng.beta(alpha, alpha)
    partners = torch.randperm(images.size(0), generator=generator)
    return (
        weight * images + (1 - weight) * images[partners],
        weight * targets + (1 - weight) * targets[partners],
    )


def corrupt(images, name, severity, generator):
    strength = STRENGTHS[name][severity - 1]
    x = images.detach().cpu().numpy().astype("float64")
    if name == "noise":
        rng = np.random.default_rng(int(torch.randint(10**9, (1,), generator=generator)))
        x = x + rng.normal(scale=strength, size=x.shape)
    if name == "blur":
        x = gaussian_filter(x, sigma=(0, 0, strength, strength), mode="nearest")
    if name == "brightness":
        x = x + strength
    if name == "contrast":
        means = x.reshape(len(x), -1).mean(axis=1).reshape(-1, 1, 1, 1)
        x = means + (x - means) * strength
    return torch.from_numpy(np.clip(x, 0, 1)).to(images.dtype)


def robustness(model, dataset, corruptions, accelerator, normalize=None, seed=0):
    images = torch.stack([image for image, _ in dataset])
    labels = torch.tensor([label for _, label in dataset])
    generator = torch.Generator()
    records = []
    for name in corruptions:
        for severity in SEVERITIES:
            seen = corrupt(images, name, severity, generator.manual_seed(seed))
            seen = seen if normalize is None else normalize(seen)
            loader = DataLoader(TensorDataset(seen, labels), batch_size=len(labels))
            y_true, logits = predict(model, loader, accelerator)
            records.append({"corruption": name, "severity": severity, "accuracy": accuracy(y_true, logits.argmax(-1))})
    return pd.DataFrame(records).pivot(index="corruption", columns="severity", values="accuracy")


def plot_robustness(results):
    ax = results.T.plot(marker="s", title="Robustness", xlabel="severity of the corruption", ylabel="accuracy")
    return ax.figure
