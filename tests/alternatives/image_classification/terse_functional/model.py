"""The backbone taken apart and put together again as nn.Sequential; frozen BatchNorm has no train()."""

from collections import OrderedDict
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn
from torchvision import models
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
        return models.get_model(name, weights=models.get_model_weights(name).DEFAULT)
    if weights is None:
        return make_network(name)
    path = Path(weights)
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}")
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as f:
            state = {key: f.get_tensor(key) for key in f.keys()}  # noqa: SIM118
    else:
        state = torch.load(path, "cpu", weights_only=True)
    try:
        net = make_network(name, state["fc.bias"].numel())
        net.load_state_dict(state)
    except (KeyError, RuntimeError) as e:
        raise ValueError(f"{path} does not fit {name}: {e}") from e
    return net


def hold(bn):
    """Eval mode, whatever is said to it."""
    bn.eval()
    bn.train = lambda mode=True: bn


def release(bn, mode):
    bn.__dict__.pop("train", None)
    bn.train(mode)


def norms(module):
    return [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]


def build_classifier(backbone, num_classes, *, freeze=True):
    parts = OrderedDict(backbone.named_children())
    old = parts.pop("fc")
    body = nn.Sequential(parts).requires_grad_(not freeze)
    body.train()
    if freeze:
        for bn in norms(body):
            hold(bn)
    head = nn.Sequential(nn.Flatten(), nn.Linear(old.in_features, num_classes))
    return nn.Sequential(OrderedDict(body=body, fc=head))


def unfreeze(model, from_layer):
    stages = dict(model.body.named_children()) | {"fc": model.fc}
    names = [n for n in LAYERS if n in stages]
    if from_layer not in names:
        raise ValueError(f"{from_layer}: choose one of {', '.join(names)}")
    for name in names[names.index(from_layer) :]:
        stages[name].requires_grad_(True)
        for bn in norms(stages[name]):
            release(bn, model.training)


def param_groups(model, lr, backbone_lr_factor=0.1):
    wanted = ((model.fc, lr), (model.body, lr * backbone_lr_factor))
    groups = [{"params": [p for p in part.parameters() if p.requires_grad], "lr": rate} for part, rate in wanted]
    return [g for g in groups if g["params"]]
