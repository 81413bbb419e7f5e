"""Task 2: a pre-trained network, a new head."""

from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torchvision.models import get_model
from torchvision.models.resnet import BasicBlock

LAYERS = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc")  # of a torchvision ResNet, in their order


class PaddedShortcut(nn.Module):
    """The shortcut of a block that halves the image: every second pixel, the new channels zero (He et al. 2015, A). Given.

    (batch, channels, h, w) -> (batch, 2 * channels, h / 2, w / 2)
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The image at half its size, with twice as many channels."""
        extra = x.shape[1] // 2
        return nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, extra, extra))


class CifarResNet(nn.Module):
    """The small ResNet for 32x32 images of He et al., "Deep Residual Learning for Image Recognition", 2015, 4.2. Given.

    6n + 2 layers; its modules are named as torchvision's (`conv1`, `bn1`, `layer1`, ..., `fc`), but there is no `layer4`.
    (batch, 3, h, w) -> (batch, num_classes)
    """

    def __init__(self, n: int = 3, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = self._layer(16, 16, n)
        self.layer2 = self._layer(16, 32, n)
        self.layer3 = self._layer(32, 64, n)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    @staticmethod
    def _layer(inside: int, outside: int, n: int) -> nn.Sequential:
        halve = {} if inside == outside else {"stride": 2, "downsample": PaddedShortcut()}
        return nn.Sequential(
            BasicBlock(inside, outside, **halve), *(BasicBlock(outside, outside) for _ in range(n - 1))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits: (batch, 3, h, w) -> (batch, num_classes)."""
        x = self.relu(self.bn1(self.conv1(x)))  # (batch, 16, h, w)
        x = self.layer3(self.layer2(self.layer1(x)))  # (batch, 64, h / 4, w / 4)
        return self.fc(self.avgpool(x).flatten(1))  # (batch, 64) -> (batch, num_classes)


def make_network(name: str, num_classes: int = 1000) -> nn.Module:
    """A network with random weights: `cifar_resnet8`, `cifar_resnet20`, or one of torchvision's by its name. Given.

    Raises:
        ValueError: there is no network of this name.
    """
    depths = {"cifar_resnet8": 1, "cifar_resnet20": 3}
    if name in depths:
        return CifarResNet(depths[name], num_classes)
    return get_model(name, weights=None, num_classes=num_classes)

READERS = {
    ".safetensors": load_file,
    ".pt": partial(torch.load, map_location="cpu", weights_only=True),
}
SOURCES = {None: make_network, "DEFAULT": partial(get_model, weights="DEFAULT")}


def load_backbone(name="resnet18", weights="DEFAULT"):
    if weights in SOURCES:
        return SOURCES[weights](name)
    path = Path(weights)
    state = read_state(path)
    troubles = {
        "it is no state dict with fc.bias": lambda: not isinstance(state, dict),
        "fc.bias is absent": lambda: "fc.bias" not in state,
        "there is more than tensors": lambda: [key for key, value in state.items() if not torch.is_tensor(value)],
    }
    for trouble, find in troubles.items():
        if found := find():
            raise ValueError(f"{name} cannot use {path}: {trouble}" + f", {found}" * isinstance(found, list))
    try:
        network = make_network(name, len(state["fc.bias"].flatten()))
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"{name} cannot use {path}: {error}") from error
    return network


def read_state(path):
    if not path.is_file():
        raise FileNotFoundError(str(path))
    return READERS.get(path.suffix, READERS[".pt"])(path)


class Classifier(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, x):
        return self.backbone(x)

    def train(self, mode=True):
        super().train(mode)
        norms = {n: m for n, m in self.named_modules() if isinstance(m, nn.BatchNorm2d)}
        learns = {n: any(p.requires_grad for p in m.parameters(recurse=False)) for n, m in norms.items()}
        for name, norm in norms.items():
            norm.train(mode and learns[name])
        return self


FREEZE = {
    True: lambda model: {name: "fc" in name.split(".") for name, _ in model.named_parameters()},
    False: lambda model: {name: True for name, _ in model.named_parameters()},
}


def build_classifier(backbone, num_classes, *, freeze=True):
    backbone.fc = nn.Linear(backbone.fc.in_features, num_classes, bias=True)
    nn.init.orthogonal_(backbone.fc.weight)
    model = Classifier(backbone)
    learns = FREEZE[bool(freeze)](model)
    for name, p in model.named_parameters():
        p.requires_grad_(learns[name])
    return model.train()


def unfreeze(model, from_layer):
    children = dict(model.backbone.named_children())
    there = {name: number for number, name in enumerate(LAYERS) if name in children}
    if from_layer not in there:
        raise ValueError(f"from_layer is {from_layer!r}, but should be one of {list(there)}")
    for name, number in there.items():
        if number >= there[from_layer]:
            children[name].requires_grad_(True)
    model.train(mode=model.training)


def param_groups(model, lr, backbone_lr_factor=0.1):
    rates = {"head": lr, "backbone": backbone_lr_factor * lr}
    params = {part: {} for part in rates}
    for name, p in model.named_parameters():
        if p.requires_grad:
            part = {True: "head", False: "backbone"}[name.startswith("backbone.fc.")]
            params[part][name] = p
    return [{"params": list(params[part].values()), "lr": rates[part]} for part in rates if params[part]]
