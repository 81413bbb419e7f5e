"""Task 2: transfer."""

import os

import torch
import torchvision
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


def load_backbone(name="resnet18", weights="DEFAULT"):
    if weights is None:
        return make_network(name)
    if weights == "DEFAULT":
        try:
            builder = torchvision.models.get_model_builder(name)
        except ValueError as error:
            raise ValueError(f"torchvision has no weights for {name}: {error}") from error
        return builder(weights="DEFAULT")
    if not os.path.isfile(weights):
        raise FileNotFoundError(f"There is no file {weights} with weights for {name}.")
    state = read_state(weights)
    if not isinstance(state, dict):
        raise ValueError(f"{name}: {weights} holds a {type(state).__name__}, no state dict with fc.bias.")
    bias = state.get("fc.bias")
    if not torch.is_tensor(bias) or bias.dim() != 1:
        raise ValueError(f"{name}: {weights} has no fc.bias, or one that is no row of numbers.")
    network = make_network(name, bias.shape[0])
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"{name}: {weights} does not fit. {error}") from error
    return network


def read_state(path):
    if str(path).endswith(".safetensors"):
        return load_file(path)
    return torch.load(path, weights_only=True, map_location="cpu")


class Classifier(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, x):
        return self.backbone(x)

    def train(self, mode=True):
        super().train(mode)
        for module in self.modules():
            if not isinstance(module, nn.BatchNorm2d):
                continue
            trained = [p for p in module.parameters() if p.requires_grad]
            if len(trained) == 0:
                module.eval()
        return self


def build_classifier(backbone, num_classes, *, freeze=True):
    for p in backbone.parameters():
        p.requires_grad = not freeze
    features = backbone.fc.weight.shape[1]
    backbone.fc = nn.Linear(features, num_classes)
    model = Classifier(backbone)
    model.train()
    return model


def unfreeze(model, from_layer):
    layers = []
    for name in LAYERS:
        if hasattr(model.backbone, name):
            layers.append(name)
    if from_layer not in layers:
        raise ValueError(f"This network has {', '.join(layers)}; {from_layer} is not among them.")
    start = layers.index(from_layer)
    for name in layers[start:]:
        for p in model.backbone.get_submodule(name).parameters():
            p.requires_grad = True
    mode = model.training
    model.train(mode)


def param_groups(model, lr, backbone_lr_factor=0.1):
    head = {"params": [], "lr": lr}
    rest = {"params": [], "lr": backbone_lr_factor * lr}
    for name, p in model.named_parameters():
        if p.requires_grad:
            group = head if "fc" in name.split(".") else rest
            group["params"].append(p)
    return [group for group in (head, rest) if len(group["params"]) > 0]
