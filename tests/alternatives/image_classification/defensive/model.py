"""A pre-trained network with a new head."""

import copy
import logging
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from torchvision.models import get_model
from torchvision.models.resnet import BasicBlock

logger = logging.getLogger(__name__)

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
    if not isinstance(weights, str | Path | None):
        raise TypeError(f"weights must be a path, 'DEFAULT' or None, not {type(weights).__name__}")
    if weights is None:
        logger.info("%s with random weights", name)
        return make_network(name)
    if weights == "DEFAULT":
        if name.startswith("cifar_"):
            raise ValueError(f"torchvision has no weights for {name}")
        return get_model(name, weights="DEFAULT")
    path = Path(weights)
    state = read_state(path)
    if "fc.bias" not in state or state["fc.bias"].ndim != 1:
        raise ValueError(f"{path} does not fit the network {name}: it has no vector fc.bias")
    network = make_network(name, num_classes=state["fc.bias"].shape[0])
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in state.items()}
    complaints = [f"missing {key}" for key in expected if key not in found]
    complaints += [f"unexpected {key}" for key in found if key not in expected]
    complaints += [
        f"{key} of shape {found[key]} instead of {expected[key]}"
        for key in expected
        if key in found and found[key] != expected[key]
    ]
    if complaints:
        raise ValueError(f"{path} does not fit the network {name}: {'; '.join(complaints)}")
    network.load_state_dict(state)
    return network


def read_state(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"weights file {path} does not exist")
    if path.suffix not in (".safetensors", ".pt"):
        raise ValueError(f"weights file {path} must end in .safetensors or .pt")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, UnpicklingError, EOFError, RuntimeError) as error:
        raise ValueError(f"weights file {path} is damaged or holds more than tensors: {error}") from error
    if not isinstance(state, dict):
        raise ValueError(f"weights file {path} holds a {type(state).__name__}, not a state dict")
    strange = [str(key) for key, value in state.items() if not isinstance(value, torch.Tensor)]
    if strange:
        raise ValueError(f"weights file {path} holds more than tensors: {', '.join(strange)}")
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
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm):
                frozen = not any(p.requires_grad for p in module.parameters())
                module.train(mode and not frozen)
        return self


def layer_names(network: nn.Module) -> list[str]:
    return [layer for layer in LAYERS if isinstance(getattr(network, layer, None), nn.Module)]


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    if not isinstance(getattr(backbone, "fc", None), nn.Linear):
        raise TypeError(f"{type(backbone).__name__} has no linear layer fc to exchange")
    if num_classes < 1:
        raise ValueError(f"num_classes must be positive, not {num_classes}")
    network = copy.deepcopy(backbone)
    head = nn.Linear(network.fc.in_features, num_classes)
    nn.init.kaiming_normal_(head.weight, nonlinearity="linear")
    nn.init.zeros_(head.bias)
    for parameter in network.parameters():
        parameter.requires_grad_(not freeze)
    network.fc = head
    model = Classifier(network)
    model.train()
    logger.info("%d of %d parameter tensors are trainable", sum(p.requires_grad for p in model.parameters()), len(list(model.parameters())))
    return model


def unfreeze(model: nn.Module, from_layer: str) -> None:
    names = layer_names(model.backbone)
    if from_layer not in names:
        raise ValueError(f"from_layer must be one of {', '.join(names)}, not {from_layer!r}")
    for name in names[names.index(from_layer) :]:
        for parameter in getattr(model.backbone, name).parameters():
            parameter.requires_grad_(True)
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    if lr < 0 or backbone_lr_factor < 0:
        raise ValueError(f"rates must not be negative: {lr}, {backbone_lr_factor}")
    groups = {
        "head": {"params": [], "lr": lr},
        "backbone": {"params": [], "lr": lr * backbone_lr_factor},
    }
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups["head" if ".fc." in f".{name}" else "backbone"]["params"].append(parameter)
    return [group for group in groups.values() if group["params"]]
