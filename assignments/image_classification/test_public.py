"""Self-checks for your own work: run `pytest` in this folder, or `pytest -k train` for one task.

Their examples are small enough to follow by hand. The hidden checks look closer, and at other numbers: passing here
means that the basics are right. No task's checks wait for another task: begin where you like.
"""

import io
import math
import os
import sys
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch
import torchvision.transforms.v2  # takes seconds: here, so that the first check's time limit does not count them
from PIL import Image
from safetensors.torch import save

from grader.suite import (
    Recipe,
    StudentError,
    accelerator,
    as_array,
    as_figure,
    as_float,
    as_frame,
    assert_close,
    check,
    file,
    folder,
    linear,
    loader,
    require,
    tensor,
)

os.environ.setdefault("MPLBACKEND", "Agg")  # figures are looked at, not shown
os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes forked for a check would wait for threads left behind

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="two processes are tried on Linux only")


def equal(got: object, wanted: object, rule: str, case: str = "") -> None:
    require(got == wanted, rule, expected=wanted, got=got, case=case)


def same(got: object, wanted: object, rule: str, case: str = "") -> None:
    """As `equal`, of images and the like: told as lists."""
    got, wanted = (as_array(value, "what is compared", case=case).round(4).tolist() for value in (got, wanted))
    equal(got, wanted, rule, case)


# --- Task 1 · data.py

RED, GREY, BLUE = (255, 0, 0), (51, 51, 51), (0, 0, 255)
KAGGLE = "id,label\n10,frog\n2,cat\n1,frog\n"


def png(pixels: np.ndarray) -> bytes:
    """A file's content: (height, width) is saved in shades of grey, (height, width, 3) in colour."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype="uint8")).save(buffer, "PNG")
    return buffer.getvalue()


def picture(pixels: np.ndarray) -> Recipe:
    """A `PIL.Image` of (height, width, 3)."""
    return Recipe("PIL.Image:fromarray", (np.asarray(pixels, dtype="uint8"),))


def kaggle_folder(student, transform: object = None) -> object:
    """The dataset of three images of 2×2 pixels: 10 is a red frog, 2 a cat in shades of grey, 1 a blue frog."""
    images = {"10.png": png(np.full((2, 2, 3), RED)), "2.png": png(np.full((2, 2), 51))}
    root = folder(images | {"1.png": png(np.full((2, 2, 3), BLUE))})
    return student.data.ImageFolderCSV(root, file("trainLabels.csv", KAGGLE), transform)


@check(
    task="data",
    title="The dataset keeps the table's order, and counts the classes in the alphabet's",
    hint="Go through the rows as they come, never through the folder; a label is its name's place in sorted(set(…)).",
)
def test_data_order(student):
    dataset = kaggle_folder(student)
    case = "the table says: 10 frog, 2 cat, 1 frog"
    equal(len(dataset), 3, "the dataset is as long as the table", case)
    equal(list(dataset.classes), ["cat", "frog"], "classes are the sorted names, each once", case)
    equal(list(dataset.labels), [1, 0, 1], "labels are places in classes", case)
    pairs = [dataset[i] for i in range(3)]
    equal([label for _, label in pairs], [1, 0, 1], "each image comes with its label", case)
    colours = [image.getpixel((0, 0)) for image, _ in pairs]
    case = "10 is red, 2 a file in shades of grey, 1 blue"
    equal(colours, [RED, GREY, BLUE], "images come in the table's order, all as RGB", case)


@check(
    task="data",
    title="An image is opened when it is asked for, and a missing one is named",
    hint="__init__ reads the table alone. Image.open raises FileNotFoundError with the path by itself: let it through.",
)
def test_data_missing(student):
    root, table = folder({"1.png": png(np.full((2, 2, 3), RED))}), file("trainLabels.csv", "id,label\n1,cat\n77,cat\n")
    dataset = student.data.ImageFolderCSV(root, table)
    equal(len(dataset), 2, "a missing image is still in the list", "the table lists 1 and 77; there is no 77.png")
    dataset[0]
    with student.raises(FileNotFoundError) as raised:
        dataset[1]
    text = raised[0].text
    require("77.png" in text, "the message holds the missing file's path", expected="… 77.png …", got=text)


@check(
    task="data",
    title="A transform is applied to each image, and the label stays a number",
    hint="return (self.transform(image) if self.transform else image), self.labels[i]",
)
def test_data_transform(student):
    dataset = kaggle_folder(student, Recipe("torchvision.transforms.v2:PILToTensor"))
    image, label = dataset[0]
    red = np.zeros((3, 2, 2))
    red[0] = 255
    same(image, red, "the image is the transform's result", "a red image, through v2.PILToTensor()")
    equal((type(label).__name__, label), ("int", 1), "the label is an int", "10 is a frog, and classes are cat, frog")


@check(
    task="data",
    title="channel_stats counts every pixel once, whatever image it is in",
    hint="Add up pixels, sums and sums of squares over all images, then divide; averages of averages weigh images alike.",
)
def test_data_statistics(student):
    levels = np.array([1.0, 0.5, 0.8])[:, None, None]  # red, green, blue
    one, rest = levels * np.ones((1, 1)), levels * [[0.0] * 7, [0.0] * 7] + [[[0.0]], [[0.0]], [[0.8]]]
    mean, std = student.data.channel_stats([(tensor(one), 0), (tensor(rest), 1)])
    case = "an image of one pixel (1, 0.5, 0.8), and one of 2×7 pixels (0, 0, 0.8)"
    assert_close(mean, [1 / 15, 0.5 / 15, 0.8], "mean", case=case)
    spread = np.array([1.0, 0.5, 0.0]) * math.sqrt(14) / 15
    if not np.allclose(as_array(std, "std", shape=(3,)), spread * math.sqrt(15 / 14), atol=1e-4):  # with n - 1
        assert_close(std, spread, "std", case=case, atol=1e-4)


@check(
    task="data",
    title="The evaluation transform resizes, scales to 0 … 1 and normalises, and that is all",
    hint="Resize, ToImage, ToDtype(torch.float32, scale=True), Normalize, in this order; chance has no place here.",
)
def test_data_evaluation(student):
    transform = student.data.build_transforms(2, [0.5, 0.5, 0.2], [0.5, 0.25, 0.1], train=False)
    pixels = np.array([[(255, 0, 51), (0, 255, 51)], [(255, 255, 0), (0, 0, 102)]])
    wanted = [[[1.0, -1], [1, -1]], [[-2.0, 2], [2, -2]], [[0.0, 0], [-2, 2]]]
    case = "2×2 pixels (255, 0, 51), (0, 255, 51); (255, 255, 0), (0, 0, 102); mean 0.5, 0.5, 0.2; std 0.5, 0.25, 0.1"
    for _ in range(8):
        got = transform(picture(pixels))
        equal(str(got.dtype).removeprefix("torch."), "float32", "the result is float32")
        assert_close(got, wanted, "the image, each time,", case=case, atol=1e-5)
    got = transform(picture(np.full((6, 4, 3), (255, 0, 51))))
    wanted = np.broadcast_to(np.array([1.0, -2, 0])[:, None, None], (3, 2, 2))
    assert_close(got, wanted, "the image", case="6×4 pixels (255, 0, 51), resized to 2×2", atol=1e-5)


@check(
    task="data",
    title="The training transform shows each time another view, in the same colours",
    hint="A padded RandomCrop and a RandomHorizontalFlip before the scaling; what is drawn is drawn at every call.",
)
def test_data_augmentation(student):
    transform = student.data.build_transforms(8, [0.5] * 3, [0.5] * 3, train=True)
    slope = np.arange(64).reshape(8, 8, 1) * [4, 3, 2]
    views = [as_array(transform(picture(slope)), "the image", shape=(3, 8, 8)) for _ in range(30)]
    different = any(not np.array_equal(view, views[0]) for view in views)
    require(different, "thirty views of an image are not all the same", got="thirty times the same")
    plain = picture(np.full((8, 8, 3), (204, 102, 51)))
    colours = np.median([as_array(transform(plain), "the image") for _ in range(12)], axis=(0, 2, 3))  # (3,)
    near = bool((np.abs(colours - [0.6, -0.2, -0.6]) <= 0.3).all())
    case = "an image that is (204, 102, 51) everywhere, mean and std 0.5: the middle value of each channel"
    require(near, "colours stay right", expected=[0.6, -0.2, -0.6], got=colours.round(3).tolist(), case=case)


@check(
    task="data",
    title="The split shares out every class in the same proportion",
    hint="For each class apart: shuffle its places with np.random.default_rng(seed), give the first part to validation.",
)
def test_data_split(student):
    labels = [0] * 8 + [1] * 4 + [2] * 8
    parts = student.data.stratified_split(labels, 0.25, seed=0)
    train_idx, val_idx = (as_array(part, "a part").astype(int).tolist() for part in parts)
    case = "8 images of class 0, 4 of class 1, 8 of class 2; val_fraction 0.25"
    equal(sorted(train_idx + val_idx), list(range(20)), "every place is in exactly one part", case)
    equal(
        [[labels[i] for i in val_idx].count(c) for c in range(3)], [2, 1, 2], "validation has its share of each", case
    )
    again, other = (as_array(student.data.stratified_split(labels, 0.25, seed=s)[1], "val_idx") for s in (0, 1))
    equal(again.astype(int).tolist(), val_idx, "the same seed gives the same split", "val_idx, twice with seed 0")
    different = sorted(other.tolist()) != sorted(val_idx)
    require(different, "another seed gives another split", got=f"{sorted(val_idx)} with seed 0 and with seed 1")


@check(
    task="data",
    title="Training images are augmented and measured, validation images neither",
    hint="Two ImageFolderCSV with a transform each, and a Subset of each; channel_stats of the training places alone.",
)
def test_data_datasets(student):
    greys = [0, 30, 60, 90, 120, 150, 180, 210]  # of the left half; the right half is lighter by 40
    files = {
        f"{i}.png": png(np.repeat(np.tile([grey] * 4 + [grey + 40] * 4, (8, 1))[..., None], 3, 2))
        for i, grey in enumerate(greys)
    }
    table = "id,label\n" + "".join(f"{i},{'cat' if i % 2 else 'dog'}\n" for i in range(8))
    made = student.data.make_datasets(folder(files), file("trainLabels.csv", table), 8, val_fraction=0.25, seed=0)
    train_set, val_set, mean, std = made
    equal((len(train_set), len(val_set)), (6, 2), "the sets share out the images", "4 of each class, val_fraction 0.25")
    mean, std = (as_array(values, "mean and std", shape=(3,))[:, None, None] for values in (mean, std))
    shown = [as_array(val_set[i][0], "an image", shape=(3, 8, 8)) * std + mean for i in (0, 1, 0, 1, 0, 1, 0, 1)]
    views = [image.round(3).tolist() for image in shown]
    equal(views[2:], views[:2] * 3, "a validation image is always the same", "two images, four times each")
    held = [round(float(image[0, 0, 0]) * 255) for image in shown[:2]]
    known = set(held) <= set(greys) and len(set(held)) == 2
    require(known, "undone with mean and std, validation images are as on the disk", expected=greys, got=held)
    rest = np.array([[grey, grey + 40] for grey in greys if grey not in held]) / 255  # (6, 2)
    case = f"validation holds the images {held}; mean and std of the six others"
    assert_close(mean.ravel(), [rest.mean()] * 3, "mean", case=case, atol=1e-4)
    near = min(abs(std.ravel() - rest.std()).max(), abs(std.ravel() - rest.std() * math.sqrt(384 / 383)).max()) < 1e-4
    require(near, "std is right", expected=round(float(rest.std()), 4), got=std.ravel().round(4).tolist(), case=case)
    drawn = [as_array(train_set[0][0], "an image").round(3).tolist() for _ in range(30)]
    different = any(view != drawn[0] for view in drawn)
    require(different, "a training image is augmented anew each time", got="the same image thirty times")


@check(
    task="data",
    title="Loaders give every image; training's are shuffled anew each epoch, by the seed",
    hint="shuffle=True and a torch.Generator with the seed for training alone; leave drop_last as it is.",
)
def test_data_loaders(student):
    def sets(n: int) -> Recipe:
        return Recipe("torch.utils.data:TensorDataset", (tensor(np.zeros((n, 3, 1, 1))), tensor(np.arange(n))))

    def orders(seed: int) -> list[list[int]]:
        train_loader = student.data.make_loaders(sets(9), sets(5), 2, seed=seed)[0]
        return [[int(i) for _, labels in train_loader for i in as_array(labels, "labels")] for _ in range(2)]

    val_loader = student.data.make_loaders(sets(9), sets(5), 2, seed=0)[1]
    batches = [as_array(labels, "labels").astype(int).tolist() for _, labels in val_loader]
    equal(batches, [[0, 1], [2, 3], [4]], "validation comes in order, the last batch too", "5 images, batch_size 2")
    first, second = orders(seed=0)
    equal(sorted(first), list(range(9)), "each training image comes once an epoch", "9 images, batch_size 2")
    require(first != second, "each epoch has an order of its own", got=f"{first} in both")
    equal(orders(seed=0), [first, second], "the same seed gives the same orders", "seed 0, two epochs, twice")
    require(orders(seed=1) != [first, second], "another seed gives others", got=f"{first} with seed 0 and with seed 1")


# --- Task 2 · model.py. The network is the small ResNet with one block a layer; its images have 8×8 pixels.

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
    task="model",
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
    task="model",
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
    task="model",
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
    task="model",
    title="Frozen, only the head learns, and BatchNorm's statistics stand still",
    hint="requires_grad_(False) before the head is exchanged; Classifier.train puts frozen BatchNorm back into eval mode.",
)
def test_model_frozen(student):
    model = classifier(student)
    equal(model.training, True, "the classifier comes in training mode")
    equal(trainable(model), {"fc"}, "the head alone is trainable", "freeze=True")
    equal(moved(model), set(), "no running statistics move", "freeze=True; model.train(), then a batch")


@check(
    task="model",
    title="Not frozen, everything learns, BatchNorm too",
    hint="Only a BatchNorm2d whose weight does not require a gradient stays in eval mode.",
)
def test_model_thawed(student):
    model = classifier(student, freeze=False)
    layers = {"conv1", "bn1", "layer1", "layer2", "layer3", "fc"}
    equal(trainable(model), layers, "all layers are trainable", "freeze=False")
    equal(moved(model), layers - {"conv1", "fc"}, "all running statistics move", "freeze=False; model.train(), a batch")


@check(
    task="model",
    title="unfreeze thaws from one layer to the end, and refuses a layer that is not there",
    hint="LAYERS gives the order; hasattr says which the network has; then model.train(model.training).",
)
def test_model_unfreeze(student):
    model = classifier(student)
    student.model.unfreeze(model, "layer2")
    equal(trainable(model), {"layer2", "layer3", "fc"}, "layer2 and what follows is trainable", "from_layer='layer2'")
    equal(moved(model), {"layer2", "layer3"}, "their statistics move, and no others", "from_layer='layer2', a batch")
    with student.raises(ValueError) as raised:
        student.model.unfreeze(model, "layer4")
    text = raised[0].text
    case = "this network has no layer4"
    require("layer3" in text, "the message names the layers that there are", expected="… layer3 …", got=text, case=case)


@check(
    task="model",
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
    equal(counted(model), {0.5: head}, "a frozen backbone is in no group", case)
    student.model.unfreeze(model, "conv1")
    rest = sum(as_array(p, "a parameter").size for p in model.parameters()) - head
    equal(counted(model), {0.5: head, 0.05: rest}, "the backbone learns at a tenth of the rate", case)
    wanted = {0.5: head, 0.1: rest}
    equal(
        counted(model, backbone_lr_factor=0.2), wanted, "the factor is what it was asked to be", f"{case}; factor 0.2"
    )


# --- Task 3 · train.py. Images are black but for their first value x. The model knows two classes: its logits are
# weight · x + bias and 0, so that at weight 0 and bias 0 it gives both a half; class 0 pulls with -x/2, class 1 with x/2.

START = "weight 0, bias 0, SGD with lr 0.1, no momentum and no warm-up"
WEIGHT, BIAS = "1.0.weight", "1.0.bias"


def probe(weight: float, bias: float) -> Recipe:
    """Images (batch, 3, 2, 2) -> flat (batch, 12) -> one number each -> logits (batch, 2)."""
    flatten = Recipe("torch.nn:Flatten")
    column = Recipe("torch.nn:Unflatten", (0, (-1, 1)))
    beside_zero = Recipe("torch.nn:ConstantPad1d", ((0, 1), 0.0))
    return Recipe("torch.nn:Sequential", (flatten, linear([weight] + [0.0] * 11, bias), column, beside_zero))


def images(*values: float) -> np.ndarray:
    """(n, 3, 2, 2), black but for the first value of each."""
    pixels = np.zeros((len(values), 12))
    pixels[:, 0] = values
    return pixels.reshape(-1, 3, 2, 2)


def batches(batch_size: int, *pairs: tuple[float, int], shuffle: bool = False) -> Recipe:
    """A loader of images with a value x and a class each."""
    values, labels = zip(*pairs, strict=True)
    return loader(images(*values), np.array(labels), batch_size=batch_size, shuffle=shuffle)


def config(student, **settings: object) -> object:
    plain = {"epochs": 1, "lr": 0.1, "momentum": 0.0, "warmup_fraction": 0.0}
    return student.train.TrainConfig(**plain | settings)


def weight_and_bias(state: dict) -> list[float]:
    return [float(as_array(state[name], name).reshape(-1)[0]) for name in (WEIGHT, BIAS)]


def trained(student, train_loader: Recipe, k: int = 1, **settings: object) -> list[float]:
    """Weight and bias after training from 0, with accumulation over k batches."""
    model, own = student.make(probe(0.0, 0.0)), accelerator(gradient_accumulation_steps=k)
    student.train.train(model, train_loader, batches(1, (1.0, 0)), own, config(student, **settings))
    return weight_and_bias(model.state_dict())


@check(
    task="train",
    title="Each batch gives one step, down its own gradient of the cross-entropy",
    hint="(0.2, 0.1) is a sum, not a mean; (0, 0) lost its gradients before the step; clear them behind each step.",
)
def test_train_step(student):
    got = trained(student, batches(2, (1.0, 0), (3.0, 0)))
    assert_close(
        got, [0.1, 0.05], "(weight, bias)", case=f"one batch, x = 1 and 3, both of class 0: {START}", rtol=1e-4
    )
    got = trained(student, batches(1, (1.0, 0), (3.0, 0)))
    case = f"the same in two batches, the second at half the rate: {START}"
    assert_close(got, [0.11752, 0.07251], "(weight, bias)", case=case, atol=1e-4)


@check(
    task="train",
    title="The rate warms up and falls with every optimizer step, not with every epoch",
    hint="LambdaLR over epochs × steps an epoch, its step() behind optimizer.step(); note the rate before it changes.",
)
def test_train_schedule(student):
    model, quiet = student.make(probe(0.0, 0.0)), {"epochs": 2, "warmup_fraction": 0.25}
    rows = batches(1, (1.0, 0), (3.0, 0))
    history = student.train.train(model, rows, batches(1, (1.0, 0)), accelerator(), config(student, **quiet))
    case = "two epochs of two steps, one of warm-up, lr 0.1: rates 0 and 0.1, then 0.075 and 0.025"
    assert_close(history.lr, [0.1, 0.025], "lr, in the last step of each epoch,", case=case)
    four = batches(1, *[(1.0, 0)] * 4)
    accumulating = accelerator(gradient_accumulation_steps=2)
    model = student.make(probe(0.0, 0.0))
    history = student.train.train(model, four, batches(1, (1.0, 0)), accumulating, config(student, **quiet))
    assert_close(history.lr, [0.1, 0.025], "lr", case=f"{case}; each step accumulates two batches")


@check(
    task="train",
    title="Two accumulated batches step like one batch of both",
    hint="(0.1175, 0.0725) lacks accumulate(model); (0.2, 0.1) is loss.backward(); (0.05, 0.025) divided by hand as well.",
)
def test_train_accumulation(student):
    got = trained(student, batches(1, (1.0, 0), (3.0, 0)), k=2)
    case = f"two batches of one image, x = 1 and 3, both of class 0, accumulated: {START}"
    assert_close(got, [0.1, 0.05], "(weight, bias)", case=case, rtol=1e-4)


@check(
    task="train",
    title="What is left at the end of an epoch steps too",
    hint="accumulate() knows the loader's end, if the loader is prepared: do not count batches yourself; round steps up.",
)
def test_train_leftover(student):
    got = trained(student, batches(1, (1.0, 0), (3.0, 0), (2.0, 1)), k=2)
    case = f"x = 1 and 3 of class 0, then x = 2 of class 1, two batches a step; rates 0.1 and 0.05: {START}"
    if not np.allclose(got, [0.04378, 0.02189], atol=1e-4):  # the last window divided by the one batch that it has
        assert_close(got, [0.07189, 0.03595], "(weight, bias)", case=case, atol=1e-4)


@check(
    task="train",
    title="Gradients are clipped once a step, when all of them are there",
    hint="accelerator.clip_grad_norm_ behind backward, where accelerator.sync_gradients is true, and before step.",
)
def test_train_clipping(student):
    got = trained(student, batches(2, (1.0, 0), (3.0, 0)), max_grad_norm=0.1)
    case = f"the gradient (-1, -0.5) is clipped to a norm of 0.1: {START}"
    assert_close(got, [0.0089443, 0.0044721], "(weight, bias)", case=case, atol=1e-5)
    got = trained(student, batches(1, (1.0, 0), (3.0, 1)), k=2, max_grad_norm=0.1)
    case = f"the gradients (-0.25, -0.25) and (0.75, 0.25) of two accumulated batches make (0.5, 0): {START}"
    assert_close(got, [-0.01, 0.0], "(weight, bias)", case=case, atol=1e-5)


def watched(student, model: object, train_loader: Recipe, val_loader: Recipe, *own: dict, **settings: object) -> object:
    """The history of a training at a rate of 0: the model stays as it is."""
    settings = {"lr": 0.0, "epochs": 2} | settings
    return student.train.train(
        model, train_loader, val_loader, accelerator(**(own[0] if own else {})), config(student, **settings)
    )


@check(
    task="train",
    title="The history counts every image alike, in Python floats",
    hint="0.7667 is the mean of the batches' means: the last batch has one image only. float() or .item() for each entry.",
)
def test_train_history(student):
    rows, others = batches(2, (1.0, 0), (2.0, 0), (-1.0, 0)), batches(2, (-1.0, 0), (2.0, 0), (3.0, 1))
    history = watched(student, student.make(probe(1.0, 0.0)), rows, others)
    names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr", "seconds")
    for name in names:
        kinds = [type(value).__name__ for value in getattr(history, name)]
        equal(kinds, ["float", "float"], f"{name} is a list of floats, one an epoch", "epochs=2")
    case = "weight 1, lr 0; training x = 1, 2 | -1, all of class 0: losses 0.3133, 0.1269 | 1.3133"
    assert_close(history.train_loss, [0.584484] * 2, "train_loss", case=case, rtol=1e-4)
    assert_close(history.train_accuracy, [2 / 3] * 2, "train_accuracy", case=case, rtol=1e-4)
    case = "weight 1, lr 0; validation x = -1, 2 of class 0 | 3 of class 1: losses 1.3133, 0.1269 | 3.0486"
    assert_close(history.val_loss, [1.496259] * 2, "val_loss", case=case, rtol=1e-4)
    assert_close(history.val_accuracy, [1 / 3] * 2, "val_accuracy", case=case, rtol=1e-4)


@check(
    task="train",
    title="Labels are smoothed for training, and not for validation",
    hint="F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing), and in validate without it.",
)
def test_train_smoothing(student):
    model, rows = student.make(probe(1.0, 0.0)), batches(1, (1.0, 0))
    history = watched(student, model, rows, rows, label_smoothing=0.2)
    case = "x = 1, logits 1 and 0; losses 0.3133 for class 0, 1.3133 for class 1; label_smoothing 0.2"
    assert_close(history.train_loss, [0.9 * 0.313262 + 0.1 * 1.313262] * 2, "train_loss", case=case, rtol=1e-4)
    assert_close(history.val_loss, [0.313262] * 2, "val_loss", case=case, rtol=1e-4)


@check(
    task="train",
    title="Every epoch trains in training mode and validates in eval mode",
    hint="model.train() at the head of train_epoch, model.eval() at the head of validate: each sets what it needs.",
)
def test_train_modes(student):
    dropout = Recipe("torch.nn:Dropout", (1.0,))
    model = student.make(Recipe("torch.nn:Sequential", (dropout, probe(1.0, 0.0))))
    rows = batches(1, (1.0, 0))
    history = watched(student, model, rows, rows)
    case = "a dropout that blackens every image in training mode; logits 0 and 0 there, 1 and 0 in eval mode"
    assert_close(history.train_loss, [math.log(2)] * 2, "train_loss", case=case, rtol=1e-4)
    assert_close(history.val_loss, [0.313262] * 2, "val_loss", case=case, rtol=1e-4)


@check(
    task="train",
    title="With bf16 the model answers in bfloat16, and its weights stay float32",
    hint="A prepared model casts for itself: call what accelerator.prepare returned, and leave .half() and .bfloat16() be.",
)
def test_train_precision(student):
    fine = 1.00390625  # 1 + 1/256: bfloat16 knows 1 and 1 + 1/128, and rounds to even
    model, rows = student.make(probe(1.0, 0.0)), batches(1, (fine, 0))
    history = watched(student, model, rows, rows, {"mixed_precision": "bf16"})
    case = "x = 1.0039, which bfloat16 rounds to 1: a loss of 0.31326, where float32 has 0.31221"
    assert_close(history.train_loss, [0.313262] * 2, "train_loss", case=case, rtol=0, atol=2e-4)
    assert_close(history.val_loss, [0.313262] * 2, "val_loss", case=case, rtol=0, atol=2e-4)
    dtypes = {str(value.dtype).removeprefix("torch.") for value in model.state_dict().values()}
    equal(dtypes, {"float32"}, "the weights are float32", "mixed_precision='bf16'")


@check(
    task="train",
    title="The model ends with the weights of its best epoch, among equals of the first",
    hint="Clone the state dict where val_accuracy is larger than all before; state_dict() alone changes with the model.",
)
def test_train_best(student):
    cases = {0.6: ([1.0, 0.0], [0.56136, -0.43864]), 0.06: ([1.0, 1.0], [0.95614, -0.04386])}
    for lr, (accuracies, wanted) in cases.items():
        model, settings = student.make(probe(1.0, 0.0)), config(student, epochs=2, lr=lr)
        rows, right = batches(1, (1.0, 1)), batches(1, (1.0, 0))
        history = student.train.train(model, rows, right, accelerator(), settings)
        case = f"x = 1 is of class 1 in training and of class 0 in validation; weight 1, bias 0, lr {lr}"
        assert_close(history.val_accuracy, accuracies, "val_accuracy", case=case)
        got = weight_and_bias(model.state_dict())
        assert_close(got, wanted, "(weight, bias), as after the first epoch,", case=case, atol=1e-4)


@check(
    task="train",
    title="Four epochs are four epochs, stopped after two or not",
    hint="A checkpoint holds model, optimizer, schedule, history and best weights; each epoch's order follows its number.",
)
def test_train_resume(student):
    there = student.make(folder({}))
    pairs = [(1.0, 0), (3.0, 0), (2.0, 1), (-1.0, 1), (-2.0, 0)]

    def run(**settings: object) -> tuple[dict, list[float]]:
        model, rows = student.make(probe(0.0, 0.0)), batches(1, *pairs, shuffle=True)
        own = config(student, epochs=4, momentum=0.9, warmup_fraction=0.25, **settings)
        history = student.train.train(model, rows, batches(2, *pairs), accelerator(), own)
        told = {name: getattr(history, name) for name in ("train_loss", "val_loss", "val_accuracy", "lr")}
        return told, weight_and_bias(model.state_dict())

    whole, weights = run(checkpoint_dir=there)
    again, resumed = run(resume_from=Recipe("os.path:join", (there, "epoch_2")))
    case = "epochs 3 and 4 behind the checkpoint epoch_2, with momentum and shuffled images"
    for name, values in whole.items():
        assert_close(again[name], values, f"{name}, all four epochs,", case=case, rtol=1e-4)
    assert_close(resumed, weights, "(weight, bias)", case=case, rtol=1e-4)


@on_linux
@check(
    task="train",
    title="Two processes step like one with both images, and tell the same history",
    hint="(0.1175, 0.0725): the loader is not the prepared one; a loss of one process alone: gather_for_metrics.",
)
def test_train_processes(student):
    rows, val_rows = batches(1, (1.0, 0), (3.0, 0)), batches(1, (1.0, 0), (1.0, 1))
    own = config(student)
    results = student.on(processes=2).train.train(probe(0.0, 0.0), rows, val_rows, accelerator(), own)
    case = f"one image on each of two processes, x = 1 and 3, both of class 0: {START}"
    assert_close(weight_and_bias(results.modules[0][0]), [0.1, 0.05], "(weight, bias)", case=case, rtol=1e-4)
    for rank, history in enumerate(results.values):
        require(isinstance(history, dict), "train returns its History on every process", got=type(history).__name__)
        case = f"validation x = 1 of class 0 and of class 1: logits 0.15 and 0; process {rank} of 2"
        assert_close(history["train_loss"], [math.log(2)], "train_loss", rtol=1e-4)
        assert_close(history["val_loss"], [0.695957], "val_loss", case=case, rtol=1e-4)
        assert_close(history["val_accuracy"], [0.5], "val_accuracy", case=case)


@check(
    task="train",
    title="save_model writes the model's own weights, as safetensors",
    hint="accelerator.unwrap_model(model).state_dict(), made contiguous; Path(path).parent.mkdir(parents=True, …).",
)
def test_train_save(student):
    model = student.make(probe(0.5, -1.0))
    path = student.make(Recipe("os.path:join", (folder({}), "new", "model.safetensors")))
    student.train.save_model(model, accelerator(), path)
    read = student.ask("load_file", lambda remote: remote.call("safetensors.torch", ["load_file"], [path], {}))
    wanted = {WEIGHT: [[0.5] + [0.0] * 11], BIAS: [-1.0]}
    assert_close(read, wanted, "what is in the file", case="weight 0.5, bias -1; a file in a folder that is not there")


# --- Task 4 · evaluate.py

TRUE, PREDICTED = [0, 0, 0, 2, 2], [0, 0, 2, 2, 0]
FIVE = [(0.0, 0), (1.0, 1), (2.0, 0), (3.0, 1), (4.0, 0)]


@check(
    task="evaluate",
    title="accuracy is the part that is right, of lists, arrays and tensors alike",
    hint="float((y_true == y_pred).mean()), of what as_labels made of them.",
)
def test_evaluate_accuracy(student):
    case = f"true {TRUE}, predicted {PREDICTED}"
    for kind in (list, np.array, torch.tensor):
        got = student.evaluate.accuracy(kind(TRUE), kind(PREDICTED))
        equal(type(got).__name__, "float", "accuracy is a Python float", case)
        assert_close(got, 0.6, "accuracy", case=case)


@check(
    task="evaluate",
    title="Numbers of classes that do not match are refused, and so is a class out of range",
    hint="Compare the lengths before the values: NumPy would stretch one label over all of the others.",
)
def test_evaluate_refusals(student):
    for y_true, y_pred in (([0, 1, 1], [1]), ([], [])):
        with student.raises(ValueError):
            student.evaluate.accuracy(y_true, y_pred)
    for y_true, y_pred in (([0, 1, 1], [1]), ([0, 1], [0, 3]), ([0, -1], [0, 1])):
        with student.raises(ValueError):
            student.evaluate.confusion_matrix(y_true, y_pred, 3)


@check(
    task="evaluate",
    title="The confusion matrix has true classes in its rows, and a place for every class",
    hint="np.zeros((num_classes, num_classes), dtype='int64') and np.add.at(matrix, (y_true, y_pred), 1).",
)
def test_evaluate_confusion(student):
    cm = student.evaluate.confusion_matrix(TRUE, PREDICTED, 3)
    case = f"true {TRUE}, predicted {PREDICTED}, three classes"
    assert_close(cm, [[2, 0, 1], [0, 0, 0], [1, 0, 1]], "the matrix", case=case)
    cm = student.evaluate.confusion_matrix([0, 0, 1], [1, 1, 1], 2)
    assert_close(cm, [[0, 2], [0, 1]], "the matrix", case="true [0, 0, 1], predicted [1, 1, 1]")
    equal(str(cm.dtype).removeprefix("torch."), "int64", "the matrix is int64")


@check(
    task="evaluate",
    title="per_class_accuracy divides by the true class's images; without images it is NaN",
    hint="The diagonal over the rows' sums. Where a sum is 0 there is nothing to know: NaN, not 0.",
)
def test_evaluate_classes(student):
    got = student.evaluate.per_class_accuracy(np.array([[2, 0, 2], [0, 0, 0], [3, 0, 1]]))
    assert_close(got, [0.5, np.nan, 0.25], "per_class_accuracy", case="rows 2 0 2, 0 0 0, 3 0 1")


def five_logits() -> list[list[float]]:
    """What the probe with weight 1 and bias -1.5 says of five images x = 0 … 4."""
    return [[x - 1.5, 0.0] for x, _ in FIVE]


@check(
    task="evaluate",
    title="predict answers every image once, in order, in eval mode, and puts the mode back",
    hint="model.eval() and torch.no_grad() around the loop, torch.cat behind it, model.train(was_training) at the end.",
)
def test_evaluate_predict(student):
    dropout = Recipe("torch.nn:Dropout", (0.5,))
    model = student.make(Recipe("torch.nn:Sequential", (dropout, probe(1.0, -1.5))))
    for mode in (True, False):
        model.train(mode)
        y_true, logits = student.evaluate.predict(model, batches(2, *FIVE), accelerator())
        case = "logits x - 1.5 and 0 for x = 0 … 4 in batches of 2, behind a dropout that eval mode turns off"
        assert_close(logits, five_logits(), "the logits", case=case)
        assert_close(y_true, [0, 1, 0, 1, 0], "y_true", case=case)
        kinds = [f"{type(part).__name__} {part.dtype}" for part in (y_true, logits)]
        equal(kinds, ["ndarray int64", "ndarray float32"], "predict returns NumPy arrays")
        equal(model.training, mode, "the model is in the mode in which it came", f"training={mode}")


@on_linux
@check(
    task="evaluate",
    title="predict gives each image once on two processes, and all of them on both",
    hint="gather_for_metrics drops the images that were repeated to even the processes out; gather keeps them.",
)
def test_evaluate_processes(student):
    results = student.on(processes=2).evaluate.predict(probe(1.0, -1.5), batches(2, *FIVE), accelerator())
    for rank, (y_true, logits) in enumerate(results.values):
        case = f"logits x - 1.5 and 0 for x = 0 … 4 in batches of 2, process {rank} of 2"
        assert_close(logits, five_logits(), "the logits", case=case)
        assert_close(y_true, [0, 1, 0, 1, 0], "y_true", case=case)


@check(
    task="evaluate",
    title="evaluate gives loss, accuracy and confusion of all images together",
    hint="0.7980 is the mean of the batches' means: take it of all logits at once; argmax(axis=1) predicts the class.",
)
def test_evaluate_measures(student):
    model = student.make(probe(1.0, -0.5))
    got = student.evaluate.evaluate(model, batches(2, *FIVE), accelerator())
    case = "logits x - 0.5 and 0 for x = 0 … 4 of classes 0, 1, 0, 1, 0; predicted 1, 0, 0, 0, 0"
    assert_close(got.loss, 0.951641, "loss", case=case, rtol=1e-4)
    assert_close(got.accuracy, 0.4, "accuracy", case=case)
    assert_close(got.confusion, [[2, 1], [2, 0]], "confusion", case=case)


# --- Task 5 · visualize.py

COURSE = {"train_loss": [0.9, 0.5], "val_loss": [0.8, 0.7], "train_accuracy": [0.4, 0.75], "val_accuracy": [0.45, 0.6]}


@check(
    task="visualize",
    title="plot_history draws training and validation over the epochs 1, 2, …",
    hint="On axes[0] both losses, on axes[1] both accuracies: axis.plot(range(1, n + 1), values, label=…), axis.legend().",
)
def test_visualize_history(student):
    history = Recipe("types:SimpleNamespace", (), COURSE | {"lr": [0.1, 0.1], "seconds": [1.0, 1.0]})
    figure = as_figure(student.visualize.plot_history(history), "plot_history's result", axes=2)
    measures = ("loss", "accuracy")
    for axis, measure in zip([axis for axis in figure.axes if axis.has_data], measures, strict=False):
        drawn = [line.values.tolist() for line in axis.lines]
        for part in ("train", "val"):
            wanted = [[epoch, value] for epoch, value in enumerate(COURSE[f"{part}_{measure}"], start=1)]
            got = [line for line in drawn if np.allclose(line, wanted, atol=1e-6)] if drawn else []
            require(bool(got), f"{part}_{measure} is a line over the epochs", expected=wanted, got=drawn)
        words = {"legend": axis.legend, "x label": axis.xlabel, "y label": axis.ylabel}
        require(len(axis.legend) >= 2, f"a legend tells the lines of {measure} apart", expected="2 names", got=words)
        require(bool(axis.xlabel and axis.ylabel), f"both axes of {measure} are labelled", got=words)


CM = np.array([[3, 1], [0, 2]])


def shown_confusion(student, cm: np.ndarray, names: list[str], **settings: bool) -> tuple[object, np.ndarray]:
    """(the axis with the image, the image with a row for each true class)."""
    figure = as_figure(student.visualize.plot_confusion_matrix(cm, names, **settings), "the result", axes=1)
    pictures = [axis for axis in figure.axes if axis.images]
    require(bool(pictures), "the matrix is drawn as an image", got="no axis with an image")
    axis = next((axis for axis in pictures if axis.images[0].values.shape == cm.shape), pictures[0])
    across = [word in axis.xlabel.lower() for word in ("true", "actual")]
    image = axis.images[0].values
    return axis, image.T if any(across) else image


@check(
    task="visualize",
    title="plot_confusion_matrix shows the matrix the right way round, named along both sides",
    hint="imshow puts rows down the y axis: set_ylabel('true class'), set_xlabel('predicted class'), ticks with names.",
)
def test_visualize_confusion(student):
    axis, image = shown_confusion(student, CM, ["cat", "dog"])
    sides = [axis.xlabel.lower(), axis.ylabel.lower()]
    told = any("true" in side or "actual" in side for side in sides) and any("predict" in side for side in sides)
    require(told, "axis labels say which side is the true one", expected="true …, predicted …", got=sides)
    case = "three cats right, one cat taken for a dog, two dogs right"
    same(image, CM, "the image has a row for each true class", case)
    for side, ticks in zip("xy", axis.ticks, strict=True):
        equal([tick for tick in ticks if tick], ["cat", "dog"], f"the names stand along the {side} axis", case)
    written = " ".join(axis.texts)
    require(all(n in written for n in "0123"), "the numbers are written into it", expected="3 1 0 2", got=written)


@check(
    task="visualize",
    title="Normalised, each true class adds up to 1; one without images is all 0",
    hint="cm / cm.sum(axis=1, keepdims=True), with a sum of 0 replaced by 1.",
)
def test_visualize_normalised(student):
    cm = np.array([[3, 1, 0], [1, 1, 0], [0, 0, 0]])
    _, image = shown_confusion(student, cm, ["cat", "dog", "frog"], normalize=True)
    wanted = [[0.75, 0.25, 0], [0.5, 0.5, 0], [0, 0, 0]]
    same(image, wanted, "each place is divided by its true class's sum", "rows 3 1 0, 1 1 0, 0 0 0")


@check(
    task="visualize",
    title="plot_predictions shows images as they were before normalising, and names the answers",
    hint="images * std + mean, then permute(0, 2, 3, 1); the title has the predicted name, and if wrong the true one too.",
)
def test_visualize_predictions(student):
    mean, std = [0.5, 0.4, 0.2], [0.5, 0.2, 0.1]
    colours = np.array([[1.0, 0.0, 0.2], [0.25, 0.4, 0.3]])  # (2, 3)
    pixels = np.broadcast_to(colours[:, None, None, :], (2, 2, 2, 3)).copy()  # (n, h, w, 3)
    pixels[:, 0, 1] = [0.0, 0.8, 0.1]  # upper right corner of both
    seen = ((pixels - mean) / std).transpose(0, 3, 1, 2)  # (n, 3, h, w)
    made = student.visualize.plot_predictions(tensor(seen), [0, 1], [0, 2], ["cat", "dog", "frog"], mean, std)
    axes = [axis for axis in as_figure(made, "plot_predictions' result", axes=2).axes if axis.images]
    for axis, image in zip(axes, pixels, strict=True):
        got = axis.images[0].values
        got = got / 255 if got.max() > 1 else got
        assert_close(got, image, "the image shown", case="two images of 2×2 pixels", atol=5e-3)
    titles = [axis.title for axis in axes]
    case = "a cat taken for a cat, a dog taken for a frog"
    require("cat" in titles[0] and "frog" in titles[1], "titles name the predicted class", got=titles, case=case)
    require("dog" in titles[1], "a wrong answer's title names the true class as well", got=titles, case=case)


# --- Bonus · bonus.py. Task 4 is played by stand-ins, so that it cannot fail these checks.


def answered(model, loader, accelerator):
    """`predict`, as simple as it can be."""
    pairs = list(loader)
    logits = torch.cat([model(batch).detach() for batch, _ in pairs])  # (n, classes)
    return torch.cat([labels for _, labels in pairs]).numpy(), logits.float().numpy()


def part_right(y_true, y_pred) -> float:
    """`accuracy`, as simple as it can be."""
    return float(np.mean(np.asarray(y_true) == np.asarray(y_pred)))


@pytest.fixture
def stand_ins(student, monkeypatch) -> None:
    """Puts stand-ins in the place of task 4's functions, there and where the bonus has imported them."""
    evaluate, bonus = (imported(student, module) for module in ("evaluate", "bonus"))
    for name, plain in {"predict": answered, "accuracy": part_right}.items():
        own = getattr(evaluate, name, None)
        for place in (evaluate, bonus):
            if own is not None and getattr(place, name, None) is own:
                monkeypatch.setattr(place, name, plain)


def imported(student, module: str) -> ModuleType:
    """A task's file as a module, imported in the way of any check's first question."""
    try:
        getattr(student, module).a_name_that_no_file_has()
    except StudentError:
        if module not in sys.modules:
            raise
    return sys.modules[module]


def generator(student, seed: int) -> object:
    made = student.make(Recipe("torch:Generator"))
    made.manual_seed(seed)
    return made


HALVES = np.tile([10] * 4 + [200] * 4, (3, 8, 1))  # (3, 8, 8)


def views_under(student, policy: str) -> np.ndarray:
    """Thirty views (30, 3, 8, 8) of an image whose left half is 10 and whose right half is 200."""
    transform = student.bonus.augmentation(policy)
    halves = Recipe("torch:from_numpy", (HALVES.astype("uint8"),))
    return np.stack([as_array(transform(halves), "the image", shape=HALVES.shape, case=policy) for _ in range(30)])


@check(
    task="bonus",
    title="The standard policy moves an image before a black border, and mirrors every second one",
    hint="v2.Compose([PadCrop(4), v2.RandomHorizontalFlip()])",
)
def test_bonus_standard(student):
    views = views_under(student, "standard")
    case = "standard, thirty times an image with a left half of 10 and a right half of 200"
    levels = sorted({int(value) for value in views.ravel()})
    equal(levels, [0, 10, 200], "the border is black (0), and nothing else is new", case)
    rows = [view[0, 4][view[0, 4] > 0].tolist() for view in views]  # without the border
    mirrored = sum(row[:1] == [200] and row[-1:] == [10] for row in rows)
    require(0 < mirrored < 30, "some images are mirrored, not all", got=f"{mirrored} of 30", case=case)


@check(
    task="bonus",
    title="The policy none changes nothing, trivial_augment does, and others are refused",
    hint="v2.Identity and v2.TrivialAugmentWide; a ValueError that names the policies there are.",
)
def test_bonus_policies(student):
    for policy, rule in (("none", "no image changes"), ("trivial_augment", "some images change")):
        changed = sum(not np.array_equal(view, HALVES) for view in views_under(student, policy))
        require((changed > 0) == (policy != "none"), rule, got=f"{changed} of 30 changed", case=policy)
    with student.raises(ValueError) as raised:
        student.bonus.augmentation("strong")
    text = raised[0].text
    require("trivial_augment" in text, "the message names the policies", expected="… trivial_augment …", got=text)


@check(
    task="bonus",
    title="mixup mixes images and targets by one weight and one order, drawn from the generator",
    hint="Draw λ and torch.randperm(n) once, and use both for images and targets; alpha 0 mixes nothing.",
)
def test_bonus_mixup(student):
    def mixed(seed: int, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        batch = (tensor(np.eye(6).reshape(6, 1, 2, 3)), tensor(np.eye(6)))
        parts = student.bonus.mixup(batch, alpha, generator(student, seed))
        shapes = ((6, 1, 2, 3), (6, 6))
        first, second = (as_array(part, "a part", shape=shape) for part, shape in zip(parts, shapes, strict=True))
        return first.reshape(6, 6), second

    case = "six images, in each another pixel is 1; the target is written like its image: 1 0 0 0 0 0, …"
    weights = []
    for seed in range(4):
        pixels, targets = mixed(seed, 1.0)
        assert_close(targets, pixels, "targets, mixed as their images are,", case=case)
        assert_close(targets.sum(axis=1), [1.0] * 6, "a target's sum", case=case)
        own = np.diag(targets)
        weight = float(own.min())  # where an image meets itself, nothing changes
        near = bool((np.isclose(own, weight, atol=1e-5) | np.isclose(own, 1, atol=1e-5)).all())
        require(near, "one weight serves the whole batch", got=own.round(4).tolist(), case=case)
        same(mixed(seed, 1.0)[1], targets, "the same generator mixes the same way", f"seed {seed}, twice")
        weights.append(round(weight, 4))
    require(len(set(weights)) > 1, "the weight is drawn anew", got=weights, case="four seeds, alpha 1")
    same(mixed(0, 0.0)[0], np.eye(6), "alpha 0 mixes nothing", case)


@check(
    task="bonus",
    title="Each corruption does what its strength says, and stays between black and white",
    hint="STRENGTHS[name][severity - 1]; contrast keeps each image's own mean; clamp(0, 1) at the end.",
)
def test_bonus_corruptions(student):
    def corrupted(name: str, severity: int, pixels: np.ndarray, seed: int = 0) -> np.ndarray:
        got = student.bonus.corrupt(tensor(pixels), name, severity, generator(student, seed))
        return as_array(got, f"the image under {name}", shape=pixels.shape)

    halves = np.full((1, 3, 16, 16), 0.2)
    halves[..., 8:] = 0.8
    case = "one half 0.2, the other 0.8"
    assert_close(
        corrupted("brightness", 3, halves), np.minimum(halves + 0.3, 1), "brightness at 3", case=case, atol=1e-4
    )
    both = np.concatenate([halves, halves * 0.5])
    wanted = np.concatenate([0.5 + (halves - 0.5) / 2, 0.25 + (halves * 0.5 - 0.25) / 2])
    assert_close(
        corrupted("contrast", 2, both), wanted, "contrast at 2", case=f"{case}; and the same half as bright", atol=1e-4
    )
    noisy = corrupted("noise", 2, np.full((4, 3, 16, 16), 0.5))
    near = bool(0.07 < noisy.std() < 0.09)
    require(
        near, "noise at 2 has its deviation", expected="about 0.08", got=f"{noisy.std():.3f}", case="3072 times 0.5"
    )
    again = corrupted("noise", 2, np.full((4, 3, 16, 16), 0.5))
    require(np.array_equal(noisy, again), "the same generator gives the same noise", got="another noise, twice seed 0")
    spot = np.zeros((1, 3, 16, 16))
    spot[..., 8, 8] = 1.0
    peaks = [float(corrupted("blur", severity, spot).max()) for severity in (1, 3, 5)]
    require(peaks[0] > peaks[1] > peaks[2], "blur spreads the more, the severer", got=peaks, case="one white pixel")
    total = float(corrupted("blur", 5, spot).sum())
    assert_close(total, 3.0, "the light that a blur spreads", case="one white pixel in three channels", atol=1e-3)


def grey_images() -> list:
    """Two grey images of class 1, at 0.25 and 0.05."""
    return [(tensor(np.full((3, 8, 8), grey)), 1) for grey in (0.25, 0.05)]


def brighter_than(level: float) -> Recipe:
    """A model that says 0 of what is brighter than `level` on average, else 1."""
    column = Recipe("torch.nn:Unflatten", (0, (-1, 1)))
    beside_zero = Recipe("torch.nn:ConstantPad1d", ((0, 1), 0.0))
    flat = (Recipe("torch.nn:Flatten"), linear([1 / 192] * 192, -level), column, beside_zero)
    return Recipe("torch.nn:Sequential", flat)


@check(
    task="bonus",
    title="robustness has a row for each corruption and a column for each severity",
    hint="pd.DataFrame.from_dict(rows, orient='index', columns=[1, 2, 3, 4, 5]); always corrupt the clean images.",
)
def test_bonus_robustness(student, stand_ins):
    model = student.make(brighter_than(0.5))
    table = student.bonus.robustness(model, grey_images(), ["contrast", "brightness"], accelerator())
    table = as_frame(table, "robustness' result")
    equal(list(map(str, table.index)), ["contrast", "brightness"], "rows are named as the corruptions")
    equal([int(column) for column in table.columns], [1, 2, 3, 4, 5], "columns are the severities")
    case = "grey images of 0.25 and 0.05; the model is right up to 0.5; brightness adds 0.1 … 0.5"
    assert_close(table.loc["brightness"], [1, 1, 0.5, 0.5, 0], "brightness", case=case)
    assert_close(
        table.loc["contrast"], [1, 1, 1, 1, 1], "contrast", case="images that are grey all over stay as they are"
    )


@check(
    task="bonus",
    title="Images are normalised after they were corrupted",
    hint="corrupt works between 0 and 1; normalize(disturbed) comes behind it.",
)
def test_bonus_normalised(student, stand_ins):
    normalize = Recipe("torchvision.transforms.v2:Normalize", ([0.5] * 3, [0.5] * 3))
    model = student.make(brighter_than(0.0))
    table = student.bonus.robustness(model, grey_images(), ["brightness"], accelerator(), normalize=normalize)
    case = "as before; the model is right up to 0, which is 0.5 before normalising with mean and std 0.5"
    assert_close(as_frame(table, "the table").loc["brightness"], [1, 1, 0.5, 0.5, 0], "brightness", case=case)


@check(
    task="bonus",
    title="plot_robustness draws a line for each corruption over the severities",
    hint="axis.plot(results.columns, accuracies, label=name) for each row; a title, both labels and a legend.",
)
def test_bonus_plot(student):
    rows = {"noise": [0.9, 0.8, 0.7, 0.6, 0.5], "blur": [0.8, 0.75, 0.7, 0.65, 0.3]}
    results = pd.DataFrame.from_dict(rows, orient="index", columns=[1, 2, 3, 4, 5])
    figure = as_figure(student.bonus.plot_robustness(results), "plot_robustness' result", axes=1)
    axis = next(axis for axis in figure.axes if axis.has_data)
    drawn = [line.values for line in axis.lines]
    for name, values in rows.items():
        wanted = np.column_stack([[1, 2, 3, 4, 5], values])
        found = any(line.shape == wanted.shape and np.allclose(line, wanted) for line in drawn)
        require(found, f"{name} is a line", expected=wanted.tolist(), got=[line.tolist() for line in drawn])
        require(name in axis.legend, "the legend names the corruptions", expected=name, got=axis.legend)
    words = [figure.title or axis.title, axis.xlabel, axis.ylabel]
    require(all(words), "there are a title and two labels", got=words)
