"""Task 5: what the figures show. The drawn numbers are compared; colours, order and library calls are free."""

import re
from dataclasses import dataclass

import numpy as np

from grader.suite import CheckFailed, Run, as_figure, assert_close, check, recipe, reference, require, tensor
from grader.suite.figures import Axes, Figure

PARTS = {"train": ("train", "learn", "fit"), "val": ("val", "held", "unseen", "dev")}
MEASURES = {"loss": ("loss", "entropy"), "accuracy": ("acc", "correct")}
NAMES = ("zebu", "okapi", "ibex", "quoll", "gnu", "fossa", "dingo", "hyrax")  # none is a part of another word
TRUE_WORDS = re.compile(r"true|truth|actual|real\b|target|correct|label(?!s? pred)")
PREDICTED_WORDS = re.compile(r"predict|pred\b|estimat|guess|output|answer|taken|model|classified")
NUMBER = re.compile(r"[-+]?(?:\d+\.?(\d*)|\.(\d+))(?:e([-+]?\d+))?")


@dataclass(frozen=True)
class Course:
    """The numbers of a training, one an epoch in each list."""

    numbers: dict[str, list[float]]

    @property
    def history(self):
        return recipe("history", **self.numbers)


@reference
def course(run: Run) -> Course:
    """A training of some epochs, no two of its numbers equal."""
    rng = run.rng("course")
    epochs = int(rng.integers(4, 10))
    names = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "lr", "seconds")
    return Course({name: rng.uniform(0.1, 0.9, epochs).tolist() for name in names})


@dataclass(frozen=True)
class Confusions:
    """A matrix of counts, a row for each true class, with its classes' names."""

    counts: np.ndarray
    names: list[str]


@reference
def confusions(run: Run) -> Confusions:
    """Different counts everywhere, so that a transposed matrix is another one."""
    rng = run.rng("confusions")
    classes = int(rng.integers(4, 7))
    counts = rng.choice(np.arange(1, 200), (classes, classes), replace=False)
    return Confusions(counts, rng.permutation(NAMES)[:classes].tolist())


def history_figure(student, course: Course) -> Figure:
    answer = student.once("history", lambda: student.visualize.plot_history(student.make(course.history)))
    return as_figure(answer, "plot_history's result")


def drawn_with_names(axis: Axes) -> list[tuple[np.ndarray, str]]:
    """The points of each line, and what the legend calls it."""
    lines = [line for line in axis.lines if len(line.values)]
    if len(axis.legend) == len(lines) and not set(axis.legend) & {line.label for line in lines}:
        return [(line.values, name) for line, name in zip(lines, axis.legend, strict=True)]
    return [(line.values, line.label) for line in lines]


def part_of(name: str) -> str | None:
    """The part of the data that a name speaks of."""
    return next((part for part, words in PARTS.items() if any(word in name.lower() for word in words)), None)


def axis_with(figure: Figure, values: list[float], part: str, scale: float = 1) -> int | None:
    """The number of the axis with a line of these values over 1, 2, …, that the legend does not call another part's."""
    wanted = np.column_stack([np.arange(1, len(values) + 1), np.multiply(values, scale)])
    for number, axis in enumerate(figure.axes):
        for points, name in drawn_with_names(axis):
            same = points.shape == wanted.shape and np.allclose(points, wanted, rtol=1e-6)
            if same and part_of(name) in (part, None):
                return number
    return None


@check(
    title="plot_history draws a line for training and one for validation: losses on one axis, accuracies on another",
    hint="Epochs count from 1 to the last; four lines on two axes; label each line as what it is.",
)
def test_history_lines(student, course):
    figure = history_figure(student, course)
    places = {}
    for measure in MEASURES:
        scales = (1, 100) if measure == "accuracy" and re.search("%|per ?cent", figure.words) else (1,)
        for part in PARTS:
            name = f"{part}_{measure}"
            found = [axis_with(figure, course.numbers[name], part, scale) for scale in scales]
            places[name] = next((number for number in found if number is not None), None)
            lines = [points.round(4).tolist() for axis in figure.axes for points, _ in drawn_with_names(axis)]
            wanted = f"a line through (1, {course.numbers[name][0]:.4g}), (2, {course.numbers[name][1]:.4g}), …"
            drawn = places[name] is not None
            require(drawn, f"a line shows {name}, and the legend calls it so", expected=wanted, got=lines)
    for measure in MEASURES:
        together = places[f"train_{measure}"] == places[f"val_{measure}"]
        require(together, "training and validation share an axis", got=places, case=measure)
    require(places["train_loss"] != places["train_accuracy"], "loss and accuracy have an axis each", got=places)


@check(
    title="plot_history says which axis is loss and which accuracy, and which line is training and which validation",
    hint="A label or title and a legend on each of the two axes, of what is drawn there; label the x axis too.",
)
def test_history_words(student, course):
    drawn = [axis for axis in history_figure(student, course).axes if axis.has_data]
    for measure, words in MEASURES.items():
        own = [axis for axis in drawn if any(word in f"{axis.title} {axis.ylabel}".lower() for word in words)]
        named = [f"{axis.title}, {axis.ylabel}" for axis in drawn]
        require(bool(own), f"an axis says that it shows {measure}", got=named)
        values = np.array(course.numbers[f"train_{measure}"])
        found = [line.values[:, 1] / values for axis in own for line in axis.lines if len(line.values) == len(values)]
        shown = any(np.ptp(scale) < 1e-6 < scale[0] for scale in found)  # in parts or per cent, over whatever numbers
        require(shown, f"an axis that says {measure} shows it", expected=values, got=named)
        legends = [axis.legend for axis in own]
        told = any({part_of(name) for name in legend} >= set(PARTS) for legend in legends)
        require(told, "a legend names training and validation", got=legends, case=measure)
    labels = [axis.xlabel for axis in drawn]
    require(any(label.strip() for label in labels), "the x axis is labelled", got=labels)


@dataclass(frozen=True)
class Shown:
    """The matrix that a figure shows: rows and columns are in the order of the classes."""

    axis: Axes
    values: np.ndarray


def shown_matrix(figure: Figure, names: list[str]) -> Shown:
    """The image of (classes, classes), put in the order of `names` by what is written beside it."""
    classes = len(names)
    for axis in figure.axes:
        for image in axis.images:
            if image.values.squeeze().shape == (classes, classes) or image.values.shape == (classes * classes,):
                values = image.values.reshape(classes, classes)
                orders = [[label.strip() for label in side if label.strip() in names] for side in axis.ticks]
                for side, order in zip("xy", orders, strict=True):
                    rule = f"the classes' names are along the {side} axis"
                    require(sorted(order) == sorted(names), rule, expected=names, got=order)
                columns, rows = ([order.index(name) for name in names] for order in orders)
                return Shown(axis, values[np.ix_(rows, columns)])
    shapes = [image.values.shape for axis in figure.axes for image in axis.images]
    raise CheckFailed("an image shows the matrix", expected=(classes, classes), got=f"images of {shapes}")


def matrix_figure(student, cm: np.ndarray, names: list[str], *how: bool) -> Figure:
    answer = student.once(f"confusion matrix {how}", lambda: student.visualize.plot_confusion_matrix(cm, names, *how))
    return as_figure(answer, "plot_confusion_matrix' result")


def turned(values: np.ndarray, wanted: np.ndarray) -> bool | None:
    """Whether the rows of what is shown are the columns of `wanted`; None if neither way fits."""
    return next((t for t in (False, True) if np.allclose(values, wanted.T if t else wanted, rtol=1e-5)), None)


def require_written(axis: Axes, *ways: np.ndarray) -> None:
    """One of these matrices is written on the axis, as exactly as its decimals say; a zero may be left out."""
    written = sorted(filter(None, map(as_number, axis.texts)))
    for expected in (np.sort(wanted[wanted > 0]) for wanted in ways):
        largest = written[-len(expected) :]
        if len(largest) == len(expected) and all(abs(w[0] - e) <= w[1] for w, e in zip(largest, expected, strict=True)):
            return
    raise CheckFailed("the matrix' numbers are written into it", expected=ways[0].round(4), got=list(axis.texts[:12]))


def as_number(text: str) -> tuple[float, float] | None:
    """The first number in a text, and half of the last digit that it shows; a per cent is a hundredth."""
    match = NUMBER.search(text)
    if match is None:
        return None
    unit = 0.01 if "%" in text[match.end() :][:2] else 1.0
    decimals = len(match[1] or match[2] or "") - int(match[3] or 0)
    return float(match[0]) * unit, 0.51 * 10.0**-decimals * unit


@check(
    title="plot_confusion_matrix shows the matrix, with its numbers and the classes' names",
    hint="imshow of the counts as they are; a text in each cell; class_names, in order, as tick labels on both sides.",
)
def test_confusion_image(student, confusions):
    figure = matrix_figure(student, confusions.counts, confusions.names)
    shown = shown_matrix(figure, confusions.names)
    fits = turned(shown.values, confusions.counts) is not None
    require(fits, "the image shows the counts", expected=confusions.counts.tolist(), got=shown.values.tolist())
    require_written(shown.axis, confusions.counts)


@check(
    title="The axis labels say which side of the confusion matrix is the true one, and it is",
    hint="imshow draws the rows, here the true classes, along y and the columns along x.",
)
def test_confusion_true_side(student, confusions):
    shown = shown_matrix(matrix_figure(student, confusions.counts, confusions.names), confusions.names)
    labels = (shown.axis.xlabel.lower(), shown.axis.ylabel.lower())
    predicted = [bool(PREDICTED_WORDS.search(label)) for label in labels]
    true = [bool(TRUE_WORDS.search(label)) and not told for label, told in zip(labels, predicted, strict=True)]
    true_sides = {side for side in (0, 1) if true[side] or (predicted[1 - side] and not predicted[side])}
    require(len(true_sides) == 1, "the axis labels name the true and the predicted side", got=labels)
    wanted = confusions.counts.T if true_sides == {0} else confusions.counts
    rule, same = "the side that is called true has the true classes", np.allclose(shown.values, wanted, rtol=1e-5)
    require(same, rule, expected=wanted.tolist(), got=shown.values.tolist(), case=labels)


@check(
    title="With normalize each true class is divided by its own images, an absent one gives zeros",
    hint="Divide each row by its sum (keepdims), not the columns nor the whole; beware of 0/0. The written numbers follow.",
)
def test_confusion_normalised(student, confusions):
    counts = confusions.counts.copy()
    absent = int(counts[0, 0]) % len(counts)
    counts[absent] = 0
    wanted = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shown = shown_matrix(matrix_figure(student, counts, confusions.names, True), confusions.names)
    fits = any(turned(shown.values, scale * wanted) is not None for scale in (1, 100))
    case = f"no image of class {absent}"
    require(fits, "the image shows parts of the true classes", expected=wanted.round(4), got=shown.values, case=case)
    require_written(shown.axis, wanted, 100 * wanted)


@dataclass(frozen=True)
class Answers:
    """Images as a network saw them, how they looked before, and what they were taken for."""

    before: np.ndarray
    mean: list[float]
    std: list[float]
    y_true: list[int]
    y_pred: list[int]
    names: list[str]

    @property
    def normalised(self) -> np.ndarray:
        mean, std = (np.reshape(values, (3, 1, 1)) for values in (self.mean, self.std))
        return (self.before.transpose(0, 3, 1, 2) - mean) / std  # (n, h, w, 3) -> (n, 3, h, w)

    def axes(self, student) -> list[Axes]:
        """The axes that the student's figure has for the images."""
        ask = lambda: student.visualize.plot_predictions(  # noqa: E731
            tensor(self.normalised), self.y_true, self.y_pred, self.names, self.mean, self.std
        )
        n = len(self.before)
        figure = as_figure(student.once(f"{n} predictions", ask), "plot_predictions' result")
        axes = [axis for axis in figure.axes if axis.images]
        require(len(axes) == n, "each image has an axis", expected=n, got=len(axes))
        return axes


def draw_answers(rng: np.random.Generator, n: int) -> Answers:
    names = rng.permutation(NAMES)[:5].tolist()
    y_true = rng.integers(5, size=n)
    y_pred = (y_true + rng.permutation(np.arange(n) % 2) * rng.integers(1, 5, n)) % 5  # about half are wrong
    mean, std = rng.uniform(0.3, 0.6, 3).tolist(), rng.uniform(0.15, 0.4, 3).tolist()
    return Answers(rng.uniform(0.02, 0.98, (n, 6, 8, 3)), mean, std, y_true.tolist(), y_pred.tolist(), names)


@reference
def answers(run: Run) -> Answers:
    """Images of which about half are answered wrongly; so many that no grid of several rows is full."""
    rng = run.rng("answers")
    return draw_answers(rng, int(rng.choice([11, 13])))


@check(
    title="plot_predictions shows each image in order, as it was before it was normalised",
    hint="value · std + mean for each channel, then (3, h, w) to (h, w, 3) by permute, not reshape; one image, or a last row "
    "that is not full, too.",
)
def test_predictions_images(student, answers, rng):
    for case in (answers, draw_answers(rng, 1)):
        for number, (axis, wanted) in enumerate(zip(case.axes(student), case.before, strict=True)):
            pixels = axis.images[0].values
            if pixels.size and pixels.max() > 1.5:  # uint8: 0 … 255
                pixels = pixels / 255
            # as bytes, cut or rounded, a colour is out by at most 1/255
            assert_close(pixels, wanted, f"image {number + 1} of {len(case.before)}", rtol=0, atol=1.01 / 255)


@check(
    title="A title names the predicted class, for a wrong answer the true one too; right and wrong look different",
    hint="class_names[…] of both, for the image below it; green and red, or a mark, chosen by y_true == y_pred.",
)
def test_predictions_titles(student, answers):
    looks = {True: set(), False: set()}
    axes = answers.axes(student)
    for number, (axis, true, predicted) in enumerate(zip(axes, answers.y_true, answers.y_pred, strict=True), 1):
        text, case = axis.title.lower(), f"image {number}"
        for what, name in (("predicted", answers.names[predicted]), ("true", answers.names[true])):
            require(name in text, f"the title names the {what} class", expected=name, got=axis.title, case=case)
        words = re.sub(r"\d+|" + "|".join(NAMES), "", " ".join([text, axis.xlabel, axis.ylabel, *axis.texts]).lower())
        marks = (words.strip(), axis.looks, len(axis.lines), len(axis.points), len(axis.bars))
        looks[true == predicted].add(marks)
    require(not looks[True] & looks[False], "right and wrong answers differ in colour or by a mark", got=looks[True])
