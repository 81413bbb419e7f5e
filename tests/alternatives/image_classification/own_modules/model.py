"""Task 2: a pre-trained network, a new head."""

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


def load_backbone(name: str = "resnet18", weights: str | Path | None = "DEFAULT") -> nn.Module:
    if weights == "DEFAULT":
        return get_model(name, weights="DEFAULT")
    if weights is None:
        return make_network(name)
    state = read_state(Path(weights))
    width = state["fc.bias"].numel() if isinstance(state, dict) and torch.is_tensor(state.get("fc.bias")) else None
    if width is None:
        raise ValueError(f"cannot load {name} from {weights}: expected the tensor fc.bias, found none")
    network = make_network(name, width)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"cannot load {name} from {weights}: {error}") from error
    return network


def read_state(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        with safe_open(str(path), "pt", device="cpu") as file:
            return {name: file.get_tensor(name) for name in file.keys()}
    return torch.load(path, map_location="cpu", weights_only=True)


class RestingNorm(nn.BatchNorm2d):
    """BatchNorm that can only be woken while one of its parameters learns."""

    def train(self, mode: bool = True) -> "RestingNorm":
        return super().train(mode and any(p.requires_grad for p in self.parameters()))


class Head(nn.Module):
    """Features -> logits; a tenth of the features is left out while it learns."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.1)
        self.linear = nn.Linear(features, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.drop(x))


class Classifier(nn.Module):
    """A backbone with its head; its BatchNorm rests where it is frozen."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        for module in backbone.modules():
            if type(module) is nn.BatchNorm2d:
                module.__class__ = RestingNorm  # the same tensors under the same names

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.backbone(x)

    def train(self, mode: bool = True) -> "Classifier":
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    backbone.requires_grad_(not freeze)
    backbone.fc = Head(backbone.fc.in_features, num_classes)
    return Classifier(backbone).train(True)


def unfreeze(model: nn.Module, from_layer: str) -> None:
    layers = {name: child for name, child in model.backbone.named_children() if name in LAYERS}
    if from_layer not in layers:
        raise ValueError(f"unknown layer {from_layer!r}, known are {' '.join(sorted(layers, key=LAYERS.index))}")
    for name, layer in layers.items():
        if LAYERS.index(name) >= LAYERS.index(from_layer):
            layer.requires_grad_()
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    """One group for each parameter, those of the head in front."""
    head = set(model.backbone.fc.parameters())
    learning = sorted((p for p in model.parameters() if p.requires_grad), key=lambda p: p not in head)
    return [{"params": [p], "lr": lr * (1.0 if p in head else backbone_lr_factor)} for p in learning]
