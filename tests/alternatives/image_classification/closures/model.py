"""Task 2: a pre-trained network and its new head."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import dropwhile
from pathlib import Path

import torch
from safetensors import safe_open
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


@contextmanager
def blaming(name: str, path: Path) -> Iterator[None]:
    """Every error about a state dict names the network and the file."""
    try:
        yield
    except (RuntimeError, LookupError, AttributeError, TypeError) as error:
        raise ValueError(f"the weights in {path} do not fit {name}: {error}") from error


def load_backbone(name: str = "resnet18", weights: str | Path | None = "DEFAULT") -> nn.Module:
    if weights is None:
        return make_network(name)
    if str(weights) == "DEFAULT":
        return get_model(name, weights="DEFAULT")
    path = Path(weights)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    state = read_state(path)
    with blaming(name, path):
        if not isinstance(state, dict) or "fc.bias" not in state:
            raise KeyError("there is no fc.bias")
        try:
            width = len(state["fc.bias"])
        except TypeError as error:
            raise TypeError("fc.bias is no row of numbers") from error
        network = make_network(name, width)
        network.load_state_dict(state)
    return network


def read_state(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix != ".safetensors":
        return torch.load(path, "cpu", weights_only=True)
    with safe_open(path, framework="pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}


def is_frozen(module: nn.Module) -> bool:
    return next((False for p in module.parameters() if p.requires_grad), True)


class Classifier(nn.Module):
    """A backbone with its head; frozen BatchNorm stays in eval mode."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.backbone(x)

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode)
        norms = (m for m in self.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm))
        for norm in filter(is_frozen, norms):
            norm.train(False)
        return self


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    network = copy.deepcopy(backbone)
    for p in network.parameters():
        p.requires_grad = not freeze
    network.fc = nn.Linear(network.fc.in_features, num_classes).to(network.fc.weight)
    return Classifier(network).train()


def layers_from(model: nn.Module, first: str) -> Iterator[tuple[str, nn.Module]]:
    """The network's layers in order, from the first one asked for."""
    children = dict(model.backbone.named_children())
    there = [name for name in LAYERS if name in children]
    if first not in there:
        raise ValueError(f"there is no layer {first!r}, only {there}")
    return ((name, children[name]) for name in dropwhile(lambda name: name != first, there))


def unfreeze(model: nn.Module, from_layer: str) -> None:
    for _, layer in layers_from(model, from_layer):
        for p in layer.parameters():
            p.requires_grad_()
    if model.training:
        model.train()


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    """A group for each layer, the head's first."""

    def groups():
        for name, layer in reversed(list(model.backbone.named_children())):
            params = [p for p in layer.parameters() if p.requires_grad]
            if params:
                yield {"params": params, "lr": lr if name == "fc" else backbone_lr_factor * lr, "name": name}

    return list(groups())
