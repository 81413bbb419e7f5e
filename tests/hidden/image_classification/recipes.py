"""What this suite's checks hand to student code; shipped to the worker, where it holds nothing worth knowing."""

import importlib
import os
import sys
import tempfile
import zlib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import Dataset
from torchvision.models import resnet


def same(value):
    """The value itself, kept in the worker."""
    return value


def tool(name):
    """A function of this file, to be called on what lives in the worker; what it returns comes back."""
    return globals()[name]


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


# Images


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


def items(dataset):
    """All of a data set's pairs: (images, labels)."""
    pairs = [dataset[i] for i in range(len(dataset))]
    return [image for image, _ in pairs], [int(label) for _, label in pairs]


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


# Networks for the loops


class Net(nn.Module):
    """Two layers with a tanh between: (batch, 3, 2, 2) -> (batch, classes).

    `quiet` multiplies its answers in eval mode, `grad_offset` is added to the first class where gradients are recorded.
    With a `course` it answers marked images without looking at them whenever it is not being trained: the first pixel's
    red tells the label, its green the place i; after `length` training passes more, so in each epoch, the next entry of
    `course` says how many images, the first ones, are answered right, and `conviction` how loudly all answers are given.
    """

    def __init__(self, first, second, quiet=1.0, grad_offset=0.0, course=None, conviction=None, length=1):
        super().__init__()
        self.first, self.fc = nn.Linear(12, first.shape[0], bias=False), nn.Linear(*second.shape[::-1], bias=False)
        self.first.weight.data = torch.tensor(first, dtype=torch.float32)
        self.fc.weight.data = torch.tensor(second, dtype=torch.float32)
        self.quiet, self.grad_offset = quiet, grad_offset
        self.course, self.conviction, self.length = course, conviction, length
        if course is not None:
            self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        training = self.training and torch.is_grad_enabled()
        if self.course is not None and not training:
            return self._planned(x)
        if self.course is not None:
            self.seen += 1
        scale = 1.0 if self.training else self.quiet
        logits = self.fc(torch.tanh(self.first(x.flatten(1)))) * scale
        if self.grad_offset and torch.is_grad_enabled():
            logits = logits + self.grad_offset * nn.functional.one_hot(torch.zeros(len(x)).long(), logits.shape[1])
        return logits

    def _planned(self, x):
        epoch = max(0, int(self.seen) - 1) // self.length
        labels, places = (x[:, channel, 0, 0].round().long() for channel in (0, 1))
        classes = self.fc.out_features
        answers = torch.where(places < self.course[epoch], labels, (labels + 1) % classes)
        return self.conviction[epoch] * nn.functional.one_hot(answers, classes).float()


def in_mode(model, training):
    """The model in training or in eval mode."""
    return model.train(training)


def groups_of(model, first_lr, fc_lr):
    """A group of each layer of a `Net`."""
    return [
        {"params": list(model.first.parameters()), "lr": first_lr},
        {"params": list(model.fc.parameters()), "lr": fc_lr},
    ]


def prepared(model, accelerator):
    """The model as an accelerator returns it: on several processes inside a wrapper."""
    return accelerator.prepare(model)


def config(**settings):
    """A `TrainConfig` of the student's file, built where the call is made."""
    return importlib.import_module("train").TrainConfig(**settings)


# Residual networks with few channels


class SmallResNet(resnet.ResNet):
    """torchvision's ResNet in all but its width; `seed` draws every tensor of it, BatchNorm's too."""

    def __init__(self, widths, classes, seed):
        nn.Module.__init__(self)
        self.conv1 = nn.Conv2d(3, widths[0], 3, padding=1, bias=False)
        self.bn1, self.relu, self.maxpool = nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True), nn.MaxPool2d(2)
        for number, (inside, outside) in enumerate(zip([widths[0], *widths], widths, strict=False), 1):
            self.add_module(f"layer{number}", nn.Sequential(_block(inside, outside)))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(widths[-1], classes)
        randomise(self, seed)


class SmallCifar(nn.Module):
    """A ResNet with three layers and no pooling at the start, as `CifarResNet` is built."""

    def __init__(self, widths, classes, seed):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, padding=1, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)
        self.layer1, self.layer2, self.layer3 = (
            nn.Sequential(_block(inside, outside))
            for inside, outside in zip([widths[0], *widths], widths, strict=False)
        )
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(widths[-1], classes)
        randomise(self, seed)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.relu(self.bn1(self.conv1(x))))))
        return self.fc(self.avgpool(x).flatten(1))


def _block(inside, outside):
    narrow = None
    if inside != outside:
        narrow = nn.Sequential(nn.Conv2d(inside, outside, 1, bias=False), nn.BatchNorm2d(outside))
    return resnet.BasicBlock(inside, outside, downsample=narrow)


def randomise(model, seed):
    """Give each tensor values of its own, so that it can be recognised by them."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            drawn = torch.rand(value.shape, generator=generator)
            value.copy_(drawn + 0.5 if name.endswith("running_var") or value.ndim == 1 else (drawn - 0.5))


def train_briefly(model, images, labels, steps=2):
    """Some steps of SGD on what can be trained; (names that can, state before, state after)."""
    images, labels = torch.from_numpy(np.array(images)), torch.from_numpy(np.array(labels))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    trainable = [name for name, p in model.named_parameters() if p.requires_grad]
    if trainable:
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.05)
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
    return trainable, before, dict(model.state_dict())


class Transferred(nn.Module):
    """A pre-trained CIFAR ResNet that stands still, whatever mode is set, and a head that learns."""

    def __init__(self, state, n, classes, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        widths = {"layer1": (16, 16), "layer2": (16, 32), "layer3": (32, 64)}
        for name, (inside, outside) in widths.items():
            shortcut = {} if inside == outside else {"stride": 2, "downsample": _Shortcut()}
            rest = (resnet.BasicBlock(outside, outside) for _ in range(n - 1))
            self.add_module(name, nn.Sequential(resnet.BasicBlock(inside, outside, **shortcut), *rest))
        self.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in state.items()})
        self.requires_grad_(False)
        self.fc = nn.Linear(64, classes)

    def train(self, mode=True):
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean(dim=(2, 3)))


class _Shortcut(nn.Module):
    def forward(self, x):
        extra = x.shape[1] // 2
        return nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, extra, extra))


# The other tasks


def history(**lists):
    """What `plot_history` is given."""
    return SimpleNamespace(**lists)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def stand_in(name, source):
    """Put a module of the suite's own in the place of the student's, whose other names stay reachable through it."""
    if isinstance(getattr(sys.modules.get(name), "stood_in_for", None), str):
        return
    module = ModuleType(name)
    module.stood_in_for = name
    exec(compile(source, f"<stand-in {name}>", "exec"), module.__dict__)

    def own(attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(_students_own(name), attribute)

    module.__getattr__ = own
    sys.modules[name] = module


def _students_own(name):
    alias = f"_own_{name}"
    if alias not in sys.modules:
        spec = spec_from_file_location(alias, Path.cwd() / f"{name}.py")
        sys.modules[alias] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[alias])
    return sys.modules[alias]


# Data sets and loaders, looked at from outside


def as_path(folder, *names):
    """Something in a folder of the worker's scratch, as a `Path`."""
    return Path(folder, *names)


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


class FlatLinear(nn.Module):
    """Logits that are linear in all values of an image: (batch, 3, h, w) -> (batch, classes)."""

    def __init__(self, weight, bias):
        super().__init__()
        self.linear = nn.Linear(weight.shape[1], weight.shape[0])
        self.linear.weight.data = torch.tensor(weight, dtype=torch.float32)
        self.linear.bias.data = torch.tensor(bias, dtype=torch.float32)

    def forward(self, x):
        return self.linear(x.flatten(1))


# What a network is loaded from, and asked


def path_of(name):
    """The path as a `Path`."""
    return Path(name)


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


class Published:
    """Answers torchvision's downloads with a ResNet of the name in the address, each tensor filled with its own number."""

    PLACES = ("torch.hub", "torchvision._internally_replaced_utils", "torchvision.models._api")
    FILLERS = ("kaiming_normal_", "kaiming_uniform_")

    def __init__(self, seed):
        self._seed, self._replaced = seed, []
        for place in self.PLACES:
            self._replace(importlib.import_module(place), "load_state_dict_from_url", self._answer)
        for name in self.FILLERS:  # 33 million random numbers that nobody will see
            self._replace(nn.init, name, lambda weight, *args, **kwargs: weight)

    def _replace(self, module, name, value):
        self._replaced.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    def _answer(self, url, *args, **kwargs):
        name = url.rpartition("/")[2].partition("-")[0]
        with torch.device("meta"):
            state = getattr(resnet, name)().state_dict()
        return {
            key: torch.full(value.shape, self._number(name, key), dtype=value.dtype) for key, value in state.items()
        }

    def _number(self, name, key):
        return 1 + zlib.crc32(f"{self._seed} {name} {key}".encode()) % 1000

    def tensor(self, name, key):
        """What the published network called `name` has under `key`."""
        with torch.device("meta"):
            shape = getattr(resnet, name)().state_dict()[key].shape
        return torch.full(shape, float(self._number(name, key)))

    def withdraw(self):
        for module, name, value in reversed(self._replaced):
            setattr(module, name, value)


def seeded(model, images):
    """The model's answers, with the same random numbers each time."""
    torch.manual_seed(0)
    with torch.no_grad():
        return model(images)


def hold(model, names):
    """Freeze the parameters of these names."""
    for name, parameter in model.named_parameters():
        if name in names:
            parameter.requires_grad_(False)


def answers(model, images):
    """The model's logits in eval mode: (n, classes)."""
    model.eval()
    with torch.no_grad():
        return torch.cat([model(torch.from_numpy(part.copy())) for part in np.array_split(np.array(images), 4)])
