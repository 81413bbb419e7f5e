"""Images and labels, by way of pandas."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.transforms import v2


class ImageFolderCSV(Dataset):
    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        # everything as text: "007" stays "007", and a class called "NA" is a class
        table = pd.read_csv(labels_csv, dtype=str, keep_default_na=False, index_col=False, encoding="utf-8")
        absent = pd.Index(["id", "label"]).difference(table.columns)
        if len(absent):
            raise ValueError(f"{labels_csv} lacks the column(s) {', '.join(absent)}")
        self.table = table.assign(
            path=lambda t: t["id"].map(lambda name: Path(root, f"{name}.png")),
            code=lambda t: pd.Categorical(t["label"], categories=sorted(t["label"].unique())).codes.astype("int64"),
        )
        self.classes = self.table["label"].drop_duplicates().sort_values().tolist()
        self.labels = self.table["code"].tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, i: int) -> tuple[object, int]:
        row = self.table.iloc[i]
        with Image.open(row["path"]) as file:
            image = file.convert("RGB")
        return (image if self.transform is None else self.transform(image)), int(row["code"])


def as_unit_tensor(image: object) -> torch.Tensor:
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    def moments(image: object) -> dict[str, float]:
        pixels = as_unit_tensor(image).double().flatten(1)  # (3, h * w)
        sums = dict(zip(("r", "g", "b"), pixels.sum(1).tolist(), strict=True))
        squares = dict(zip(("rr", "gg", "bb"), pixels.square().sum(1).tolist(), strict=True))
        return {"n": pixels.shape[1], **sums, **squares}

    total = pd.DataFrame.from_records([moments(image) for image, _ in dataset]).sum()
    mean = total[["r", "g", "b"]].div(total["n"]).set_axis(["rr", "gg", "bb"])
    std = total[["rr", "gg", "bb"]].div(total["n"]).sub(mean.pow(2)).clip(lower=0).pow(0.5)
    return mean.tolist(), std.tolist()


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    light = [v2.RandomAffine(degrees=6, translate=(0.08, 0.08)), v2.RandomHorizontalFlip()] if train else []
    tail = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(mean), list(std)), v2.ToPureTensor()]
    return v2.Compose([v2.Resize((image_size, image_size)), *light, *tail])


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    places = pd.Series(np.asarray(labels), name="label").rename_axis("place").reset_index()
    val_idx = (
        places.sample(frac=1, random_state=seed)
        .assign(
            rank=lambda t: t.groupby("label").cumcount(),
            size=lambda t: t.groupby("label")["place"].transform("size"),
        )
        .loc[lambda t: t["rank"] < (t["size"] * val_fraction).round(), "place"]
    )
    return places["place"].drop(val_idx).tolist(), val_idx.tolist()


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    bare = ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(bare.labels, val_fraction, seed)
    mean, std = channel_stats(Subset(bare, train_idx))
    train_set, val_set = (
        Subset(ImageFolderCSV(root, labels_csv, build_transforms(image_size, mean, std, train=flag)), idx)
        for flag, idx in ((True, train_idx), (False, val_idx))
    )
    return train_set, val_set, mean, std


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    order = torch.Generator().manual_seed(seed)
    train_loader = DataLoader(train_set, batch_size, shuffle=True, generator=order, num_workers=num_workers)
    return train_loader, DataLoader(val_set, batch_size, num_workers=num_workers)
