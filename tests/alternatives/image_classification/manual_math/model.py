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


def misfits(state, network):
    """What does not fit, in words. Old files do not count BatchNorm's batches, and need not."""
    own = network.state_dict()
    for name in own:
        if name not in state and not name.endswith("num_batches_tracked"):
            yield f"{name} is absent"
    for name, value in state.items():
        if name not in own:
            yield f"{name} is not in the network"
        elif not isinstance(value, torch.Tensor):
            yield f"{name} is no tensor"
        elif value.shape != own[name].shape:
            yield f"{name} has shape {tuple(value.shape)} instead of {tuple(own[name].shape)}"


def load_backbone(name="resnet18", weights="DEFAULT"):
    if weights is None:
        return make_network(name)
    if weights == "DEFAULT":
        return get_model(name, weights="DEFAULT")
    path = Path(weights)
    if not path.exists():
        raise FileNotFoundError(f"no weights at {path}")
    state = read_state(path)
    bias = state.get("fc.bias") if isinstance(state, dict) else None
    if not isinstance(bias, torch.Tensor):
        raise ValueError(f"{path} is no file for {name}: fc.bias is absent")
    network = make_network(name, bias.shape[0] if bias.ndim else 1)
    problems = list(misfits(state, network))
    if problems:
        raise ValueError(f"{path} is no file for {name}: {'; '.join(problems)}")
    own = network.state_dict()  # the tensors themselves, not copies
    for key, value in state.items():
        own[key].copy_(value)
    return network


def read_state(path):
    if path.suffix.lower() == ".safetensors":
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


class Classifier(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, x):
        return self.backbone(x)

    def train(self, mode=True):
        super().train(mode)
        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.training = mode and sum(p.requires_grad for p in m.parameters()) > 0
        return self


def build_classifier(backbone, num_classes, *, freeze=True):
    for p in backbone.parameters():
        p.requires_grad = not freeze
    backbone.fc = nn.Linear(backbone.fc.in_features, num_classes)
    # All classes alike at first: the loss begins at log C.
    nn.init.zeros_(backbone.fc.weight)
    nn.init.zeros_(backbone.fc.bias)
    model = Classifier(backbone)
    return model.train()


def unfreeze(model, from_layer):
    there = [name for name in LAYERS if hasattr(model.backbone, name)]
    if from_layer not in there:
        raise ValueError(f"{from_layer!r}: no such layer; this network has {there}")
    first = LAYERS.index(from_layer)
    for name, p in model.backbone.named_parameters():
        layer = name.split(".")[0]
        if layer in LAYERS and LAYERS.index(layer) >= first:
            p.requires_grad = True
    model.train(model.training)


def param_groups(model, lr, backbone_lr_factor=0.1):
    head_ids = [id(p) for p in model.backbone.fc.parameters()]
    head, rest = [], []
    for p in model.parameters():
        if p.requires_grad:
            (head if id(p) in head_ids else rest).append(p)
    groups = []
    if head:
        groups.append({"params": head, "lr": lr})
    if rest:
        groups.append({"params": rest, "lr": backbone_lr_factor * lr})
    return groups
