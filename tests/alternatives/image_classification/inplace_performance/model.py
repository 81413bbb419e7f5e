"""Task 2: a pre-trained network, a new head."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torchvision.models import get_model
from torchvision.models.resnet import BasicBlock

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


def load_backbone(name: str = "resnet18", weights: str | Path | None = "DEFAULT") -> nn.Module:
    if weights is None:
        return make_network(name)
    if weights == "DEFAULT":
        return get_model(name, weights="DEFAULT", progress=False)
    path = Path(weights)
    state = read_state(path)
    if not isinstance(state, dict) or not torch.is_tensor(state.get("fc.bias")):
        raise ValueError(f"{path}: these are no weights of a {name}, for there is no fc.bias.")
    with torch.device("meta"):  # no random weights that would be overwritten at once
        network = make_network(name, state["fc.bias"].numel())
    network.to_empty(device="cpu")
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"{path}: these are no weights of a {name}. {error}") from error
    for key, buffer in network.named_buffers():
        if key not in state:  # older files do not count batches
            buffer.zero_()
    return network


def read_state(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"No weights at {path}.")
    if path.suffix == ".safetensors":
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True, mmap=False)


class Classifier(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.backbone(x)

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode)
        if mode:
            for norm in self.modules():
                if isinstance(norm, nn.modules.batchnorm._BatchNorm):
                    norm.training = any(p.requires_grad for p in norm.parameters())
        return self


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    backbone.requires_grad_(not freeze)
    head = nn.utils.skip_init(nn.Linear, backbone.fc.in_features, num_classes)
    with torch.no_grad():
        head.weight.normal_(0, head.in_features**-0.5)
        head.bias.zero_()
    backbone.fc = head
    return Classifier(backbone).to(memory_format=torch.channels_last).train()


def unfreeze(model: nn.Module, from_layer: str) -> None:
    names = [name for name, _ in model.backbone.named_children() if name in LAYERS]
    try:
        first = names.index(from_layer)
    except ValueError:
        raise ValueError(f"There is no {from_layer!r} in this network, but {', '.join(names)}.") from None
    for name in names[first:]:
        getattr(model.backbone, name).requires_grad_()
    model.train(model.training)


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    head = {p for p in model.backbone.fc.parameters()}
    parts = ([], [])
    for p in model.parameters():
        if p.requires_grad:
            parts[p not in head].append(p)
    rates = (lr, lr * backbone_lr_factor)
    return [{"params": params, "lr": rate} for params, rate in zip(parts, rates) if params]
