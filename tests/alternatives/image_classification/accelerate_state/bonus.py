"""Augmentation by torchvision's first generation, corruptions one image at a time."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from evaluate import accuracy, predict
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.transforms import functional as TF

STRENGTHS = {
    "noise": (0.04, 0.08, 0.12, 0.18, 0.26),
    "blur": (0.4, 0.6, 0.8, 1.1, 1.5),
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
}
SEVERITIES = (1, 2, 3, 4, 5)
BATCH_SIZE = 64


def pad_crop(image):
    size = image.size[::-1] if isinstance(image, Image.Image) else list(image.shape[-2:])
    padded = TF.pad(image, [4, 4, 4, 4], padding_mode="reflect")
    top, left = torch.randint(9, (2,)).tolist()
    return TF.crop(padded, top, left, *size)


def augmentation(policy):
    if policy == "none":
        return lambda image: image
    if policy == "standard":
        return transforms.Compose([transforms.RandomHorizontalFlip(0.5), transforms.Lambda(pad_crop)])
    if policy == "trivial_augment":
        return transforms.TrivialAugmentWide()
    raise ValueError(f"{policy} is not among none, standard and trivial_augment")


def mixup(batch, alpha, generator):
    images, targets = batch
    if alpha <= 0:
        return images, targets
    seeds = torch.randint(2**31, (2,), generator=generator)
    weight = np.random.RandomState(int(seeds[0])).beta(alpha, alpha)
    order = np.random.RandomState(int(seeds[1])).permutation(len(images))
    mixed_images = torch.lerp(images[order], images, weight)
    mixed_targets = torch.lerp(targets[order], targets, weight)
    return mixed_images, mixed_targets


def corrupt(images, name, severity, generator):
    strength = STRENGTHS[name][severity - 1]
    results = []
    for image in images:
        if name == "noise":
            image = torch.normal(image, strength, generator=generator)
        elif name == "blur":
            size = 2 * int(np.ceil(3 * strength)) + 1
            image = TF.gaussian_blur(image, [size, size], [strength, strength])
        elif name == "brightness":
            image = image + strength
        elif name == "contrast":
            image = image.mean() * (1 - strength) + image * strength
        results.append(image.clip(0, 1))
    return torch.stack(results)


class Corrupted(torch.utils.data.Dataset):
    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.images[i], self.labels[i]


def robustness(model, dataset, corruptions, accelerator, normalize=None, seed=0):
    images = torch.stack([image for image, _ in dataset])
    labels = torch.tensor([label for _, label in dataset])
    table = pd.DataFrame(index=list(corruptions), columns=[1, 2, 3, 4, 5], dtype=float)
    for name in corruptions:
        for severity in range(1, 6):
            generator = torch.Generator()
            generator.manual_seed(seed)
            worse = corrupt(images, name, severity, generator)
            if normalize:
                worse = torch.cat([normalize(part) for part in worse.split(50)])
            y_true, logits = predict(model, DataLoader(Corrupted(worse, labels), 50), accelerator)
            table.loc[name, severity] = accuracy(y_true, np.argmax(logits, 1))
    return table


def plot_robustness(results):
    figure, ax = plt.subplots()
    for name in results.index:
        ax.plot(results.columns, results.loc[name], "o-", label=name)
    ax.set_title("Robustness")
    ax.set_xlabel("severity")
    ax.set_ylabel("accuracy")
    ax.legend()
    return figure
