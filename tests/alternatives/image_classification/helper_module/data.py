"""Task 1: from folder to batches."""

import copy
from pathlib import Path

import torch
from helpers import read_columns
from sklearn.preprocessing import StandardScaler
from sklearn.utils import shuffle
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.datasets.folder import pil_loader
from torchvision.transforms import v2

def as_unit_tensor(image: object) -> torch.Tensor:
    """An image as float32 (3, height, width) between 0 and 1: of a PIL image, a uint8 or a float tensor. Given."""
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


class ImageFolderCSV(Dataset):
    """The images that a table lists, in its order."""

    def __init__(self, root, labels_csv, transform=None):
        ids, names = read_columns(labels_csv, "id", "label")
        self.paths = [Path(root, f"{name}.png") for name in ids]
        self.classes = sorted(set(names))
        number = dict(zip(self.classes, range(len(self.classes))))
        self.labels = [number[name] for name in names]
        self.transform = transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        image = pil_loader(self.paths[i])
        if self.transform is not None:
            image = self.transform(image)
        return image, self.labels[i]

    def with_transform(self, transform):
        """The same images with another transform."""
        other = copy.copy(self)
        other.transform = transform
        return other


def channel_stats(dataset):
    scaler = StandardScaler()
    for image, _ in dataset:
        scaler.partial_fit(as_unit_tensor(image).flatten(1).T.double().numpy())  # a row for each pixel
    return [float(m) for m in scaler.mean_], [float(v) ** 0.5 for v in scaler.var_]


def build_transforms(image_size, mean, std, *, train):
    steps = [v2.Resize((image_size, image_size), interpolation=v2.InterpolationMode.LANCZOS)]
    if train:
        steps += [v2.RandomRotation(7), v2.RandomCrop(image_size, padding=image_size // 8), v2.RandomHorizontalFlip()]
    steps += [v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(mean), list(std))]
    return v2.Compose(steps)


def stratified_split(labels, val_fraction, seed):
    classes = torch.as_tensor(labels, dtype=torch.long)
    train_idx, val_idx = [], []
    for number, c in enumerate(classes.unique()):
        places = shuffle(torch.where(classes == c)[0].tolist(), random_state=(seed + 7919 * number) % 2**32)
        cut = len(places) - round(len(places) * val_fraction)
        train_idx.extend(places[:cut])
        val_idx.extend(places[cut:])
    return train_idx, val_idx


def make_datasets(root, labels_csv, image_size, *, val_fraction=0.2, seed=0):
    images = ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(images.labels, val_fraction, seed)
    mean, std = channel_stats(Subset(images, train_idx))
    light = images.with_transform(build_transforms(image_size, mean, std, train=True))
    plain = images.with_transform(build_transforms(image_size, mean, std, train=False))
    return Subset(light, train_idx), Subset(plain, val_idx), mean, std


def make_loaders(train_set, val_set, batch_size, *, seed, num_workers=0):
    own = torch.Generator()
    own.manual_seed(seed)
    train_loader = DataLoader(train_set, batch_size, True, num_workers=num_workers, generator=own)
    val_loader = DataLoader(val_set, batch_size, False, num_workers=num_workers)
    return train_loader, val_loader
