"""A pre-trained network with a new head."""

from itertools import chain
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn
from torchvision.models import get_model
from torchvision.models.resnet import BasicBlock

LAYERS = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc")


class PaddedShortcut(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        extra = x.shape[1] // 2
        return nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, extra, extra))


class CifarResNet(nn.Module):
    """6n + 2 layers, for 32x32 images."""

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
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.avgpool(x).flatten(1))


def make_network(name: str, num_classes: int = 1000) -> nn.Module:
    depths = {"cifar_resnet8": 1, "cifar_resnet20": 3}
    if name in depths:
        return CifarResNet(depths[name], num_classes)
    return get_model(name, weights=None, num_classes=num_classes)


def load_backbone(name: str = "resnet18", weights: str | Path | None = "DEFAULT") -> nn.Module:
    if weights == "DEFAULT":
        return get_model(name, weights="DEFAULT")
    return make_network(name) if weights is None else filled(name, Path(weights))


def filled(name: str, path: Path) -> nn.Module:
    state = read_state(path)
    if "fc.bias" not in state:
        raise ValueError(f"{name} from {path}: fc.bias is wanting")
    network = make_network(name, num_classes=state["fc.bias"].numel())
    own = network.state_dict()
    differ = {(key, tuple(value.shape)) for key, value in own.items()} ^ {
        (key, tuple(value.shape)) for key, value in state.items()
    }
    if differ:
        raise ValueError(f"{name} from {path}: only one of both has {sorted(differ)}")
    with torch.no_grad():
        for key, value in own.items():
            value.copy_(state[key])
    return network


def read_state(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        return load_file(path)
    with path.open("rb") as file:
        state = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not all(map(torch.is_tensor, state.values())):
        raise ValueError(f"{path} holds more than tensors by name")
    return state


def learns(module: nn.Module) -> bool:
    return any(p.requires_grad for p in module.parameters())


class Classifier(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.backbone(x)

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode)
        frozen = (m for m in self.modules() if isinstance(m, nn.BatchNorm2d) and not learns(m))
        for norm in frozen:
            norm.training = False
        return self


class Affine(nn.Module):
    """x W^T + b."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outside, inside) / inside)
        self.bias = nn.Parameter(torch.zeros(outside))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.weight, self.bias)


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    backbone = backbone.requires_grad_(not freeze)
    backbone.fc = Affine(backbone.fc.weight.size(1), num_classes)
    return Classifier(backbone).train(True)


def unfreeze(model: nn.Module, from_layer: str) -> None:
    layers = [name for name in LAYERS if hasattr(model.backbone, name)]
    if layers.count(from_layer) != 1:
        raise ValueError(f"{from_layer}? This network has {layers}")
    thawed = layers[-(len(layers) - layers.index(from_layer)) :]
    for p in chain.from_iterable(getattr(model.backbone, name).parameters() for name in thawed):
        p.requires_grad_(True)
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    layers = dict(model.backbone.named_children())
    head = layers.pop("fc")
    candidates = [
        (lr, tuple(filter(lambda p: p.requires_grad, head.parameters()))),
        (backbone_lr_factor * lr, tuple(p for layer in layers.values() for p in layer.parameters() if p.requires_grad)),
    ]
    return [{"lr": rate, "params": params} for rate, params in candidates if params]
