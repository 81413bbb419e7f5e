"""Task 2: the network."""

import os
from pathlib import Path

import torch
import torchvision
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
    # case 1: random weights
    if weights is None:
        network = make_network(name)
        return network
    # case 2: torchvision's weights
    if weights == "DEFAULT":
        network = torchvision.models.get_model(name, weights="DEFAULT")
        return network
    # case 3: a file
    if not os.path.exists(weights):
        raise FileNotFoundError(f"there is no file {weights}")
    state = read_state(Path(weights))
    if "fc.bias" not in state:
        raise ValueError(f"The file {weights} does not fit the network {name}: fc.bias is missing.")
    num_classes = state["fc.bias"].shape[0] if state["fc.bias"].dim() > 0 else 1
    network = make_network(name, num_classes)
    own_state = network.state_dict()
    problems = []
    for key in own_state:
        if key not in state:
            problems.append(f"{key} is missing")
        elif state[key].shape != own_state[key].shape:
            problems.append(f"{key} has the shape {list(state[key].shape)}, not {list(own_state[key].shape)}")
    for key in state:
        if key not in own_state:
            problems.append(f"{key} is too much")
    if len(problems) > 0:
        raise ValueError(f"The file {weights} does not fit the network {name}: " + "; ".join(problems))
    network.load_state_dict(state)
    return network


def read_state(path: Path) -> dict[str, torch.Tensor]:
    state = {}
    if str(path).endswith(".safetensors"):
        with safe_open(str(path), framework="pt", device="cpu") as file:
            for key in file.keys():  # noqa: SIM118
                state[key] = file.get_tensor(key)
        return state
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, dict):
        raise ValueError(f"The file {path} holds no state dict.")
    for key in content:
        if not isinstance(content[key], torch.Tensor):
            raise ValueError(f"The file {path} holds more than tensors: {key}.")
        state[key] = content[key]
    return state


class Classifier(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = self.backbone(x)
        return logits

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode)
        if mode:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    weight_learns = module.weight is not None and module.weight.requires_grad
                    bias_learns = module.bias is not None and module.bias.requires_grad
                    if not weight_learns and not bias_learns:
                        module.eval()
        return self


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    # old parameters
    for parameter in backbone.parameters():
        if freeze:
            parameter.requires_grad = False
        else:
            parameter.requires_grad = True
    # new head (its parameters can be trained from the start)
    number_of_features = backbone.fc.in_features
    new_head = nn.Linear(number_of_features, num_classes)
    nn.init.xavier_uniform_(new_head.weight)
    nn.init.zeros_(new_head.bias)
    backbone.fc = new_head
    model = Classifier(backbone)
    model.train()
    return model


def unfreeze(model: nn.Module, from_layer: str) -> None:
    network = model.backbone
    layers_here = []
    for layer in LAYERS:
        if hasattr(network, layer):
            layers_here.append(layer)
    if from_layer not in layers_here:
        raise ValueError(f"The network has no layer {from_layer}. It has: {', '.join(layers_here)}.")
    found = False
    for layer in layers_here:
        if layer == from_layer:
            found = True
        if found:
            for parameter in getattr(network, layer).parameters():
                parameter.requires_grad = True
    # the mode stays, but BatchNorm has to look again
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    head_parameters = []
    other_parameters = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        parts = name.split(".")
        if "fc" in parts:
            head_parameters.append(parameter)
        else:
            other_parameters.append(parameter)
    groups = []
    if len(other_parameters) > 0:
        backbone_group = {}
        backbone_group["params"] = other_parameters
        backbone_group["lr"] = lr * backbone_lr_factor
        groups.append(backbone_group)
    if len(head_parameters) > 0:
        head_group = {}
        head_group["params"] = head_parameters
        head_group["lr"] = lr
        groups.append(head_group)
    return groups
