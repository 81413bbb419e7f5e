"""A pre-trained network with a new head."""

from collections.abc import Iterator
from pathlib import Path

import torch
import torchvision.models
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
        return torchvision.models.get_model_builder(name)(weights="DEFAULT")
    if weights is None:
        return make_network(name)
    state = read_state(Path(weights))
    head = state.get("fc.bias") if isinstance(state, dict) else None
    if not isinstance(head, torch.Tensor):
        raise ValueError(f"{name} cannot take the weights in {weights}: fc.bias is not there")
    network = make_network(name, num_classes=len(head))
    keys = network.load_state_dict({k: v for k, v in state.items() if fits(network, k, v)}, strict=False)
    wrong = sorted({*keys.missing_keys, *(state.keys() - network.state_dict().keys())})
    if wrong:
        raise ValueError(f"{name} cannot take the weights in {weights}: names or shapes differ at {', '.join(wrong)}")
    return network


def fits(network: nn.Module, key: str, value: torch.Tensor) -> bool:
    own = network.state_dict().get(key)
    return own is not None and own.shape == value.shape


def read_state(path: Path) -> dict[str, torch.Tensor]:
    if not path.exists():
        raise FileNotFoundError(path)
    readers = {".safetensors": lambda: load_file(path, device="cpu")}
    return readers.get(path.suffix, lambda: torch.load(path, "cpu", weights_only=True))()


def batch_norms(model: nn.Module) -> Iterator[nn.BatchNorm2d]:
    yield from (m for m in model.modules() if isinstance(m, nn.BatchNorm2d))


class Classifier(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.backbone(x)

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode)
        for norm in batch_norms(self):
            norm.train(mode and max(p.requires_grad for p in norm.parameters()))
        return self


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    head = nn.Linear(backbone.fc.in_features, num_classes)
    nn.init.orthogonal_(head.weight, gain=0.1)
    model = Classifier(backbone)
    model.backbone.fc = head
    for name, p in model.named_parameters():
        p.requires_grad_(name.startswith("backbone.fc.") or not freeze)
    return model.train()


def unfreeze(model: nn.Module, from_layer: str) -> None:
    known = [name for name, _ in model.backbone.named_children() if name in LAYERS]  # in the order of definition
    known.sort(key=LAYERS.index)
    if from_layer not in known:
        raise ValueError(f"expected one of {known}, found {from_layer!r}")
    thawed = set(known[known.index(from_layer) :])
    for name, p in model.backbone.named_parameters():
        if name.split(".", 1)[0] in thawed:
            p.requires_grad_(True)
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    by_rate = {True: [], False: []}
    for name, p in model.backbone.named_parameters():
        if p.requires_grad:
            by_rate[name.startswith("fc.")].append(p)
    rates = {True: lr, False: lr * backbone_lr_factor}
    return [dict(params=params, lr=rates[head]) for head, params in by_rate.items() if len(params)]
