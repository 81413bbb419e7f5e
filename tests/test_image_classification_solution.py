"""Tasks 1 and 2 of project 2's reference solution, against NumPy, scikit-learn and torchvision."""

from pathlib import Path

import image_classification_solved as shared
import numpy as np
import pytest
import torch
from accelerate.utils import set_seed
from PIL import Image
from safetensors.torch import save_file
from sklearn.model_selection import StratifiedShuffleSplit
from torch import nn
from torch.utils.data import TensorDataset
from torchvision.models import resnet18

solved, accelerator, close_figures = shared.solved, shared.accelerator, shared.close_figures

RNG = np.random.default_rng(0)
PIXELS = {
    "10": RNG.integers(0, 256, (4, 4, 3), dtype="uint8"),
    "2": RNG.integers(0, 256, (6, 4, 3), dtype="uint8"),
    "1": RNG.integers(0, 256, (4, 8, 3), dtype="uint8"),
}


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three images of different sizes, listed in an order that is neither the numbers' nor the names'."""
    for name, pixels in PIXELS.items():
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    (tmp_path / "labels.csv").write_text("id,label\n10,wren\n2,auk\n1,wren\n")
    return tmp_path


class Pairs(torch.utils.data.Dataset):
    """(image, label) pairs out of lists."""

    def __init__(self, images: list, labels: list[int]) -> None:
        self.pairs = list(zip(images, labels, strict=True))

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, i: int) -> tuple:
        return self.pairs[i]


# Task 1 ---------------------------------------------------------------------------------------------------------------


def test_the_table_gives_order_labels_and_colours(solved, folder):
    dataset = solved.data.ImageFolderCSV(folder, folder / "labels.csv")
    assert (len(dataset), dataset.classes, dataset.labels) == (3, ["auk", "wren"], [1, 0, 1])
    for i, pixels in enumerate(PIXELS.values()):
        image, label = dataset[i]
        np.testing.assert_array_equal(np.asarray(image), pixels)
        assert (type(label), label) == (int, dataset.labels[i])
    sizes = solved.data.ImageFolderCSV(folder, folder / "labels.csv", transform=lambda image: image.size)
    assert [sizes[i][0] for i in range(3)] == [(4, 4), (4, 6), (8, 4)]


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_every_image_becomes_rgb(solved, folder, mode):
    Image.fromarray(PIXELS["2"]).convert(mode).save(folder / "2.png")
    image, _ = solved.data.ImageFolderCSV(folder, folder / "labels.csv")[1]
    assert (image.mode, np.asarray(image).shape) == ("RGB", (6, 4, 3))


def test_a_missing_image_is_named_when_it_is_asked_for(solved, folder):
    (folder / "2.png").unlink()
    dataset = solved.data.ImageFolderCSV(folder, folder / "labels.csv")
    assert dataset[2][1] == 1
    with pytest.raises(FileNotFoundError, match=r"2\.png"):
        dataset[1]
    (folder / "labels.csv").write_text("id,name\n10,wren\n")
    with pytest.raises(ValueError, match="label"):
        solved.data.ImageFolderCSV(folder, folder / "labels.csv")


def test_statistics_against_numpy_over_all_pixels(solved, folder):
    dataset = solved.data.ImageFolderCSV(folder, folder / "labels.csv")
    pixels = np.concatenate([image.reshape(-1, 3) for image in PIXELS.values()]) / 255
    for images in (
        dataset,
        Pairs([torch.from_numpy(image).permute(2, 0, 1) for image in PIXELS.values()], [0] * 3),
        Pairs([torch.from_numpy(image).permute(2, 0, 1) / 255 for image in PIXELS.values()], [0] * 3),
    ):
        mean, std = solved.data.channel_stats(images)
        np.testing.assert_allclose(mean, pixels.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(std, pixels.std(axis=0), atol=1e-6)
        assert {type(value) for value in mean + std} == {float}
    mean, std = solved.data.channel_stats(Pairs([Image.new("RGB", (5, 5), (255, 0, 51))], [0]))
    assert (mean, std) == (pytest.approx([1, 0, 0.2]), pytest.approx([0, 0, 0], abs=1e-6))


def test_evaluation_scales_permutes_and_normalises_once(solved):
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
    transform = solved.data.build_transforms(4, mean, std, train=False)
    expected = ((PIXELS["10"] / 255 - mean) / std).transpose(2, 0, 1)
    for _ in range(2):
        tensor = transform(Image.fromarray(PIXELS["10"]))
        assert (type(tensor), tensor.dtype) == (torch.Tensor, torch.float32)
        np.testing.assert_allclose(tensor, expected, atol=1e-5)
    halves = np.zeros((8, 40, 3), dtype="uint8")  # wide: what a crop of its middle would lose is at its ends
    halves[:, 20:] = 255
    squeezed = solved.data.build_transforms(4, [0] * 3, [1] * 3, train=False)(Image.fromarray(halves))
    assert squeezed.shape == (3, 4, 4)
    np.testing.assert_allclose(squeezed[:, :, 0], 0, atol=0.05)
    np.testing.assert_allclose(squeezed[:, :, 3], 1, atol=0.05)


def test_augmentation_moves_or_mirrors_and_keeps_each_colour(solved):
    set_seed(0)
    image = Image.fromarray(RNG.integers(0, 256, (16, 16, 3), dtype="uint8"))
    known = {tuple(colour) for colour in np.asarray(image).reshape(-1, 3)}
    transform = solved.data.build_transforms(16, [0] * 3, [1] * 3, train=True)
    seen = [transform(image) for _ in range(20)]
    assert len({tensor.numpy().tobytes() for tensor in seen}) > 10
    for tensor in seen:
        assert tensor.shape == (3, 16, 16)
        drawn = (tensor * 255).round().byte().permute(1, 2, 0).reshape(-1, 3).numpy()
        assert {tuple(colour) for colour in drawn} <= known


@pytest.mark.parametrize("val_fraction", [0.2, 0.34])
def test_split_shares_out_each_class_as_scikit_learn_does(solved, val_fraction):
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    RNG.shuffle(labels)
    train_idx, val_idx = solved.data.stratified_split(labels.tolist(), val_fraction, seed=3)
    assert sorted(train_idx + val_idx) == list(range(100))
    _, theirs = next(StratifiedShuffleSplit(1, test_size=val_fraction).split(labels, labels))
    np.testing.assert_array_equal(np.bincount(labels[val_idx]), np.bincount(labels[theirs]))
    assert solved.data.stratified_split(labels.tolist(), val_fraction, seed=3) == (train_idx, val_idx)
    assert solved.data.stratified_split(labels.tolist(), val_fraction, seed=4) != (train_idx, val_idx)


def test_datasets_learn_from_training_images_and_augment_only_those(solved, tmp_path):
    pixels = RNG.integers(0, 256, (20, 8, 8, 3), dtype="uint8")
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    rows = [f"{i},{'ab'[i % 2]}\n" for i in range(20)]
    (tmp_path / "labels.csv").write_text("".join(["id,label\n", *rows]))
    train_set, val_set, mean, std = solved.data.make_datasets(
        tmp_path, tmp_path / "labels.csv", 8, val_fraction=0.3, seed=1
    )
    train_idx, val_idx = solved.data.stratified_split([i % 2 for i in range(20)], 0.3, seed=1)
    np.testing.assert_allclose(mean, pixels[train_idx].mean(axis=(0, 1, 2)) / 255, atol=1e-6)
    np.testing.assert_allclose(std, pixels[train_idx].std(axis=(0, 1, 2)) / 255, atol=1e-6)
    assert (len(train_set), len(val_set)) == (14, 6)
    for place, i in enumerate(val_idx):
        expected = (pixels[i] / 255 - mean) / std
        image, label = val_set[place]
        np.testing.assert_allclose(image.permute(1, 2, 0), expected, atol=1e-5)
        assert label == i % 2
    assert any(not torch.equal(train_set[0][0], train_set[0][0]) for _ in range(10))


def test_loaders_drop_nothing_and_shuffle_training_alone(solved):
    dataset = TensorDataset(torch.arange(11.0), torch.arange(11))
    orders = []
    for seed in (1, 1, 2):
        train_loader, val_loader = solved.data.make_loaders(dataset, dataset, 4, seed=seed)
        assert [len(y) for _, y in train_loader] == [4, 4, 3]  # an epoch of its own
        orders.append([[int(i) for _, y in train_loader for i in y] for _ in range(2)])
        assert [int(i) for _, y in val_loader for i in y] == list(range(11))
    assert orders[0] == orders[1] != orders[2]
    assert orders[0][0] != orders[0][1]
    assert sorted(orders[0][0]) == list(range(11))


# Task 2 ---------------------------------------------------------------------------------------------------------------


def same_state(left: dict, right: dict) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize(("name", "head"), [("resnet18", 7), ("cifar_resnet8", 5)])
def test_weights_from_a_file_are_all_of_them(solved, tmp_path, suffix, name, head):
    torch.manual_seed(1)
    theirs = resnet18(num_classes=head) if name == "resnet18" else solved.model.CifarResNet(1, head)
    path = tmp_path / f"weights{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(theirs.state_dict(), path)
    loaded = solved.model.load_backbone(name, path)
    assert same_state(loaded.state_dict(), theirs.state_dict())
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(loaded.eval()(x), theirs.eval()(x))


def test_published_weights_are_asked_of_torchvision(solved, monkeypatch):
    asked, state, download = [], resnet18().state_dict(), "torchvision.models._api.load_state_dict_from_url"
    monkeypatch.setattr(download, lambda url, **_: asked.append(url) or dict(state))
    assert same_state(solved.model.load_backbone().state_dict(), state)
    assert "resnet18" in asked[0]
    assert not same_state(solved.model.load_backbone("resnet18", None).state_dict(), state)
    assert len(asked) == 1


UNFIT = {  # what is wrong with the file: (what becomes of a fitting state dict, what the message has to name)
    "other names": (lambda s: {k if k == "fc.bias" else f"module.{k}": v for k, v in s.items()}, "conv1.weight"),
    "another shape": (lambda s: s | {"conv1.weight": torch.zeros(16, 3, 5, 5)}, "conv1.weight"),
    "one less": (lambda s: {k: s[k] for k in s if k != "layer2.0.bn1.running_mean"}, "layer2.0.bn1.running_mean"),
    "one more": (lambda s: s | {"layer9.weight": torch.zeros(1)}, "layer9"),
    "no head": (lambda s: {k: s[k] for k in s if k != "fc.bias"}, "fc.bias"),
}


@pytest.mark.parametrize("wrong", UNFIT)
def test_weights_that_do_not_fit_are_refused_by_name(solved, tmp_path, wrong):
    spoil, named = UNFIT[wrong]
    path = tmp_path / "other.safetensors"
    save_file(spoil(solved.model.CifarResNet(1).state_dict()), path)
    with pytest.raises(ValueError, match="cifar_resnet8") as caught:
        solved.model.load_backbone("cifar_resnet8", path)
    assert named in str(caught.value)
    assert str(path) in str(caught.value)


class Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.mkdir, (self.path,)


def test_a_file_is_missed_by_name_and_its_code_never_runs(solved, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.pt"):
        solved.model.load_backbone("cifar_resnet8", tmp_path / "absent.pt")
    state = solved.model.CifarResNet(1).state_dict()
    torch.save(state | {"trap": Trap(tmp_path / "sprung")}, tmp_path / "trap.pt")
    with pytest.raises(Exception, match=r"[Ww]eights"):
        solved.model.load_backbone("cifar_resnet8", tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(("name", "width"), [("cifar_resnet8", 64), ("resnet18", 512), ("resnet50", 2048)])
def test_a_head_of_raw_logits_on_every_resnet(solved, name, width):
    torch.manual_seed(0)
    backbone = solved.model.load_backbone(name, None)
    model = solved.model.build_classifier(backbone, 6, freeze=True)
    assert model.training
    trainable = {key: tuple(p.shape) for key, p in model.named_parameters() if p.requires_grad}
    assert sorted(trainable.values()) == [(6,), (6, width)]
    assert all("fc" in key for key in trainable)
    heads = [module for module in model.modules() if isinstance(module, nn.Linear)]
    assert len(heads) == 1, "the old head is gone"
    with torch.no_grad():
        heads[0].weight.zero_()
        heads[0].bias.copy_(torch.arange(6) - 9.0)
    torch.testing.assert_close(model(torch.randn(2, 3, 32, 32)), (torch.arange(6) - 9.0).expand(2, 6))


def test_what_is_frozen_stands_still_and_what_has_thawed_moves(solved):
    """Of the statistics after a pass in training mode, layer by layer."""
    torch.manual_seed(0)
    x = torch.randn(4, 3, 16, 16) * 3 + 1
    layers = ("conv1", "bn1", "layer1", "layer2", "layer3")
    model = solved.model.build_classifier(solved.model.CifarResNet(1), 4)
    for first in (None, "fc", "layer3", "layer2", "bn1", "conv1"):
        if first is not None:
            solved.model.unfreeze(model, first)
        thawed = layers[layers.index(first) :] if first in layers else ()
        for name, parameter in model.named_parameters():
            assert parameter.requires_grad == (name.split(".")[1] in (*thawed, "fc")), (first, name)
        before = {name: value.clone() for name, value in model.named_buffers()}
        model.eval()
        model.train()(x)
        for name, value in model.named_buffers():
            assert torch.equal(value, before[name]) != (name.split(".")[1] in thawed), (first, name)
    asleep = solved.model.build_classifier(solved.model.CifarResNet(1), 4).eval()
    solved.model.unfreeze(asleep, "conv1")  # which changes no mode
    assert {module.training for module in asleep.modules()} == {False}
    assert all(p.requires_grad for p in solved.model.build_classifier(resnet18(), 3, freeze=False).parameters())
    with pytest.raises(ValueError, match=r"layer3.*layer4"):
        solved.model.unfreeze(model, "layer4")


def test_groups_hold_each_trainable_parameter_once_at_its_rate(solved):
    model = solved.model.build_classifier(solved.model.CifarResNet(1), 4)
    assert [(len(g["params"]), g["lr"]) for g in solved.model.param_groups(model, 0.5)] == [(2, 0.5)]
    solved.model.unfreeze(model, "layer3")
    rates = {}
    for group in solved.model.param_groups(model, 0.5, backbone_lr_factor=0.2):
        for parameter in group["params"]:
            assert id(parameter) not in rates
            rates[id(parameter)] = group["lr"]
    expected = {
        id(p): 0.5 if "fc" in name else pytest.approx(0.1) for name, p in model.named_parameters() if p.requires_grad
    }
    assert rates == expected
