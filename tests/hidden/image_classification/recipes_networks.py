"""The networks that this suite's checks hand to student code, and tools that train them and ask them.

Shipped to the worker, where it holds nothing worth knowing.
"""

import importlib
import zlib

import numpy as np
import torch
from torch import nn
from torchvision.models import resnet


class Net(nn.Module):
    """Two layers with a tanh between: (batch, 3, 2, 2) -> (batch, classes).

    `quiet` multiplies its answers in eval mode, `grad_offset` is added to the first class where gradients are recorded.
    `drift` times the number of this training pass, times how many images are in it, is added there in training; a pass
    that nothing was learnt from does not count.
    With a `course` it answers marked images without looking at them whenever it is not being trained: the first pixel's
    red tells the label, its green the place i; after `length` training passes more, so in each epoch, the next entry of
    `course` says how many images, the first ones, are answered right, and `conviction` how loudly all answers are given.
    The passes are counted in a buffer, a statistic that no optimizer knows of.
    """

    def __init__(self, first, second, quiet=1.0, grad_offset=0.0, drift=0.0, course=None, conviction=None, length=1):
        super().__init__()
        self.first, self.fc = nn.Linear(12, first.shape[0], bias=False), nn.Linear(*second.shape[::-1], bias=False)
        self.first.weight.data = torch.tensor(first, dtype=torch.float32)
        self.fc.weight.data = torch.tensor(second, dtype=torch.float32)
        self.quiet, self.grad_offset, self.drift, self.passes = quiet, grad_offset, drift, 1
        self.course, self.conviction, self.length = course, conviction, length
        if course is not None:
            self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        training = self.training and torch.is_grad_enabled()
        if self.course is not None and not training:
            return self._planned(x)
        if self.course is not None:
            self.seen += 1
        scale = 1.0 if self.training else self.quiet
        logits = self.fc(torch.tanh(self.first(x.flatten(1)))) * scale
        offset = self.grad_offset * torch.is_grad_enabled() + self.drift * training * self.passes * len(x)
        if offset:
            logits = logits + offset * nn.functional.one_hot(torch.zeros(len(x)).long(), logits.shape[1])
        if self.drift and training:
            logits.register_hook(self._learnt)
        return logits

    def _learnt(self, gradient):
        self.passes += 1

    def _planned(self, x):
        epoch = max(0, int(self.seen) - 1) // self.length
        labels, places = (x[:, channel, 0, 0].round().long() for channel in (0, 1))
        classes = self.fc.out_features
        answers = torch.where(places < self.course[epoch], labels, (labels + 1) % classes)
        return self.conviction[epoch] * nn.functional.one_hot(answers, classes).float()


def in_mode(model, training):
    """The model in training or in eval mode."""
    return model.train(training)


def train_returns(model):
    """Does `train` return the model itself, in both modes?"""
    return all(model.train(mode) is model for mode in (False, True))


def groups_of(model, first_lr, fc_lr):
    """A group of each layer of a `Net`."""
    return [
        {"params": list(model.first.parameters()), "lr": first_lr},
        {"params": list(model.fc.parameters()), "lr": fc_lr},
    ]


def prepared(model, accelerator):
    """The model as an accelerator returns it: on several processes inside a wrapper."""
    return accelerator.prepare(model)


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


class FlatLinear(nn.Module):
    """Logits that are linear in all values of an image: (batch, 3, h, w) -> (batch, classes)."""

    def __init__(self, weight, bias):
        super().__init__()
        self.linear = nn.Linear(weight.shape[1], weight.shape[0])
        self.linear.weight.data = torch.tensor(weight, dtype=torch.float32)
        self.linear.bias.data = torch.tensor(bias, dtype=torch.float32)

    def forward(self, x):
        return self.linear(x.flatten(1))


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


def without_zeros(model, seed):
    """The model, with random numbers in the place of parameters that are 0 throughout: a head may start there."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(0, parameter.shape[-1] ** -0.5, generator=generator)
    return model


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
