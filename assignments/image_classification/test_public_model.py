"""Self-checks of task 2, model.py: `pytest -k model`. The network has one block a layer, its images have 8×8 pixels."""

import io

import numpy as np
import torch
from safetensors.torch import save

from grader.suite import (
    Recipe,
    as_array,
    as_float,
    assert_close,
    check,
    file,
    require,
    require_equal,
    tensor,
)

SMALL = "cifar_resnet8"


def noise(n: int, size: int = 8) -> Recipe:
    """Images (n, 3, size, size), the same each time."""
    return tensor(np.random.default_rng(0).normal(2, 3, (n, 3, size, size)))


def classifier(student, *, freeze: bool = True, classes: int = 3) -> object:
    return student.model.build_classifier(student.model.make_network(SMALL, 7), classes, freeze=freeze)


def trainable(model: object) -> set[str]:
    """Names of the layers with trainable parameters."""
    parameters = [(name.split("."), p) for name, p in model.named_parameters() if p.requires_grad]
    known = {"conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc"}
    return {next((part for part in parts if part in known), parts[0]) for parts, _ in parameters}


def moved(model: object) -> set[str]:
    """Layers whose BatchNorm statistics change when the model, in training mode, sees a batch."""
    before = {name: as_array(value, name) for name, value in model.state_dict().items() if "running_" in name}
    model.train()
    model(noise(4))
    after = model.state_dict()
    changed = [name for name, value in before.items() if not np.array_equal(value, as_array(after[name], name))]
    return {next(part for part in name.split(".") if part in ("bn1", "layer1", "layer2", "layer3")) for name in changed}


@check(
    title="load_backbone reads a state dict, as .safetensors and as .pt",
    hint="make_network(name, num_classes=len(state['fc.bias'])), then load_state_dict(state).",
)
def test_model_weights(student):
    state = {name: value.clone() for name, value in student.model.make_network(SMALL, 7).state_dict().items()}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    for path in (file("w.safetensors", save(state)), file("w.pt", buffer.getvalue())):
        network = student.model.load_backbone(SMALL, path)
        case = f"{path.args[0]} with the weights of a {SMALL} for 7 classes"
        assert_close(network.state_dict(), state, "the network's state", case=case, atol=0, rtol=0)


@check(
    title="A file that is missing or does not fit is refused in words",
    hint="load_state_dict is strict by itself: make its RuntimeError a ValueError that names network and file.",
)
def test_model_refusals(student):
    with student.raises(FileNotFoundError):
        student.model.load_backbone(SMALL, "there/is/no/such.safetensors")
    state = dict(student.model.make_network(SMALL, 7).state_dict())
    with student.raises(ValueError) as raised:
        student.model.load_backbone("cifar_resnet20", file("shallow.safetensors", save(state)))
    for word in ("cifar_resnet20", "shallow.safetensors", "layer"):
        case = f"shallow.safetensors is a {SMALL}'s, for cifar_resnet20"
        require(word in raised[0].text, f"the message names {word}", got=raised[0].text, case=case)
    headless = {name: value for name, value in state.items() if not name.startswith("fc.")}
    with student.raises(ValueError) as raised:
        student.model.load_backbone(SMALL, file("headless.safetensors", save(headless)))
    require("fc.bias" in raised[0].text, "the message names what is absent", expected="… fc.bias …", got=raised[0].text)


@check(
    title="The new head has the right width and gives raw logits",
    hint="nn.Linear(backbone.fc.in_features, num_classes), and nothing behind it: cross-entropy has its own softmax.",
)
def test_model_head(student):
    model = classifier(student)
    model.eval()
    logits = as_array(model(noise(2)), "the output", shape=(2, 3), case="2 images, 3 classes")
    state = {name: value * 2 if ".fc." in f".{name}" else value for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    assert_close(model(noise(2)), 2 * logits, "a head with doubled weights gives doubled logits;", rtol=1e-4, atol=1e-5)
    large = student.model.build_classifier(student.model.make_network("resnet18", 5), 3)
    large.eval()
    as_array(large(noise(1, 32)), "the output", shape=(1, 3), case="torchvision's resnet18, whose features are 512")


@check(
    title="Frozen, only the head learns, and BatchNorm's statistics stand still",
    hint="requires_grad_(False) before the head is exchanged; Classifier.train puts frozen BatchNorm back into eval mode.",
)
def test_model_frozen(student):
    model = classifier(student)
    require_equal(model.training, True, "the classifier comes in training mode")
    require_equal(trainable(model), {"fc"}, "the head alone is trainable", "freeze=True")
    require_equal(moved(model), set(), "no running statistics move", "freeze=True; model.train(), then a batch")


@check(
    title="Not frozen, everything learns, BatchNorm too",
    hint="Only a BatchNorm2d whose weight does not require a gradient stays in eval mode.",
)
def test_model_thawed(student):
    model = classifier(student, freeze=False)
    layers = {"conv1", "bn1", "layer1", "layer2", "layer3", "fc"}
    require_equal(trainable(model), layers, "all layers are trainable", "freeze=False")
    require_equal(
        moved(model), layers - {"conv1", "fc"}, "all running statistics move", "freeze=False; model.train(), a batch"
    )


@check(
    title="unfreeze thaws from one layer to the end, and refuses a layer that is not there",
    hint="LAYERS gives the order; hasattr says which the network has; then model.train(model.training).",
)
def test_model_unfreeze(student):
    model = classifier(student)
    student.model.unfreeze(model, "layer2")
    require_equal(
        trainable(model), {"layer2", "layer3", "fc"}, "layer2 and what follows is trainable", "from_layer='layer2'"
    )
    require_equal(
        moved(model), {"layer2", "layer3"}, "their statistics move, and no others", "from_layer='layer2', a batch"
    )
    with student.raises(ValueError) as raised:
        student.model.unfreeze(model, "layer4")
    text = raised[0].text
    case = "this network has no layer4"
    require("layer3" in text, "the message names the layers that there are", expected="… layer3 …", got=text, case=case)


@check(
    title="Head and backbone learn at rates of their own, and no parameter twice",
    hint="The head's parameters at lr, all other trainable ones at lr × factor; leave out what is frozen, and empty groups.",
)
def test_model_groups(student):
    def counted(model: object, **settings: float) -> dict[float, int]:
        groups, numbers = student.model.param_groups(model, 0.5, **settings), {}
        for group in groups:
            sizes = [as_array(p, "a parameter").size for p in group["params"]]
            require(bool(sizes), "no group is empty", got=sizes)
            rate = round(as_float(group["lr"], "lr"), 6)
            numbers[rate] = numbers.get(rate, 0) + sum(sizes)
        return numbers

    model = classifier(student)
    head, case = 64 * 3 + 3, "3 classes, lr 0.5: rate -> numbers in its parameters"
    require_equal(counted(model), {0.5: head}, "a frozen backbone is in no group", case)
    student.model.unfreeze(model, "conv1")
    rest = sum(as_array(p, "a parameter").size for p in model.parameters()) - head
    require_equal(counted(model), {0.5: head, 0.05: rest}, "the backbone learns at a tenth of the rate", case)
    wanted = {0.5: head, 0.1: rest}
    require_equal(
        counted(model, backbone_lr_factor=0.2), wanted, "the factor is what it was asked to be", f"{case}; factor 0.2"
    )
