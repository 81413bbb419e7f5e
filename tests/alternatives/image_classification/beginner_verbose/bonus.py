"""Bonus."""

import random
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import accuracy, predict
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision import transforms
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
    if policy == "none":
        transform = nn.Identity()
    elif policy == "standard":
        steps = [PadCrop(4), transforms.RandomHorizontalFlip(p=0.5)]
        transform = transforms.Compose(steps)
    elif policy == "trivial_augment":
        transform = transforms.TrivialAugmentWide()
    else:
        raise ValueError("unknown policy " + str(policy) + ", known are none, standard and trivial_augment")
    return transform


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    images = batch[0]
    targets = batch[1]
    n = len(images)
    if alpha == 0:
        weight = 1.0
    else:
        seed = torch.randint(0, 1000000000, (1,), generator=generator).item()
        weight = random.Random(seed).betavariate(alpha, alpha)
    order = torch.randperm(n, generator=generator)
    mixed_images = torch.empty_like(images)
    mixed_targets = torch.empty_like(targets)
    for i in range(n):
        partner = order[i]
        mixed_images[i] = weight * images[i] + (1.0 - weight) * images[partner]
        mixed_targets[i] = weight * targets[i] + (1.0 - weight) * targets[partner]
    return mixed_images, mixed_targets


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    strength = STRENGTHS[name][severity - 1]
    results = []
    for image in images:
        if name == "noise":
            noise = torch.randn(image.shape, generator=generator)
            result = image + strength * noise
        elif name == "blur":
            blur = v2.GaussianBlur(kernel_size=3 if min(image.shape[1:]) < 8 else 7, sigma=strength)
            result = blur(image)
        elif name == "brightness":
            result = image + strength
        else:
            middle = image.mean()
            result = middle + strength * (image - middle)
        result = torch.clamp(result, 0.0, 1.0)
        results.append(result.to(images.dtype))
    if len(results) == 0:
        return images.clone()
    return torch.stack(results)


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    image_list = []
    label_list = []
    for i in range(len(dataset)):
        image, label = dataset[i]
        image_list.append(image)
        label_list.append(int(label))
    images = torch.stack(image_list)
    labels = torch.tensor(label_list)
    table = pd.DataFrame(columns=[1, 2, 3, 4, 5], dtype=float)
    for name in corruptions:
        row = []
        for severity in [1, 2, 3, 4, 5]:
            generator = torch.Generator()
            generator.manual_seed(seed + severity)
            disturbed = corrupt(images, name, severity, generator)
            if normalize is not None:
                disturbed = normalize(disturbed)
            disturbed_set = TensorDataset(disturbed, labels)
            loader = DataLoader(disturbed_set, batch_size=BATCH_SIZE, shuffle=False)
            y_true, logits = predict(model, loader, accelerator)
            y_pred = logits.argmax(axis=1)
            row.append(accuracy(y_true, y_pred))
        table.loc[name] = row
    return table


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure = plt.figure(figsize=(7, 5))
    axis = figure.add_subplot(1, 1, 1)
    severities = [1, 2, 3, 4, 5]
    for name in results.index:
        values = []
        for severity in severities:
            values.append(float(results.loc[name, severity]))
        axis.plot(severities, values, label=str(name))
    axis.set_xticks(severities)
    axis.set_xlabel("severity")
    axis.set_ylabel("accuracy")
    axis.set_title("How much disturbance does the network bear?")
    axis.legend()
    return figure
