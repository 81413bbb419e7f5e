"""A pre-trained network with a new head."""

from pathlib import Path

import pandas as pd
import torch
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
    if weights is None:
        return make_network(name)
    if weights == "DEFAULT":
        return get_model(name, weights="DEFAULT")
    state = read_state(Path(weights))
    if "fc.bias" not in state:
        raise ValueError(f"{weights} does not fit {name}: it has no fc.bias")
    network = make_network(name, state["fc.bias"].numel())
    shapes = pd.DataFrame(
        {
            "network": pd.Series({key: str(tuple(value.shape)) for key, value in network.state_dict().items()}),
            "file": pd.Series({key: str(tuple(getattr(value, "shape", ("?",)))) for key, value in state.items()}),
        }
    ).fillna("absent")
    wrong = shapes.query("network != file")
    if len(wrong):
        raise ValueError(f"{weights} does not fit {name}:\n{wrong.to_string()}")
    network.load_state_dict(state)
    return network


def read_state(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        return load_file(path)
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds a {type(state).__name__}, not a state dict")
    return state


class Classifier(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.backbone(x)

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d) and not any(p.requires_grad for p in module.parameters()):
                module.eval()
        return self


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    backbone.requires_grad_(not freeze)
    backbone.fc = nn.Linear(backbone.fc.in_features, num_classes)
    return Classifier(backbone).train()


def unfreeze(model: nn.Module, from_layer: str) -> None:
    layers = pd.Series(LAYERS).loc[lambda s: s.map(lambda name: hasattr(model.backbone, name))]
    if not layers.eq(from_layer).any():
        raise ValueError(f"there is no {from_layer!r} in this network, only {', '.join(layers)}")
    layers.loc[layers.eq(from_layer).cummax()].map(lambda name: getattr(model.backbone, name).requires_grad_(True))
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    table = pd.DataFrame(
        [(name, p) for name, p in model.named_parameters() if p.requires_grad], columns=["name", "param"]
    )
    is_head = table["name"].str.contains(r"(?:^|\.)fc\.", regex=True).astype(bool)
    groups = [
        {"params": table.loc[is_head, "param"].tolist(), "lr": lr},
        {"params": table.loc[~is_head, "param"].tolist(), "lr": lr * backbone_lr_factor},
    ]
    return [group for group in groups if group["params"]]
