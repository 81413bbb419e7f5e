"""Tasks 4 and 5 and the bonus of project 2's reference solution, against scikit-learn, SciPy and counting by hand."""

import warnings

import image_classification_solved as shared
import numpy as np
import pandas as pd
import pytest
import torch
from accelerate.utils import set_seed
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, recall_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms import v2

solved, accelerator, close_figures = shared.solved, shared.accelerator, shared.close_figures

RNG = np.random.default_rng(0)
TRUE, PREDICTED = RNG.integers(0, 4, 60), RNG.integers(0, 4, 60)


# Task 4 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor, np.float64])
def test_measures_against_scikit_learn(solved, kind):
    y_true, y_pred = kind(TRUE.tolist()), kind(PREDICTED.tolist())
    value = solved.evaluate.accuracy(y_true, y_pred)
    assert (type(value), value) == (float, pytest.approx(accuracy_score(TRUE, PREDICTED)))
    cm = solved.evaluate.confusion_matrix(y_true, y_pred, 6)
    assert cm.dtype == np.int64
    np.testing.assert_array_equal(cm, confusion_matrix(TRUE, PREDICTED, labels=range(6)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        each = solved.evaluate.per_class_accuracy(cm)
    np.testing.assert_allclose(each[:4], recall_score(TRUE, PREDICTED, average=None))
    assert np.isnan(each[4:]).all()


@pytest.mark.parametrize("wrong", [([], []), ([1, 2], [1]), ([0.5], [0]), ([[1]], [[1]]), ([np.nan], [0])])
def test_labels_that_cannot_be_compared_are_refused(solved, wrong):
    with pytest.raises(ValueError, match="expected"):
        solved.evaluate.accuracy(*wrong)


@pytest.mark.parametrize("wrong", [([0, 3], [0, 1]), ([0, 1], [0, -1]), ([0, 1], [0])])
def test_confusions_outside_the_classes_are_refused(solved, wrong):
    with pytest.raises(ValueError, match="expected"):
        solved.evaluate.confusion_matrix(*wrong, 3)


class Watched(nn.Module):
    """Adds up channels into three logits; remembers in which mode and with which gradients it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.asked: set[tuple[bool, bool]] = set()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.asked.add((self.training, torch.is_grad_enabled()))
        return self.fc(x.mean(dim=(2, 3)))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("prepared", [True, False])
@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_predict_answers_each_image_once_in_eval_mode(solved, accelerator, training, prepared, precision):
    torch.manual_seed(0)
    model, built = Watched().train(training), accelerator(mixed_precision=precision)
    images, labels = torch.randn(11, 3, 2, 2), torch.arange(11) % 3
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        expected = model.fc(images.mean(dim=(2, 3))).float()
    loader = DataLoader(TensorDataset(images, labels), batch_size=4)
    if prepared:
        model, loader = built.prepare(model, loader)
    y_true, logits = solved.evaluate.predict(model, loader, built)
    assert (type(y_true), y_true.dtype, type(logits), logits.dtype) == (np.ndarray, np.int64, np.ndarray, np.float32)
    np.testing.assert_array_equal(y_true, labels)
    np.testing.assert_allclose(logits, expected, atol=1e-6)
    assert model.training is training
    assert built.unwrap_model(model).asked == {(False, False)}
    assert torch.is_grad_enabled()


def test_evaluate_against_scikit_learn(solved, accelerator):
    torch.manual_seed(0)
    model, images, labels = Watched(), torch.randn(11, 3, 2, 2) * 4, torch.arange(11) % 3
    found = solved.evaluate.evaluate(model, DataLoader(TensorDataset(images, labels), batch_size=4), accelerator())
    logits = model.fc(images.mean(dim=(2, 3))).detach()
    assert found.loss == pytest.approx(log_loss(labels, logits.double().softmax(dim=1), labels=range(3)), rel=1e-4)
    assert found.accuracy == accuracy_score(labels, logits.argmax(dim=1))
    np.testing.assert_array_equal(found.confusion, confusion_matrix(labels, logits.argmax(dim=1), labels=range(3)))


# Task 5 ---------------------------------------------------------------------------------------------------------------


def test_history_is_drawn_over_epochs_from_one(solved):
    history = solved.train.History([2.0, 1.0, 0.5], [0.1, 0.5, 0.7], [2.1, 1.5, 1.4], [0.2, 0.4, 0.6])
    loss, accuracy = solved.visualize.plot_history(history).axes
    for axis, measure in ((loss, "loss"), (accuracy, "accuracy")):
        assert measure in axis.get_ylabel()
        assert axis.get_xlabel() == "epoch"
        assert [text.get_text() for text in axis.get_legend().get_texts()] == ["training", "validation"]
        drawn = {line.get_label(): line.get_xydata().tolist() for line in axis.lines}
        for name, part in (("training", "train"), ("validation", "val")):
            assert drawn[name] == [[i, v] for i, v in enumerate(getattr(history, f"{part}_{measure}"), start=1)]


@pytest.mark.parametrize("normalize", [False, True])
def test_confusion_image_shows_true_classes_downwards(solved, normalize):
    cm = confusion_matrix(TRUE, PREDICTED, labels=range(5))  # the last class has no images
    axis = solved.visualize.plot_confusion_matrix(cm, list("vwxyz"), normalize).axes[0]
    expected = np.nan_to_num(confusion_matrix(TRUE, PREDICTED, labels=range(4), normalize="true"))
    shown = np.asarray(axis.images[0].get_array())
    np.testing.assert_allclose(shown, np.pad(expected, (0, 1)) if normalize else cm)
    assert [label.get_text() for label in axis.get_yticklabels()] == list("vwxyz")
    assert [label.get_text() for label in axis.get_xticklabels()] == list("vwxyz")
    assert ("true" in axis.get_ylabel(), "true" in axis.get_xlabel()) == (True, False)
    written = np.array([float(text.get_text()) for text in axis.texts]).reshape(5, 5)
    np.testing.assert_allclose(written, shown, atol=0.005)


def test_predictions_are_shown_in_their_own_colours(solved):
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
    unit = torch.rand(3, 3, 4, 4)
    shown = v2.Normalize(mean, std)(unit)
    before = shown.clone()
    figure = solved.visualize.plot_predictions(shown, [0, 1, 1], [0, 0, 1], ["auk", "wren"], mean, std)
    axes = [axis for axis in figure.axes if axis.images]
    assert len(axes) == 3
    for axis, image in zip(axes, unit, strict=True):
        np.testing.assert_allclose(axis.images[0].get_array(), image.permute(1, 2, 0), atol=1e-6)
    titles = [axis.get_title() for axis in axes]
    assert (titles[0], titles[2]) == ("auk", "wren")
    assert all(name in titles[1] for name in ("auk", "wren"))
    colours = [axis.title.get_color() for axis in axes]
    assert colours[0] == colours[2] != colours[1]
    assert torch.equal(shown, before)


# Bonus ----------------------------------------------------------------------------------------------------------------


def test_standard_policy_gives_windows_of_the_padded_image_and_their_mirrors(solved):
    set_seed(0)
    image = torch.from_numpy(RNG.integers(1, 256, (3, 6, 10), dtype="uint8"))
    padded = torch.nn.functional.pad(image, (4, 4, 4, 4))
    windows = {
        window.numpy().tobytes(): mirrored
        for y in range(9)
        for x in range(9)
        for mirrored in (False, True)
        for window in [torch.flip(padded[:, y : y + 6, x : x + 10], [2] if mirrored else []).contiguous()]
    }
    transform = solved.bonus.augmentation("standard")
    drawn = [transform(image).contiguous().numpy().tobytes() for _ in range(200)]
    assert set(drawn) <= set(windows)
    assert len(set(drawn)) > 60
    assert 0.35 < np.mean([windows[window] for window in drawn]) < 0.65
    assert torch.equal(solved.bonus.augmentation("none")(image), image)
    for policy in ("standard", "trivial_augment"):
        picture = Image.fromarray(RNG.integers(0, 256, (4, 8, 3), dtype="uint8"))
        assert isinstance(solved.bonus.augmentation(policy)(picture), Image.Image)
        assert solved.bonus.augmentation(policy)(picture).size == picture.size
    with pytest.raises(ValueError, match=r"standard.*heavy"):
        solved.bonus.augmentation("heavy")


def test_mixup_mixes_images_and_targets_alike(solved):
    """One-hot images: each mixed image says how much of which it holds, and so do its targets."""
    images, targets = torch.eye(6).reshape(6, 6, 1, 1), torch.eye(6)
    kept = images.clone()
    weights = []
    for seed in range(300):
        mixed, both = solved.bonus.mixup((images, targets), 0.4, torch.Generator().manual_seed(seed))
        torch.testing.assert_close(mixed.reshape(6, 6), both)
        torch.testing.assert_close(both.sum(dim=1), torch.ones(6))
        torch.testing.assert_close(both.sum(dim=0), torch.ones(6))  # each image came once as the other one
        parts = both.diagonal()[both.diagonal() < 0.9999]
        if len(parts):
            torch.testing.assert_close(parts, parts[:1].expand_as(parts))
            weights.append(parts[0].item())
    # Beta(0.4, 0.4): mean 1/2, variance 1 / (4 · (2 · 0.4 + 1)); of 300 draws, five standard errors
    assert np.mean(weights) == pytest.approx(0.5, abs=0.11)
    assert np.var(weights) == pytest.approx(1 / 7.2, abs=0.04)
    assert torch.equal(images, kept)
    torch.manual_seed(5)
    again = [solved.bonus.mixup((images, targets), 0.4, torch.Generator().manual_seed(7))[0] for _ in range(2)]
    assert torch.equal(*again)
    assert torch.equal(solved.bonus.mixup((images, targets), 0, torch.Generator())[0], images)


def test_corruptions_follow_their_formulas(solved):
    images = torch.rand(4, 3, 24, 24) * 0.5 + 0.25
    kept, generator = images.clone(), torch.Generator
    for severity, noise, sigma, added, left in zip(
        range(1, 6), *(solved.bonus.STRENGTHS[n] for n in ("noise", "blur", "brightness", "contrast")), strict=True
    ):
        noisy = solved.bonus.corrupt(images, "noise", severity, generator().manual_seed(3))
        inside = (noisy > 0) & (noisy < 1)
        drawn = torch.randn(images.shape, generator=generator().manual_seed(3))
        torch.testing.assert_close(noisy[inside], (images + noise * drawn)[inside])
        blurred = solved.bonus.corrupt(images, "blur", severity, generator())
        expected = gaussian_filter(images.numpy(), sigma, axes=(2, 3), mode="mirror", radius=4)
        np.testing.assert_allclose(blurred, expected, atol=1e-5)
        bright = solved.bonus.corrupt(images, "brightness", severity, generator())
        torch.testing.assert_close(bright, (images + added).clamp(max=1))
        flat = solved.bonus.corrupt(images, "contrast", severity, generator())
        mean = images.flatten(1).mean(dim=1).reshape(4, 1, 1, 1)
        torch.testing.assert_close(flat, mean + left * (images - mean))
        for disturbed in (noisy, blurred, bright, flat):
            assert disturbed.min() >= 0
            assert disturbed.max() <= 1
    assert torch.equal(images, kept)


class Bright(nn.Module):
    """Says class 1 of images whose mean is above a limit."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = nn.Parameter(torch.tensor(limit))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = x.mean(dim=(1, 2, 3))
        return torch.stack([self.limit - mean, mean - self.limit], dim=1)


def test_robustness_corrupts_the_same_images_and_normalises_afterwards(solved, accelerator):
    """An even image of brightness b ends above 0.6 just if b + s > 0.6; normalised, 0.6 is (0.6 - 0.5) / 0.1 = 1."""
    values = [0.05, 0.15, 0.25, 0.35, 0.45, 0.75]
    dataset = [(torch.full((3, 8, 8), value), int(value > 0.6)) for value in values]
    expected = [np.mean([(b + s > 0.6) == (b == 0.75) for b in values]) for s in solved.bonus.STRENGTHS["brightness"]]
    assert len(set(expected)) > 2
    names = ["blur", "brightness", "contrast"]
    for limit, normalize in ((0.6, None), (1.0, v2.Normalize([0.5] * 3, [0.1] * 3))):
        table = solved.bonus.robustness(Bright(limit), dataset, names, accelerator(), normalize)
        assert list(table.index) == names
        assert list(table.columns) == [1, 2, 3, 4, 5]
        np.testing.assert_allclose(table.loc["brightness"].astype(float), expected)
        np.testing.assert_allclose(table.loc[["blur", "contrast"]].astype(float), 1)
    noisy = [solved.bonus.robustness(Bright(0.451), dataset, ["noise"], accelerator(), seed=seed) for seed in (1, 1)]
    pd.testing.assert_frame_equal(*noisy)


def test_robustness_plot_has_a_line_for_each_corruption(solved):
    table = pd.DataFrame([[0.9, 0.8, 0.7, 0.6, 0.5], [0.8] * 5], index=["blur", "noise"], columns=range(1, 6))
    axis = solved.bonus.plot_robustness(table).axes[0]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["blur", "noise"]
    for line, (name, row) in zip(axis.lines, table.iterrows(), strict=True):
        assert line.get_label() == name
        np.testing.assert_allclose(line.get_xydata(), np.stack([range(1, 6), row], axis=1))
    assert axis.get_title()
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("severity", "accuracy")
