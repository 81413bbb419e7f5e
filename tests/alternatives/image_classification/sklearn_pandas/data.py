"""Tables by pandas, splits by scikit-learn, arrays by numpy."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageOps
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2


class ImageFolderCSV(Dataset):
    def __init__(self, root, labels_csv, transform=None):
        self.df = pd.read_csv(labels_csv, dtype={"id": str, "label": str}, keep_default_na=False)
        missing = [c for c in ["id", "label"] if c not in self.df]
        if missing:
            raise ValueError(f"The table {labels_csv} lacks {missing}")
        encoder = LabelEncoder().fit(self.df["label"])
        self.classes = [str(c) for c in encoder.classes_]
        self.labels = [int(k) for k in encoder.transform(self.df["label"])]
        self.root = Path(root)
        self.transform = transform

    def __len__(self):
        return len(self.df)

    def __getitem__(self, i):
        path = self.root / (self.df["id"].iloc[i] + ".png")
        try:
            with Image.open(path) as opened:
                image = opened.convert("RGB")
        except FileNotFoundError:
            raise FileNotFoundError(f"{path} is listed but does not exist") from None
        if self.transform is not None:
            image = self.transform(image)
        return image, self.labels[i]


class Part(Dataset):
    """Some places of a dataset."""

    def __init__(self, dataset, places):
        self.dataset, self.places = dataset, list(places)

    def __len__(self):
        return len(self.places)

    def __getitem__(self, i):
        return self.dataset[self.places[i]]


def as_unit_tensor(image):
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset):
    count, mean, m2 = 0, np.zeros(3), np.zeros(3)
    for i in range(len(dataset)):
        pixels = as_unit_tensor(dataset[i][0]).numpy().reshape(3, -1).astype("float64")
        n, own = pixels.shape[1], pixels.mean(axis=1)
        m2 += pixels.var(axis=1) * n + (own - mean) ** 2 * count * n / (count + n)
        mean += (own - mean) * n / (count + n)
        count += n
    return [float(v) for v in mean], [float(v) for v in np.sqrt(m2 / count)]


class Transform:
    def __init__(self, image_size, mean, std, train):
        self.size, self.train = image_size, train
        self.mean = np.array(mean, dtype="float32")
        self.std = np.array(std, dtype="float32")

    def __call__(self, image):
        image = image.resize((self.size, self.size), Image.Resampling.BILINEAR)
        if self.train:
            if torch.rand(1).item() < 0.5:
                image = ImageOps.mirror(image)
            shift = torch.randint(-2, 3, (2,)).tolist()
            image = image.rotate(0, translate=tuple(shift))
        array = np.asarray(image, dtype="float32") / 255
        return torch.from_numpy(((array - self.mean) / self.std).transpose(2, 0, 1).copy())


def build_transforms(image_size, mean, std, *, train):
    return Transform(image_size, mean, std, train)


def stratified_split(labels, val_fraction, seed):
    places = np.arange(len(labels))
    if val_fraction == 0:
        return places.tolist(), []
    train_idx, val_idx = train_test_split(places, test_size=val_fraction, stratify=labels, random_state=seed)
    return train_idx.tolist(), val_idx.tolist()


def make_datasets(root, labels_csv, image_size, *, val_fraction=0.2, seed=0):
    raw = ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(raw.labels, val_fraction, seed)
    mean, std = channel_stats(Part(raw, train_idx))
    augmented = ImageFolderCSV(root, labels_csv, build_transforms(image_size, mean, std, train=True))
    plain = ImageFolderCSV(root, labels_csv, build_transforms(image_size, mean, std, train=False))
    return Part(augmented, train_idx), Part(plain, val_idx), mean, std


def make_loaders(train_set, val_set, batch_size, *, seed, num_workers=0):
    g = torch.Generator()
    g.manual_seed(seed)
    train_loader = DataLoader(train_set, batch_size, shuffle=True, generator=g, num_workers=num_workers)
    return train_loader, DataLoader(val_set, batch_size, shuffle=False, num_workers=num_workers)
