"""Task 2: a pre-trained network with a new head."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torchvision.models import get_model
from torchvision.models.resnet import BasicBlock

LAYERS = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc")


class PaddedShortcut(nn.Module):
    def forward(self, x):
        extra = x.shape[1] // 2
        return nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, extra, extra))


class CifarResNet(nn.Module):
    """The small ResNet for 32x32 images."""

    def __init__(self, n=3, num_classes=10):
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
    def _layer(inside, outside, n):
        halve = {} if inside == outside else {"stride": 2, "downsample": PaddedShortcut()}
        return nn.Sequential(
            BasicBlock(inside, outside, **halve), *(BasicBlock(outside, outside) for _ in range(n - 1))
        )

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.avgpool(x).flatten(1))


def make_network(name, num_classes=1000):
    depths = {"cifar_resnet8": 1, "cifar_resnet20": 3}
    if name in depths:
        return CifarResNet(depths[name], num_classes)
    return get_model(name, weights=None, num_classes=num_classes)


def load_backbone(name="resnet18", weights="DEFAULT"):
    if weights is None:
        return make_network(name)
    if weights == "DEFAULT":
        return get_model(name, weights="DEFAULT")
    state = read_state(Path(weights))
    if not isinstance(state, dict) or not isinstance(state.get("fc.bias"), torch.Tensor):
        raise ValueError(f"{weights} does not fit {name}: it holds no fc.bias.")
    network = make_network(name, state["fc.bias"].numel())
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"{weights} does not fit {name}: {error}") from error
    return network


def read_state(path):
    if path.suffix == ".safetensors":
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


class Classifier(nn.Module):
    """A backbone and its head, in which what is frozen stands still."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, x):
        return self.backbone(x)

    def train(self, mode=True):
        super().train(mode)
        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d) and not any(p.requires_grad for p in m.parameters()):
                m.eval()
        return self


def build_classifier(backbone, num_classes, *, freeze=True):
    backbone.requires_grad_(not freeze)
    backbone.fc = nn.Linear(backbone.fc.in_features, num_classes)
    return Classifier(backbone).train()


def unfreeze(model, from_layer):
    names = [name for name in LAYERS if hasattr(model.backbone, name)]
    if from_layer not in names:
        raise ValueError(f"no layer {from_layer!r}; there are {', '.join(names)}.")
    for name in names[names.index(from_layer) :]:
        getattr(model.backbone, name).requires_grad_(True)
    model.train(model.training)


def param_groups(model, lr, backbone_lr_factor=0.1):
    head = [p for p in model.backbone.fc.parameters() if p.requires_grad]
    rest = [p for n, p in model.named_parameters() if p.requires_grad and ".fc." not in n]
    groups = [{"params": head, "lr": lr}, {"params": rest, "lr": lr * backbone_lr_factor}]
    return [group for group in groups if group["params"]]
