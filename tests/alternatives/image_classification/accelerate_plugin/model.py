"""A pre-trained network with a new head."""

from pathlib import Path
from typing import Self

import torch
from safetensors import safe_open
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
        return get_model(name, weights=weights)
    state = None if weights is None else read_state(Path(weights))
    if state is None:
        return make_network(name)
    try:
        network = make_network(name, num_classes=max(state["fc.bias"].shape))
        network.load_state_dict(state)
    except KeyError as error:
        raise ValueError(f"cannot load {weights} into {name}: {error.args[0]} is not in the file") from error
    except RuntimeError as error:
        raise ValueError(f"cannot load {weights} into {name}: {error}") from error
    return network


def read_state(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    found = torch.load(path, map_location="cpu", weights_only=True)
    others = [name for name, value in dict(found).items() if not isinstance(value, torch.Tensor)]
    if others:
        raise ValueError(f"{path}: expected tensors only, found others: {others}")
    return found


class Classifier(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.backbone(x)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        if not mode:
            return self
        for name, module in self.named_modules():
            still = not any(p.requires_grad for p in module.parameters())
            if "BatchNorm" in type(module).__name__ and still:
                self.get_submodule(name).eval()
        return self


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    fresh = nn.Linear(backbone.fc.in_features, num_classes, device=backbone.fc.weight.device)
    nn.init.trunc_normal_(fresh.weight, std=0.02)
    backbone.set_submodule("fc", fresh)
    model = Classifier(backbone)
    for p in model.parameters():
        p.requires_grad_(not freeze)
    model.backbone.fc.requires_grad_(True)
    return model.train()


def unfreeze(model: nn.Module, from_layer: str) -> None:
    there = tuple(name for name in LAYERS if getattr(model.backbone, name, None) is not None)
    if from_layer not in there:
        raise ValueError(f"{from_layer!r} is not among the layers {there}")
    start = there.index(from_layer)
    for name, p in model.backbone.named_parameters():
        layer, *_ = name.split(".")
        if layer in there[start:]:
            p.requires_grad = True
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    def one(name: str, p: nn.Parameter) -> dict:
        return {"params": [p], "lr": lr if "fc" in name.split(".") else lr * backbone_lr_factor}

    # a group for each parameter, from the head backwards
    return [one(name, p) for name, p in reversed(list(model.named_parameters())) if p.requires_grad]
