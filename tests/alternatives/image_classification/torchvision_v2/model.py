"""A pre-trained network with a new head."""

from itertools import dropwhile
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors.torch import load_file
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
        network = make_network(name, len(published.meta["categories"]))
        network.load_state_dict(published.get_state_dict(progress=False))
        return network
    state = read_state(Path(weights))
    complaint = f"the weights in {weights} do not fit the network {name}"
    if "fc.bias" not in state:
        raise ValueError(f"{complaint}: no fc.bias")
    network = make_network(name, num_classes=state["fc.bias"].shape.numel())
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"{complaint}: {error}") from None
    return network


def read_state(path: Path) -> dict[str, torch.Tensor]:
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}")
    if path.suffix == ".safetensors":
        return load_file(str(path))
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise ValueError(f"{path} holds more than tensors") from error
    if not (isinstance(state, dict) and all(isinstance(value, torch.Tensor) for value in state.values())):
        raise ValueError(f"{path} is not a dictionary of tensors")
    return state


def is_frozen(module: nn.Module) -> bool:
    return all(not p.requires_grad for p in module.parameters())


class Classifier(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.backbone(x)

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode)

        def hold(module: nn.Module) -> None:
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and is_frozen(module):
                module.eval()

        return self.apply(hold)


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    features = backbone.fc.in_features
    backbone.fc = nn.Sequential(nn.Dropout(0.1), nn.Linear(features, num_classes))
    for name, layer in backbone.named_children():
        layer.requires_grad_(name == "fc" or not freeze)
    return Classifier(backbone).train()


def unfreeze(model: nn.Module, from_layer: str) -> None:
    there = [layer for layer in LAYERS if layer in model.backbone._modules]
    thawed = list(dropwhile(lambda layer: layer != from_layer, there))
    if not thawed:
        raise ValueError(f"no {from_layer} here; layers: {' '.join(there)}")
    nn.ModuleList(model.backbone.get_submodule(layer) for layer in thawed).requires_grad_(True)
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    head = set(model.backbone.fc.parameters())
    trainable = [p for p in model.parameters() if p.requires_grad]
    # BatchNorm and biases, which have one axis, apart from the kernels
    kinds = [
        {"params": [p for p in trainable if p in head], "lr": lr},
        {"params": [p for p in trainable if p not in head and p.ndim > 1], "lr": backbone_lr_factor * lr},
        {"params": [p for p in trainable if p not in head and p.ndim <= 1], "lr": backbone_lr_factor * lr},
    ]
    return list(filter(lambda group: group["params"], kinds))
