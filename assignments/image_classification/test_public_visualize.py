"""Self-checks of task 5, visualize.py: `pytest -k visualize`."""

import numpy as np

from grader.suite import Recipe, as_figure, assert_close, check, require, require_equal, tensor

COURSE = {"train_loss": [0.9, 0.5], "val_loss": [0.8, 0.7], "train_accuracy": [0.4, 0.75], "val_accuracy": [0.45, 0.6]}


@check(
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
    title="plot_confusion_matrix shows the matrix the right way round, named along both sides",
    hint="imshow puts rows down the y axis: set_ylabel('true class'), set_xlabel('predicted class'), ticks with names.",
)
def test_visualize_confusion(student):
    axis, image = shown_confusion(student, CM, ["cat", "dog"])
    sides = [axis.xlabel.lower(), axis.ylabel.lower()]
    told = any("true" in side or "actual" in side for side in sides) and any("predict" in side for side in sides)
    require(told, "axis labels say which side is the true one", expected="true …, predicted …", got=sides)
    case = "three cats right, one cat taken for a dog, two dogs right"
    require_equal(image.tolist(), CM.tolist(), "the image has a row for each true class", case)
    for side, ticks in zip("xy", axis.ticks, strict=True):
        require_equal([tick for tick in ticks if tick], ["cat", "dog"], f"the names stand along the {side} axis", case)
    written = " ".join(axis.texts)
    require(all(n in written for n in "0123"), "the numbers are written into it", expected="3 1 0 2", got=written)


@check(
    title="Normalised, each true class adds up to 1; one without images is all 0",
    hint="cm / cm.sum(axis=1, keepdims=True), with a sum of 0 replaced by 1.",
)
def test_visualize_normalised(student):
    cm = np.array([[3, 1, 0], [1, 1, 0], [0, 0, 0]])
    _, image = shown_confusion(student, cm, ["cat", "dog", "frog"], normalize=True)
    wanted = [[0.75, 0.25, 0], [0.5, 0.5, 0], [0, 0, 0]]
    rule, case = "each place is divided by its true class's sum", "rows 3 1 0, 1 1 0, 0 0 0"
    require_equal(image.round(4).tolist(), wanted, rule, case)


@check(
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
