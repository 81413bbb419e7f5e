"""Task 2 · A network that has seen other pictures, and a new head for ours.

A pre-trained network is a backbone, which turns an image into features, and a head, which turns features into the classes
it was trained on. The head is exchanged. The backbone is kept frozen at first, and thawed from its end.
"""

from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torchvision.models import get_model
from torchvision.models.resnet import BasicBlock

LAYERS = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc")  # of a torchvision ResNet, in their order


class PaddedShortcut(nn.Module):
    """The shortcut of a block that halves the image: every second pixel, the new channels zero (He et al. 2015, A). Given.

    (batch, channels, h, w) -> (batch, 2 · channels, h / 2, w / 2)
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The image at half its size, with twice as many channels."""
        extra = x.shape[1] // 2
        return nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, extra, extra))


class CifarResNet(nn.Module):
    """The small ResNet for 32×32 images of He et al., "Deep Residual Learning for Image Recognition", 2015, 4.2. Given.

    6n + 2 layers; its modules are named as torchvision's (`conv1`, `bn1`, `layer1`, …, `fc`), but there is no `layer4`.
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
    """A network with the weights of an earlier training.

    Args:
        name: as for `make_network`.
        weights: "DEFAULT" for torchvision's published weights, which are downloaded once; the path of a `.safetensors`
            or `.pt` file with a state dict; None for random weights.

    Returns:
        The network; from a file, its head is as wide as the file's `fc.bias`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the state dict does not fit the network, in names or in shapes, or holds no `fc.bias`; the message
            names the network, the file and what does not fit.
    """
    # Hint: get_model(name, weights="DEFAULT") downloads. torch.load needs weights_only=True: a file may hold code.
    raise NotImplementedError("Task 2: write load_backbone().")


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The state dict in a `.safetensors` file, or in one of `torch.save`'s, on the CPU and without running its code."""
    raise NotImplementedError("Task 2: write read_state().")


class Classifier(nn.Module):
    """A backbone and its head, in which what is frozen stands still.

    A module without trainable parameters is frozen. BatchNorm changes its running statistics by itself, at every forward
    pass in training mode, whether its parameters are trained or not; a frozen one has to stay in eval mode.
    """

    def __init__(self, backbone: nn.Module) -> None:
        """Args:
        backbone: a network with a head of the right width, called `fc`.
        """
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits: (batch, 3, h, w) -> (batch, num_classes)."""
        return self.backbone(x)

    def train(self, mode: bool = True) -> "Classifier":
        """Set training mode, but leave frozen BatchNorm in eval mode."""
        super().train(mode)
        # Hint: self.modules() walks through all modules; a BatchNorm2d has the parameters `weight` and `bias`.
        raise NotImplementedError("Task 2: write Classifier.train().")


def build_classifier(backbone: nn.Module, num_classes: int, *, freeze: bool = True) -> nn.Module:
    """The backbone with a new head.

    Args:
        backbone: any torchvision ResNet or a `CifarResNet`: a network whose head is a linear layer called `fc`.
        num_classes: width of the new head.
        freeze: train the head alone; the rest keeps its weights and its BatchNorm statistics, `model.train()` or not.

    Returns:
        A model (batch, 3, h, w) -> (batch, num_classes) of raw logits, in training mode.
    """
    raise NotImplementedError("Task 2: write build_classifier().")


def unfreeze(model: nn.Module, from_layer: str) -> None:
    """Let the network train from one layer on, to its end; what lies before it stays as it is.

    Args:
        model: what `build_classifier` returned; changed in place.
        from_layer: a name out of `LAYERS` that the network has: "layer3" thaws layer3, layer4 (where there is one) and fc.

    Raises:
        ValueError: the network has no such layer; the message names those that it has.
    """
    raise NotImplementedError("Task 2: write unfreeze().")


def param_groups(model: nn.Module, lr: float, backbone_lr_factor: float = 0.1) -> list[dict]:
    """Parameter groups for an optimizer: the new head learns at its own rate, the backbone more carefully.

    Args:
        model: what `build_classifier` returned.
        lr: learning rate of the head.
        backbone_lr_factor: the backbone's rate is this times `lr`.

    Returns:
        Dictionaries with `params` and `lr`; every trainable parameter is in exactly one, a frozen one in none. No group
        is empty.
    """
    raise NotImplementedError("Task 2: write param_groups().")
