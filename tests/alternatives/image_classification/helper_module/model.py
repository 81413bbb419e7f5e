"""Task 2: a pre-trained network, a new head."""

from pathlib import Path

import torch
from helpers import is_norm, trainable
from safetensors.torch import load_file
from torch import nn
from torchvision import models
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


def load_backbone(name="resnet18", weights="DEFAULT"):
    if weights is None:
        return make_network(name)
    if weights == "DEFAULT":
        published = models.get_model_weights(name).DEFAULT
        network = get_model(name, weights=None)
        network.load_state_dict(published.get_state_dict(progress=False))
        return network
    path = Path(weights)
    state = read_state(path)
    wrong = f"{path} does not hold weights for {name}: "
    if not isinstance(state, dict) or "fc.bias" not in state:
        raise ValueError(wrong + "fc.bias is absent")
    strangers = [key for key, value in state.items() if not torch.is_tensor(value)]
    if strangers:
        raise ValueError(wrong + f"no tensors: {', '.join(map(str, strangers))}")
    network = make_network(name, num_classes=state["fc.bias"].numel())
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(wrong + str(error)) from error
    return network


def read_state(path):
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if path.suffix == ".safetensors":
        return load_file(str(path), device="cpu")
    return torch.load(str(path), map_location="cpu", weights_only=True)


class Classifier(nn.Module):
    """A backbone and its head; what is frozen stands still."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, x):
        return self.backbone(x)

    def train(self, mode=True):
        super().train(mode)
        if mode:
            self.backbone.apply(lambda module: module.eval() if is_norm(module) and not trainable(module) else None)
        return self


def build_classifier(backbone, num_classes, *, freeze=True):
    width = backbone.fc.in_features
    head = nn.Linear(width, num_classes)
    nn.init.xavier_uniform_(head.weight)
    backbone.fc = head
    model = Classifier(backbone)
    model.requires_grad_(not freeze)
    head.requires_grad_(True)
    model.train()
    return model


def unfreeze(model, from_layer):
    network = model.backbone
    known = [name for name in LAYERS if name in network._modules]
    if from_layer not in known:
        raise ValueError(f"{type(network).__name__} has the layers {known}, not {from_layer!r}")
    reached = False
    for name in known:
        reached = reached or name == from_layer
        if reached:
            network._modules[name].requires_grad_(True)
    model.train(model.training)


def param_groups(model, lr, backbone_lr_factor=0.1):
    head = trainable(model.backbone.fc)
    mine = set(map(id, head))
    body = [p for p in trainable(model) if id(p) not in mine]
    groups = []
    if head:
        groups.append(dict(params=tuple(head), lr=lr))
    if body:
        groups.append(dict(params=tuple(body), lr=backbone_lr_factor * lr))
    return groups
