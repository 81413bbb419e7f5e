"""Augmentation and robustness."""

import functools
from collections.abc import Callable, Sequence

import pandas as pd
import torch
import torchvision.transforms.functional as TF
from accelerate import Accelerator
from accelerate.utils import send_to_device
from evaluate import accuracy, predict
from matplotlib.figure import Figure
from scipy.special import betaincinv
from torch import nn
from torch.utils.data import DataLoader, Dataset
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
    chains = {"none": (), "standard": (PadCrop(4), v2.RandomHorizontalFlip()), "trivial_augment": (v2.TrivialAugmentWide(),)}
    if policy not in chains:
        raise ValueError(f"policy must be in {tuple(chains)}, not {policy!r}")

    def transform(image: object) -> object:
        return functools.reduce(lambda seen, step: step(seen), chains[policy], image)

    return transform


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    images, targets = batch
    order = torch.rand(len(images), generator=generator).argsort()
    u = torch.rand((), dtype=torch.float64, generator=generator).item()
    lam = float(betaincinv(alpha, alpha, u)) if alpha else 1.0  # the inverse of Beta's distribution function
    return images[order] + lam * (images - images[order]), targets[order] + lam * (targets - targets[order])


def blurred(images: torch.Tensor, sigma: float) -> torch.Tensor:
    size = 2 * round(3 * sigma + 0.5) + 1
    pad = size // 2
    wide = nn.functional.pad(images, [pad] * 4, mode="replicate")
    return TF.gaussian_blur(wide, [size, size], [sigma, sigma])[..., pad : pad + images.shape[-2], pad : pad + images.shape[-1]]


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    amount = dict(zip(SEVERITIES, STRENGTHS[name], strict=True))[severity]
    if name == "noise":
        zero = torch.zeros(images.shape, dtype=images.dtype)
        changed = images + torch.normal(zero, amount, generator=generator).to(images.device)
    elif name == "blur":
        # the blur mirrors at the border; behind a margin of the outermost pixels that is out of sight
        changed = blurred(images, amount)
    elif name == "brightness":
        changed = torch.add(images, amount)
    elif name == "contrast":
        grey = torch.stack([image.mean() for image in images]).reshape(-1, 1, 1, 1) if len(images) else 0
        changed = grey + amount * (images - grey)
    return torch.clamp(changed, 0.0, 1.0)


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    clean = torch.stack([dataset[i][0] for i in range(len(dataset))])
    labels = torch.tensor([dataset[i][1] for i in range(len(dataset))])
    rows = {}
    for name in corruptions:
        rows[name] = []
        for severity in SEVERITIES:
            generator, batches = torch.Generator().manual_seed(seed), []
            for start in range(0, len(clean), BATCH_SIZE):
                batch = corrupt(clean[start : start + BATCH_SIZE], name, severity, generator)
                batches.append(send_to_device(batch if normalize is None else normalize(batch), "cpu"))
            pairs = [(image, label) for image, label in zip(torch.cat(batches), labels, strict=True)]
            y_true, logits = predict(model, DataLoader(pairs, batch_size=BATCH_SIZE), accelerator)
            rows[name].append(accuracy(y_true, logits.argmax(axis=1)))
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(SEVERITIES), dtype=float)


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure = Figure(layout="constrained")
    axis = figure.subplots()
    for name, values in results.T.items():
        axis.plot(values.index.to_numpy(dtype=int), values.to_numpy(), linestyle="--", marker="D", label=name)
    axis.set_title("Disturbed images")
    axis.set_xlabel("severity")
    axis.set_ylabel("part answered right")
    axis.set_xlim(0.9, 5.1)
    axis.legend(ncols=2)
    return figure
