"""Corruptions as a table of functions, the whole set of images at once."""

import math

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from evaluate import accuracy, predict
from matplotlib.figure import Figure
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms import v2

STRENGTHS = {
    "noise": (0.04, 0.08, 0.12, 0.18, 0.26),
    "blur": (0.4, 0.6, 0.8, 1.1, 1.5),
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
}


def standard(image):
    h, w = v2.functional.get_size(image)
    image = v2.functional.pad(image, [4])
    top, left, mirror = (int(torch.randint(n, ())) for n in (9, 9, 2))
    image = v2.functional.crop(image, top, left, h, w)
    return v2.functional.horizontal_flip(image) if mirror else image


def augmentation(policy):
    match policy:
        case "none":
            return torch.nn.Identity()
        case "standard":
            return standard
        case "trivial_augment":
            return v2.TrivialAugmentWide(interpolation=v2.InterpolationMode.BILINEAR)
    raise ValueError(f"policy {policy!r}: take 'none', 'standard' or 'trivial_augment'")


def mixup(batch, alpha, generator):
    x, t = batch
    lam = 1.0
    if alpha > 0:
        # two gamma variables make a beta variable
        rng = np.random.default_rng(torch.randint(2**62, (), generator=generator).item())
        a, b = rng.gamma(alpha, size=2)
        lam = a / (a + b) if a + b > 0 else float(rng.integers(2))
    other = torch.argsort(torch.rand(len(x), generator=generator))
    return lam * x + (1 - lam) * x[other], lam * t + (1 - lam) * t[other]


def blur(x, sigma):
    k = torch.arange(-6, 7, dtype=x.dtype)
    k = torch.exp(-0.5 * (k / sigma) ** 2)
    k = k / k.sum()
    n, c, h, w = x.shape
    x = F.pad(x.reshape(n * c, 1, h, w), (6,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(x, k.view(1, 1, 1, -1)), k.view(1, 1, -1, 1)).view(n, c, h, w)


def corrupt(images, name, severity, generator):
    s = STRENGTHS[name][severity - 1]
    return {
        "noise": lambda x: x + s * torch.randn(x.shape, generator=generator),
        "blur": lambda x: blur(x, s),
        "brightness": lambda x: x.add(s),
        "contrast": lambda x: torch.lerp(x.flatten(1).mean(1).view(-1, 1, 1, 1), x, s),
    }[name](images).clamp(0, 1)


def robustness(model, dataset, corruptions, accelerator, normalize=None, seed=0):
    images = torch.stack([image for image, _ in dataset])
    labels = torch.tensor([label for _, label in dataset])
    see = normalize or (lambda x: x)

    def score(name, severity):
        x = see(corrupt(images, name, severity, torch.Generator().manual_seed(seed + severity)))
        y, z = predict(model, DataLoader(TensorDataset(x, labels), 32), accelerator)
        return accuracy(y, torch.as_tensor(z).argmax(1))

    return pd.DataFrame({s: {c: score(c, s) for c in corruptions} for s in range(1, 1 + 5)})


def plot_robustness(results):
    assert not any(math.isnan(v) for v in results.to_numpy().flat)
    ax = (fig := Figure()).add_subplot(xlabel="severity", ylabel="accuracy", title="Accuracy by severity")
    ax.plot(results.columns, results.to_numpy().T)
    ax.legend(list(results.index))
    return fig
