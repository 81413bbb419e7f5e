"""The drawn images and the backbone: Kaggle's layout, reproducible, hard for pixels, and worth a transfer."""

import csv
import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from sklearn.linear_model import LogisticRegression
from torch import nn

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "fixtures/image_classification"
BACKBONE = FOLDER / "backbone.safetensors"


@pytest.fixture(scope="module")
def modules():
    """generate.py, and the solution's model.py; their plain names are given back to other tests."""
    places = {"generate": FOLDER, "model": ROOT / "solutions/image_classification"}
    before = {name: sys.modules.pop(name, None) for name in places}
    sys.path[:0] = map(str, places.values())
    try:
        yield tuple(__import__(name) for name in places)
    finally:
        del sys.path[: len(places)]
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module


@pytest.fixture(scope="module")
def generate(modules):
    return modules[0]


def read(path: Path) -> list[list[str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_committed_files_are_what_the_seed_gives(tmp_path):
    command = [sys.executable, str(FOLDER / "generate.py"), "--check"]
    assert subprocess.run(command).returncode == 0
    for part in ("train", "test"):
        shutil.copytree(FOLDER / part, tmp_path / part)
    for table in ("trainLabels.csv", "sampleSubmission.csv"):
        shutil.copy(FOLDER / table, tmp_path)
    command += ["--out", str(tmp_path)]
    assert subprocess.run(command).returncode == 0
    (tmp_path / "train/7.png").write_bytes((tmp_path / "train/8.png").read_bytes())
    (tmp_path / "test/61.png").write_bytes((tmp_path / "test/60.png").read_bytes())
    (tmp_path / "train/9.png").write_text("no image")
    stale = subprocess.run(command, capture_output=True, text=True)
    assert stale.returncode == 1
    assert "train/7.png, train/9.png" in stale.stdout
    assert "test/61.png" in stale.stdout


def test_writing_makes_the_committed_files_anew(generate, tmp_path):
    generate.write(tmp_path)
    written = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert len(written) == 302
    assert generate.differing(tmp_path) == []
    for table in ("trainLabels.csv", "sampleSubmission.csv"):
        assert (tmp_path / table).read_bytes() == (FOLDER / table).read_bytes()


def test_layout_is_kaggles():
    header, *rows = read(FOLDER / "trainLabels.csv")
    assert header == ["id", "label"]
    assert [row[0] for row in rows] == [str(place) for place in range(1, 241)]
    assert {path.name for path in (FOLDER / "train").iterdir()} == {f"{row[0]}.png" for row in rows}
    sample_header, *sample = read(FOLDER / "sampleSubmission.csv")
    assert sample_header == header
    assert {path.name for path in (FOLDER / "test").iterdir()} == {f"{row[0]}.png" for row in sample}
    assert len({row[1] for row in sample}) == 1, "a sample submission that tells the classes"
    for path in FOLDER.glob("t*/*.png"):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "RGB", (32, 32)), path


def test_classes_are_words_balanced_and_not_in_order(generate):
    labels = [row[1] for row in read(FOLDER / "trainLabels.csv")[1:]]
    assert sorted(set(labels)) == list(generate.CLASSES)
    assert {labels.count(name) for name in generate.CLASSES} == {24}
    assert all(name.isalpha() and name.islower() for name in generate.CLASSES)
    assert labels != sorted(labels)
    assert len(generate.CLASSES) == 10


def test_the_whole_fixture_is_small():
    sizes = [path.stat().st_size for path in FOLDER.rglob("*") if path.suffix in (".png", ".csv")]
    assert sum(sizes) < 1_000_000


def test_pretraining_shows_no_class_of_the_assignment(generate):
    assert not set(generate.CLASSES) & set(generate.PRETRAINING_CLASSES)
    assert len(generate.PRETRAINING_CLASSES) >= 20
    outlines = [str(generate.PARTS[name]) for name in (*generate.CLASSES, *generate.PRETRAINING_CLASSES)]
    assert len(set(outlines)) == len(outlines)


def test_drawing_follows_its_labels_and_its_generator(generate):
    images, labels = generate.draw([3, 3, 0], np.random.default_rng(1))
    again, _ = generate.draw([3, 3, 0], np.random.default_rng(1))
    other, _ = generate.draw([3, 3, 0], np.random.default_rng(2))
    assert images.shape == (3, 32, 32, 3)
    assert images.dtype == np.uint8
    assert labels.tolist() == [3, 3, 0]
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(images, again)
    assert (images != other).any(axis=(1, 2, 3)).all()
    assert (images[0] != images[1]).any(), "two images of one class are two images"


def test_a_number_of_images_is_shared_out_among_the_classes(generate):
    _, labels = generate.draw(45, np.random.default_rng(0))
    assert sorted(np.bincount(labels, minlength=10)) == [4] * 5 + [5] * 5
    assert labels.tolist() != sorted(labels)
    names = generate.PRETRAINING_CLASSES[:3]
    assert set(generate.draw(6, np.random.default_rng(0), names)[1]) == {0, 1, 2}


def test_every_figure_is_seen(generate):
    """Each outline covers some of the picture and not nearly all, however it was bent, turned and moved."""
    for name in (*generate.CLASSES, *generate.PRETRAINING_CLASSES):
        for seed in range(5):
            mask = generate._figure(generate.PARTS[name], np.random.default_rng(seed))
            assert 0.03 < mask.mean() < 0.6, name
            assert mask.max() == 1, name


def test_pixels_compared_with_pixels_say_little(generate):
    rng = np.random.default_rng(0)
    (images, labels), (new, answers) = generate.draw(300, rng), generate.draw(300, rng)
    model = LogisticRegression(C=0.01, max_iter=300).fit(images.reshape(300, -1) / 255, labels)
    assert model.score(new.reshape(300, -1) / 255, answers) < 0.3


def test_backbone_fits_the_network_and_names_its_classes(modules):
    generate, model = modules
    assert BACKBONE.stat().st_size <= 1_200_000
    network = model.load_backbone("cifar_resnet20", BACKBONE)
    assert network.fc.out_features == len(generate.PRETRAINING_CLASSES)
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32, torch.int64}
    assert all(value.isfinite().all() for value in network.state_dict().values())
    with safe_open(BACKBONE, "pt") as file:
        assert file.metadata()["classes"].split() == list(generate.PRETRAINING_CLASSES)


def features(network: nn.Module, images: np.ndarray) -> np.ndarray:
    """What stands before the head: (n, 64)."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2) / 255  # (n, 3, 32, 32)
    mean, std = pixels.mean(dim=(0, 2, 3), keepdim=True), pixels.std(dim=(0, 2, 3), keepdim=True)
    network.fc = nn.Identity()
    with torch.no_grad():
        return network.eval()((pixels - mean) / std).numpy()


def test_frozen_pretrained_features_beat_random_ones_on_fresh_images(modules):
    """By scikit-learn's head, not the reference's; DIFFICULTY.md has the numbers over ten seeds."""
    generate, model = modules
    rng = np.random.default_rng(7)
    (images, labels), (new, answers) = generate.draw(120, rng), generate.draw(100, rng)
    torch.manual_seed(0)
    networks = {"pre-trained": model.load_backbone("cifar_resnet20", BACKBONE), "random": model.CifarResNet(n=3)}
    scores = {}
    for name, network in networks.items():
        known, asked = features(network, images), features(network, new)
        centre, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
        head = LogisticRegression(max_iter=1000).fit((known - centre) / spread, labels)
        scores[name] = head.score((asked - centre) / spread, answers)
    assert scores["pre-trained"] > 0.75, scores
    assert scores["random"] < 0.45, scores


@pytest.mark.slow
def test_pretraining_is_one_command(tmp_path, modules):
    """A few images and one epoch give a file of the same shape."""
    out = tmp_path / "backbone.safetensors"
    command = [sys.executable, str(FOLDER / "pretrain.py"), "--images", "128", "--epochs", "1", "--out", str(out)]
    assert subprocess.run(command, capture_output=True, timeout=120).returncode == 0
    with safe_open(out, "pt") as new, safe_open(BACKBONE, "pt") as committed:
        shapes = [{key: file.get_slice(key).get_shape() for key in file.keys()} for file in (new, committed)]  # noqa: SIM118
        assert shapes[0] == shapes[1]
        assert new.metadata() == committed.metadata()


def test_images_are_png_without_hidden_text(generate):
    """Nothing in a test image's file tells its class."""
    image = Image.open(io.BytesIO((FOLDER / "test/1.png").read_bytes()))
    image.load()
    assert image.info == {}
