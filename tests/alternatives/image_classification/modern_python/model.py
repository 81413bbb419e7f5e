"""Task 2: a backbone that has seen other pictures, and a new head."""

from pathlib import Path
from typing import Self

import torch
import torchvision
from safetensors.torch import load
from torch import nn
from torchvision.models import get_model
from torchvision.models.resnet import BasicBlock

State = dict[str, torch.Tensor]

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


class Misfit(ValueError):
    """Weights that are not this network's."""

    def __init__(self, name: str, path: Path, what: object) -> None:
        super().__init__(f"{path}: not the weights of a {name}. {what}")


def load_backbone(name: str = "resnet18", weights: str | Path | None = "DEFAULT") -> nn.Module:
    match weights:
        case None:
            return make_network(name)
        case "DEFAULT":
            return torchvision.models.get_model(name, weights="DEFAULT")
        case str() | Path():
            path = Path(weights)
    match read_state(path):
        case {"fc.bias": torch.Tensor() as bias, **rest}:
            state = {"fc.bias": bias, **rest}
        case found:
            raise Misfit(name, path, f"There is no fc.bias in this {type(found).__name__}.")
    network = make_network(name, num_classes=max(bias.numel(), 1))
    try:
        keys = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise Misfit(name, path, error) from None
    if problems := [f"absent: {key}" for key in keys.missing_keys] + [f"too much: {key}" for key in keys.unexpected_keys]:
        raise Misfit(name, path, "; ".join(problems))
    return network.eval()


def read_state(path: Path) -> State:
    match path.suffix:
        case ".safetensors":
            return load(path.read_bytes())
        case _:
            with path.open("rb") as file:
                return torch.load(file, map_location=torch.device("cpu"), weights_only=True)


class Classifier(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.backbone(x)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for module in self.modules():
            match module:
                case nn.BatchNorm2d() | nn.SyncBatchNorm() if not any(p.requires_grad for p in module.parameters()):
                    module.training = False
        return self


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    for parameter in backbone.parameters():
        parameter.requires_grad_(not freeze)
    head = nn.Linear(in_features=backbone.get_submodule("fc").in_features, out_features=num_classes)
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.bias)
    backbone.set_submodule("fc", head)
    (model := Classifier(backbone)).train()
    return model


def unfreeze(model: nn.Module, from_layer: str) -> None:
    there = tuple(name for name in LAYERS if getattr(model.backbone, name, None) is not None)
    match from_layer in there:
        case False:
            raise ValueError(f"{from_layer!r} is no layer of this network; it has {', '.join(there)}.")
        case True:
            thawed = set(there[there.index(from_layer) :])
    for name, parameter in model.backbone.named_parameters():
        layer, _, _ = name.partition(".")
        if layer in thawed:
            parameter.requires_grad = True
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    head, body = [], []
    for name, parameter in model.named_parameters():
        match name.split("."), parameter.requires_grad:
            case [*_, "fc", "weight" | "bias"], True:
                head.append(parameter)
            case _, True:
                body.append(parameter)
    rates = ((body, lr * backbone_lr_factor), (head, lr))
    return [{"params": params, "lr": rate} for params, rate in rates if params]
