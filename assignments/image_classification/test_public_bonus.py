"""Self-checks of the bonus, bonus.py: `pytest -k bonus`. Task 4 is played by stand-ins, so that it cannot fail these checks."""

import numpy as np
import pandas as pd
import pytest
import torch

from grader.suite import (
    Recipe,
    accelerator,
    as_array,
    as_figure,
    as_frame,
    assert_close,
    check,
    linear,
    require,
    require_equal,
    tensor,
)
from grader.suite.in_process import put_in_place


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
    """Puts the two in the place of task 4's functions, there and where the bonus has imported them."""
    put_in_place(student, monkeypatch, "bonus", {"evaluate": {"predict": answered, "accuracy": part_right}})


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
    title="The standard policy moves an image before a black border, and mirrors every second one",
    hint="v2.Compose([PadCrop(4), v2.RandomHorizontalFlip()])",
)
def test_bonus_standard(student):
    views = views_under(student, "standard")
    case = "standard, thirty times an image with a left half of 10 and a right half of 200"
    levels = sorted({int(value) for value in views.ravel()})
    require_equal(levels, [0, 10, 200], "the border is black (0), and nothing else is new", case)
    rows = [view[0, 4][view[0, 4] > 0].tolist() for view in views]  # without the border
    mirrored = sum(row[:1] == [200] and row[-1:] == [10] for row in rows)
    require(0 < mirrored < 30, "some images are mirrored, not all", got=f"{mirrored} of 30", case=case)


@check(
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
        again = mixed(seed, 1.0)[1]
        assert_close(again, targets, "the targets, from the same generator again,", case=f"seed {seed}, twice")
        weights.append(round(weight, 4))
    require(len(set(weights)) > 1, "the weight is drawn anew", got=weights, case="four seeds, alpha 1")
    assert_close(mixed(0, 0.0)[0], np.eye(6), "the images, with alpha 0,", case=case)


@check(
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
    # What a wide blur does at the border, eight pixels away, is free.
    assert_close(total, 3.0, "the light that a blur spreads", case="one white pixel in three channels", atol=0.02)


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
    title="robustness has a row for each corruption and a column for each severity",
    hint="pd.DataFrame.from_dict(rows, orient='index', columns=[1, 2, 3, 4, 5]); always corrupt the clean images.",
)
def test_bonus_robustness(student, stand_ins):
    model = student.make(brighter_than(0.5))
    table = student.bonus.robustness(model, grey_images(), ["contrast", "brightness"], accelerator())
    table = as_frame(table, "robustness' result")
    require_equal(list(map(str, table.index)), ["contrast", "brightness"], "rows are named as the corruptions")
    require_equal([int(column) for column in table.columns], [1, 2, 3, 4, 5], "columns are the severities")
    case = "grey images of 0.25 and 0.05; the model is right up to 0.5; brightness adds 0.1 … 0.5"
    assert_close(table.loc["brightness"], [1, 1, 0.5, 0.5, 0], "brightness", case=case)
    assert_close(
        table.loc["contrast"], [1, 1, 1, 1, 1], "contrast", case="images that are grey all over stay as they are"
    )


@check(
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
