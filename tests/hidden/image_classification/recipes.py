"""What this suite's checks hand to student code: files, images, data sets, and tools that look at what came of them.

Shipped to the worker, where it holds nothing worth knowing.
"""

import importlib
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


def inside(folder, *names):
    """The path of something in a folder of the worker's scratch."""
    return str(Path(folder, *names))


def write_file(path, content):
    Path(path).write_bytes(content)


def read_files(folder):
    """The contents of all files below the folder, by their path in it."""
    files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def path_of_rank(folder):
    """A path of its own for each process."""
    return str(Path(folder, "new", f"rank{os.environ['RANK']}.safetensors"))


def as_path(folder, *names):
    """A path in the worker, or something below it, as a `Path`."""
    return Path(folder, *names)


def picture(pixels):
    """A PIL image of (h, w, 3)."""
    return Image.fromarray(np.array(pixels))


class Pairs(Dataset):
    """Images of several kinds with their labels: `pil`, `uint8` (3, h, w) or `float` (3, h, w) between 0 and 1."""

    def __init__(self, images, labels, kinds):
        self.pairs = [(KINDS[kind](np.array(i)), int(k)) for i, k, kind in zip(images, labels, kinds, strict=True)]

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        return self.pairs[i]


KINDS = {
    "pil": picture,
    "uint8": lambda pixels: torch.from_numpy(pixels).permute(2, 0, 1).contiguous(),
    "float": lambda pixels: torch.from_numpy(pixels).permute(2, 0, 1).float() / 255,
}


class Numbered:
    """A transform that gives each call's number and the image's negative: (number, uint8 (h, w, 3))."""

    def __init__(self):
        self.calls = 0

    def __call__(self, image):
        self.calls += 1
        return self.calls, 255 - np.asarray(image)


def repeated(function, argument, n):
    """What n calls with the same argument give, each as a tensor of its own."""
    results = [function(argument) for _ in range(n)]
    return [result.clone() if isinstance(result, torch.Tensor) else result for result in results]


class Scaled:
    """A transform of float images (…, 3, h, w): (value - mean) / std of each channel."""

    def __init__(self, mean, std):
        self.mean, self.std = (torch.tensor(values, dtype=torch.float32).reshape(3, 1, 1) for values in (mean, std))

    def __call__(self, images):
        return (images - self.mean) / self.std


def look(dataset, place):
    """An image of a data set without a transform: its mode, "" for what is no `PIL.Image`, and its pixels."""
    image, _ = dataset[place]
    return (image.mode if isinstance(image, Image.Image) else ""), np.asarray(image)


def images_of(dataset, times):
    """The images of a data set, each looked at several times: (times, n, channels, height, width)."""
    return torch.stack([torch.stack([dataset[i][0] for i in range(len(dataset))]) for _ in range(times)])


class Places(Dataset):
    """n images (3, 4, 4) whose every pixel is their place, with the label place % 3."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(i)
        return torch.full((3, 4, 4), float(i)), int(i) % 3


def epoch(loader):
    """The batches of one pass: a list of (images, labels)."""
    return [(images, labels) for images, labels in loader]


def augmented(transform, image, times, as_picture):
    """(kinds, images): what a transform makes of an image (h, w, 3) at each of several calls, again as (h, w, 3)."""
    image = np.array(image)
    subject = Image.fromarray(image) if as_picture else torch.from_numpy(image).permute(2, 0, 1).contiguous()
    kinds, images = [], []
    for _ in range(times):
        made = transform(subject)
        picture = isinstance(made, Image.Image)
        kinds.append("PIL image" if picture else str(getattr(made, "dtype", type(made).__name__)))
        images.append(np.array(made) if picture else made.as_subclass(torch.Tensor).permute(1, 2, 0).numpy())
    return kinds, images


def history(**lists):
    """What `plot_history` is given."""
    return SimpleNamespace(**lists)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def config(**settings):
    """A `TrainConfig` of the student's file, built where the call is made."""
    return importlib.import_module("train").TrainConfig(**settings)


class Trap:
    """A .pt file whose unpickling makes a folder: beside a state dict that fits, or (`whole`) in giving one."""

    def __init__(self, state, whole):
        self._sign = tempfile.mkdtemp() + "/ran"
        self.path = str(Path(self._sign).with_name("backbone.pt"))
        torch.save(_Code(self._sign, state) if whole else {**state, "extra": _Code(self._sign, None)}, self.path)

    def has_sprung(self):
        return Path(self._sign).exists()


class _Code:
    """Is pickled as an order to make a folder and be `state`."""

    def __init__(self, sign, state):
        self.sign, self.state = sign, state

    def __reduce__(self):
        run = f"__import__('os').makedirs({self.sign!r}, exist_ok=True)"
        return eval, (f"{run} or state", {"state": self.state})
