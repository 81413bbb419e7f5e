"""A pre-trained network with a new head."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import nn
from torchvision.models import get_model, get_model_weights
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
    if weights is None:
        return make_network(name)
    if weights == "DEFAULT":
        published = get_model_weights(name).DEFAULT
        return get_model(name, weights=published)
    path = Path(weights)
    state = read_state(path)
    if "fc.bias" not in state:
        raise ValueError(f"network {name}, file {path}: there is no fc.bias in it")
    network = make_network(name, int(np.prod(state["fc.bias"].shape)))
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(f"network {name}, file {path}: {error}") from error
    return network


def read_state(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    if path.suffix.lower() == ".safetensors":
        return OrderedDict((key, torch.from_numpy(array)) for key, array in load_file(path).items())
    state = torch.load(str(path), map_location=torch.device("cpu"), weights_only=True)
    if not isinstance(state, dict) or not all(torch.is_tensor(value) for value in state.values()):
        raise ValueError(f"{path} holds something else than named tensors")
    return state


def frozen(module: nn.Module) -> bool:
    return not sum(p.requires_grad for p in module.parameters())


class Classifier(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.backbone(x)

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode)
        for module in filter(frozen, self.modules()):
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.train(False)
        return self


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    for p in backbone.parameters():
        p.requires_grad = not freeze
    features = backbone.fc.weight.shape[1]
    head = nn.Linear(features, num_classes)
    with torch.no_grad():
        start = np.random.normal(0.0, 0.01, size=(num_classes, features))
        head.weight.copy_(torch.from_numpy(start))
        head.bias.zero_()
    backbone.fc = head
    model = Classifier(backbone)
    model.train()
    return model


def unfreeze(model: nn.Module, from_layer: str) -> None:
    children = dict(model.backbone.named_children())
    there = [layer for layer in LAYERS if layer in children]
    if from_layer not in there:
        raise ValueError(f"no layer {from_layer}; this network has {there}")
    for layer in there[there.index(from_layer) :]:
        for p in children[layer].parameters():
            p.requires_grad = True
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    head = [p for p in model.backbone.fc.parameters() if p.requires_grad]
    known = {id(p) for p in head}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in known]
    groups = []
    if head:
        groups.append({"params": head, "lr": lr})
    if rest:
        groups.append({"params": rest, "lr": backbone_lr_factor * lr})
    return groups
