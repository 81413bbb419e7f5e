"""The backbone itself gets a new head; hooks keep its frozen BatchNorm still."""

import os

import safetensors.torch
import torch
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
    if weights is None:
        return make_network(name)
    if str(weights) == "DEFAULT":
        return get_model(name, weights="DEFAULT")
    weights = os.fspath(weights)
    if not os.path.exists(weights):
        raise FileNotFoundError(weights)
    if weights.endswith(".safetensors"):
        state = safetensors.torch.load_file(weights, device="cpu")
    else:
        state = torch.load(weights, weights_only=True, map_location=torch.device("cpu"))
    if "fc.bias" not in state:
        raise ValueError(f"{weights} is no state dict of {name}: fc.bias is missing.")
    model = make_network(name, state["fc.bias"].shape[0])
    own = model.state_dict()
    problems = [f"{key} is missing" for key in own if key not in state]
    problems += [f"{key} is too much" for key in state if key not in own]
    for key, value in state.items():
        if key in own and own[key].shape != value.shape:
            problems.append(f"{key} is {tuple(value.shape)} instead of {tuple(own[key].shape)}")
    if problems:
        raise ValueError(f"{weights} does not fit {name}: " + "; ".join(problems))
    model.load_state_dict(state)
    return model


def stay_still(batchnorm, inputs):
    if not any(p.requires_grad for p in batchnorm.parameters()):
        batchnorm.eval()
    else:
        batchnorm.train(batchnorm.whole[0].training)


def build_classifier(backbone, num_classes, *, freeze=True):
    for p in backbone.parameters():
        p.requires_grad = not freeze
    width = backbone.fc.in_features
    backbone.fc = nn.Linear(width, num_classes)
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.whole = (backbone,)  # in a tuple, so that it does not become a child
            module.register_forward_pre_hook(stay_still)
    backbone.train()
    return backbone


def unfreeze(model, from_layer):
    present = [name for name in LAYERS if hasattr(model, name)]
    if from_layer not in present:
        raise ValueError(f"There is no layer {from_layer}; there are {present}.")
    for name in present[present.index(from_layer) :]:
        for p in getattr(model, name).parameters():
            p.requires_grad = True


def param_groups(model, lr, backbone_lr_factor=0.1):
    head, backbone = [], []
    for name, p in model.named_parameters():
        if p.requires_grad:
            (head if name.startswith("fc.") else backbone).append(p)
    groups = []
    if head:
        groups.append({"params": head, "lr": lr, "name": "head"})
    if backbone:
        groups.append({"params": backbone, "lr": lr * backbone_lr_factor, "name": "backbone"})
    return groups
