"""A classifier that holds features and a head; what is frozen runs in eval mode as a whole."""

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
    if weights == "DEFAULT":
        return get_model(name, weights="DEFAULT")
    if weights is None:
        return make_network(name)
    if not Path(weights).exists():
        raise FileNotFoundError(f"{weights} does not exist")
    suffix = Path(weights).suffix
    state = load_file(weights) if suffix == ".safetensors" else torch.load(weights, weights_only=True)
    if "fc.bias" not in state:
        raise ValueError(f"{weights} has no fc.bias, so it is not for {name}")
    model = make_network(name, num_classes=state["fc.bias"].shape[0])
    try:
        result = model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(f"{weights} is not for {name}. {error}") from error
    assert not result.missing_keys
    return model


class FineTuned(nn.Module):
    def __init__(self, backbone, num_classes):
        super().__init__()
        self.fc = nn.Linear(backbone.fc.in_features, num_classes)
        backbone.fc = nn.Identity()
        self.features = backbone

    def forward(self, x):
        return self.fc(self.features(x))

    def train(self, mode=True):
        super().train(mode)
        for layer in self.features.children():
            parameters = list(layer.parameters())
            if parameters and not any(p.requires_grad for p in parameters):
                layer.eval()
        return self


def build_classifier(backbone, num_classes, *, freeze=True):
    model = FineTuned(backbone, num_classes)
    for p in model.features.parameters():
        p.requires_grad_(not freeze)
    return model.train()


def unfreeze(model, from_layer):
    names = [name for name in LAYERS if hasattr(model.features, name)]
    if from_layer not in names:
        raise ValueError(f"{from_layer!r} is none of {names}")
    start = names.index(from_layer)
    for name in names[start:]:
        layer = model.fc if name == "fc" else getattr(model.features, name)
        for p in layer.parameters():
            p.requires_grad_(True)
    model.train(model.training)


def param_groups(model, lr, backbone_lr_factor=0.1):
    result = [{"params": list(filter(lambda p: p.requires_grad, model.fc.parameters())), "lr": lr}]
    body = [p for p in model.features.parameters() if p.requires_grad]
    if body:
        result.append({"params": body, "lr": lr * backbone_lr_factor})
    return [group for group in result if len(group["params"]) > 0]
