"""From folder to batches, mostly as functions of tensors."""

import csv
import math
from collections.abc import Callable, Sequence
from functools import partial, reduce
from operator import itemgetter
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.transforms import v2


def open_rgb(path: Path) -> Image.Image:
    with Image.open(path) as file:
        return file.convert("RGB")


class ImageFolderCSV(Dataset):
    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        lines = csv.reader(Path(labels_csv).read_text(encoding="utf-8").splitlines())
        header = next(lines, [])
        for column in ("id", "label"):
            if column not in header:
                raise ValueError(f"{labels_csv}: there is no column {column}, only {header}")
        rows = list(map(itemgetter(header.index("id"), header.index("label")), filter(None, lines)))
        ids, names = zip(*rows, strict=True) if rows else ((), ())
        self.classes = sorted(set(names))
        self.labels = [self.classes.index(name) for name in names]
        self.paths = tuple(Path(root, name + ".png") for name in ids)
        self.look = transform or (lambda image: image)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> tuple[object, int]:
        return self.look(open_rgb(self.paths[i])), self.labels[i]


def as_unit_tensor(image: object) -> torch.Tensor:
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    def powers(x: torch.Tensor) -> torch.Tensor:
        """Sums of x^0, x^1 and x^2: (3, h, w) -> (3 powers, 3 channels)."""
        return torch.stack([x**0, x, x**2]).sum(dim=(2, 3))

    n, first, second = reduce(torch.add, (powers(as_unit_tensor(image).double()) for image, _ in dataset))
    return (first / n).tolist(), ((second - first**2 / n).clamp_min(0) / (n - 1).clamp_min(1)).sqrt().tolist()


def moved(x: torch.Tensor) -> torch.Tensor:
    """(1, 3, s, s), turned by up to 6 degrees, moved by up to a tenth, mirrored or not; the border is drawn out."""
    angle, dx, dy = ((torch.rand(3) - 0.5) * 2 * torch.tensor([math.radians(6), 0.2, 0.2])).unbind()
    mirror = torch.where(torch.rand(()) < 0.5, -1.0, 1.0)
    rows = [torch.stack([angle.cos() * mirror, -angle.sin(), dx]), torch.stack([angle.sin() * mirror, angle.cos(), dy])]
    grid = F.affine_grid(torch.stack(rows)[None], list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    centre, spread = (torch.tensor(list(values), dtype=torch.float32)[:, None, None] for values in (mean, std))
    resize = partial(F.interpolate, size=(image_size, image_size), mode="bilinear", antialias=True)

    def transform(image: Image.Image) -> torch.Tensor:
        x = resize(as_unit_tensor(image)[None])
        x = moved(x) if train else x
        return torch.div(x[0] - centre, spread)

    return transform


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    _, codes = torch.unique(torch.as_tensor(labels), return_inverse=True)  # (n,)
    order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(seed))
    one_hot = F.one_hot(codes[order], int(codes.max()) + 1)  # (n, classes)
    rank = (one_hot.cumsum(dim=0) * one_hot).sum(dim=1)  # 1 for the first of its class, 2 for the second, ...
    wanted = torch.floor(one_hot.sum(dim=0).double() * val_fraction + 0.5)  # (classes,)
    held = rank <= one_hot.double() @ wanted
    return order[~held].tolist(), order[held].tolist()


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    open_with = partial(ImageFolderCSV, root, labels_csv)
    train_idx, val_idx = stratified_split(open_with().labels, val_fraction, seed)
    mean, std = channel_stats(Subset(open_with(), train_idx))
    make = partial(build_transforms, image_size, mean, std)
    return Subset(open_with(make(train=True)), train_idx), Subset(open_with(make(train=False)), val_idx), mean, std


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    loader = partial(DataLoader, batch_size=batch_size, num_workers=num_workers)
    return loader(train_set, shuffle=True, generator=torch.Generator().manual_seed(seed)), loader(val_set)
