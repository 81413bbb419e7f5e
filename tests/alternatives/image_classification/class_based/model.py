"""A pre-trained network with a new head."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load
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


@dataclass(frozen=True)
class WeightsFile:
    path: Path

    def read(self) -> dict[str, torch.Tensor]:
        content = self.path.read_bytes()  # raises FileNotFoundError by itself
        if self.path.suffix == ".safetensors":
            return load(content)
        return torch.load(self.path, weights_only=True, map_location="cpu")

    def fill(self, name: str) -> nn.Module:
        state = self.read()
        try:
            network = make_network(name, state["fc.bias"].numel())
            network.load_state_dict(state)
        except KeyError:
            raise ValueError(f"{self.path} is no file for {name}: it holds no fc.bias") from None
        except (RuntimeError, TypeError, AttributeError) as error:
            raise ValueError(f"{self.path} is no file for {name}: {error}") from error
        return network


def load_backbone(name: str = "resnet18", weights: str | Path | None = "DEFAULT") -> nn.Module:
    match weights:
        case None:
            return make_network(name)
        case "DEFAULT":
            return get_model(name, weights=weights)
        case _:
            return WeightsFile(Path(weights)).fill(name)


def read_state(path: Path) -> dict[str, torch.Tensor]:
    return WeightsFile(Path(path)).read()


class Classifier(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.backbone(x)

    @property
    def layers(self) -> dict[str, nn.Module]:
        """The network's layers by name, in their order."""
        return {name: getattr(self.backbone, name) for name in LAYERS if hasattr(self.backbone, name)}

    def frozen_norms(self) -> list[nn.Module]:
        norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        return [norm for norm in norms if not any(p.requires_grad for p in norm.parameters(recurse=False))]

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode)
        for norm in self.frozen_norms():
            norm.training = False
        return self


class Head(nn.Linear):
    """Says at first that all classes are equally likely."""

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    network = copy.deepcopy(backbone)  # the caller's stays whole
    network.requires_grad_(not freeze)
    network.fc = Head(network.fc.in_features, num_classes)
    return Classifier(network).train()


def unfreeze(model: nn.Module, from_layer: str) -> None:
    names = list(model.layers)
    try:
        first = names.index(from_layer)
    except ValueError:
        raise ValueError(f"{from_layer} is none of this network's layers: {', '.join(names)}") from None
    for name in names[first:]:
        model.layers[name].requires_grad_()
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    groups = []
    for name, layer in reversed(model.layers.items()):  # the head first, and a group for each layer
        params = [p for p in layer.parameters() if p.requires_grad]
        if params:
            groups.append({"params": params, "lr": lr if name == "fc" else lr * backbone_lr_factor, "name": name})
    return groups
