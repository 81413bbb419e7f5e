"""Bonus, disturbed pictures: corruptions by closed forms, accuracies by a linear net that the suite computes as well.

Task 4 is played by the suite's stand-in, so that a mistake there costs nothing here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from grader.suite import (
    Gauge,
    Run,
    accelerator,
    as_array,
    as_figure,
    as_frame,
    assert_close,
    check,
    recipe,
    reference,
    require,
    tensor,
)

STRENGTHS = {
    "noise": (0.04, 0.08, 0.12, 0.18, 0.26),
    "blur": (0.4, 0.6, 0.8, 1.1, 1.5),
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
}
SEVERITIES = (1, 2, 3, 4, 5)
EXACT = ("brightness", "contrast")  # what they make of an image leaves nothing open
IMAGES, SIDE, CLASSES = 70, 12, 4


def corrupted(student, images: np.ndarray, name: str, severity: int, seed: int = 1) -> np.ndarray:
    batch, generator = student.make(tensor(images)), student.make(recipe("generator", seed))
    case = f"{name}, severity {severity}"
    made = as_array(student.bonus.corrupt(batch, name, severity, generator), "corrupt's result", case=case)
    require(made.shape == images.shape, "images keep their shape", expected=images.shape, got=made.shape, case=case)
    assert_close(batch.cpu(), images, "the images given, afterwards,", rtol=0, atol=0, case=case)
    return made


def require_noise(student, seed: int, gauge: Gauge) -> None:
    """Gaussian noise of the right size, a number of its own for each value, out of the generator."""
    grey = np.full((16, 3, 24, 24), 0.5, "float32")
    for severity, strength in zip(SEVERITIES, STRENGTHS["noise"], strict=True):
        noise, case = corrupted(student, grey, "noise", severity, seed) - grey, f"noise, severity {severity}"
        for axis, sharers in (((0,), "images"), ((1,), "channels"), ((2,), "rows"), ((3,), "columns")):
            shared = noise.mean(axis=axis).std() / strength  # of their own: at most 1/√3
            gauge(shared, f"{sharers} do not share their noise", at_most=0.8, unit=" of its deviation", case=case)
        # Quartiles do not feel the clipping. Over 27,648 values they are good to 0.7 %; one step of severity is 44 %.
        quarter, three = np.quantile(noise, [0.25, 0.75])
        size = (three - quarter) / 1.349 / strength
        gauge(size, "the noise's deviation is right", at_least=0.92, at_most=1.08, unit=" times", case=case)
        gauge(abs(noise.mean()) / strength, "the noise is 0 on average", at_most=0.08, unit=" deviations", case=case)
    again, other = (corrupted(student, grey, "noise", 1, of) for of in (seed, seed + 1))
    first = corrupted(student, grey, "noise", 1, seed)
    assert_close(again, first, "noise of the same generator once more")
    require(not np.allclose(first, other), "another generator gives other noise", got="the same noise")


def require_blur(student, rng: np.random.Generator) -> None:
    """A point becomes a round spot of the right size in its own channel of its own image."""
    n, channel, side = int(rng.integers(2)), int(rng.integers(3)), 25
    point = np.zeros((2, 3, side, side), "float32")
    point[n, channel, side // 2, side // 2] = 1
    squares, peaks = (np.arange(side) - side // 2) ** 2, []
    for severity, strength in zip(SEVERITIES, STRENGTHS["blur"], strict=True):
        spot, case = corrupted(student, point, "blur", severity), f"blur, severity {severity}"
        own = spot[n, channel]
        require(
            abs(own.sum() - 1) < 0.02, "blur keeps the sum of a point's light", expected=1, got=own.sum(), case=case
        )
        assert_close(spot.sum(), own.sum(), "the light in all channels and images", atol=1e-4, case=case)
        peaks.append(own.max())
        if strength > 0.7:  # below, a Gaussian at whole pixels is narrower than its deviation
            for axis in (0, 1):
                deviation = np.sqrt((own.sum(axis=axis) * squares).sum() / own.sum())
                # a kernel that ends at two deviations has 12 % less
                assert_close(deviation, strength, "the spot's deviation in pixels", rtol=0.15, case=case)
                if strength > 1:
                    bell = np.exp(-squares / (2 * strength**2))
                    # sampled, integrated over pixels or cut off at two deviations: 0.02 apart; a flat spot is 0.06
                    found, wanted = own.sum(axis=axis) / own.sum(), bell / bell.sum()
                    assert_close(found, wanted, "the spot's profile, a Gaussian's,", rtol=0, atol=0.03, case=case)
    falling = all(after < before for before, after in pairwise(peaks))
    require(falling and peaks[0] < 0.95, "a stronger blur leaves less in the middle", got=peaks)


def shifted(images: np.ndarray, name: str, severity: int) -> np.ndarray:
    """Images (n, 3, h, w) of other brightness or contrast."""
    strength = STRENGTHS[name][severity - 1]
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    return np.clip(images + strength if name == "brightness" else mean + strength * (images - mean), 0, 1)


@check(
    task="bonus",
    title="corrupt disturbs as STRENGTHS says, and clips to 0 … 1",
    hint="Gaussian noise for each value, from the generator; blur is a Gaussian, sigma in pixels, its kernel wide "
    "enough; brightness is added; contrast: what is left around each image's mean, over all channels. New images.",
)
def test_corruptions(on_stand_ins, rng, gauge):
    colours = rng.uniform(0, 1, (4, 3, 1, 1)) + rng.uniform(-0.4, 0.4, (4, 3, 8, 8))
    images = colours.clip(0, 1).astype("float32")
    for name in EXACT:
        for severity in SEVERITIES:
            made, case = corrupted(on_stand_ins, images, name, severity), f"{name}, severity {severity}"
            assert_close(made, shifted(images.astype(float), name, severity), "the image", atol=1e-5, case=case)
    require_noise(on_stand_ins, int(rng.integers(2**31)), gauge)
    require_blur(on_stand_ins, rng)
    black = corrupted(on_stand_ins, np.zeros((2, 3, 8, 8), "float32"), "noise", 5)
    require(float(black.min()) == 0, "what would be below 0 is 0", got=black.min(), case="noise on black")


@dataclass(frozen=True)
class Disturbed:
    """Images between 0 and 1, labels, and a linear net whose accuracies under each corruption are known."""

    images: np.ndarray  # (n, 3, h, w)
    labels: np.ndarray  # (n,)
    weight: np.ndarray  # (classes, 3 · h · w)
    bias: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    def normalised(self, images: np.ndarray) -> np.ndarray:
        return (images - self.mean.reshape(3, 1, 1)) / self.std.reshape(3, 1, 1)

    def logits(self, images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1) @ self.weight.T + self.bias

    def accuracies(self, name: str, see: Callable) -> np.ndarray:
        """Under one corruption at each severity; `see` is what the net is shown of (images, name, severity)."""
        answers = [self.logits(see(self.images, name, severity)).argmax(axis=1) for severity in SEVERITIES]
        return np.array([(answer == self.labels).mean() for answer in answers])

    def expected(self, name: str, normalise: bool) -> np.ndarray:
        return self.accuracies(name, lambda *of: self.normalised(shifted(*of)) if normalise else shifted(*of))

    def ask(self, student, corruptions: list[str], normalise: bool, seed: int = 0) -> pd.DataFrame:
        """The student's table."""
        model = student.make(recipe("FlatLinear", self.weight, self.bias))
        extra = [student.make(recipe("Scaled", self.mean, self.std))] if normalise else [None]
        pixels = 255 * self.images.transpose(0, 2, 3, 1)  # (n, h, w, 3)
        pictures = student.make(recipe("Pairs", pixels, self.labels, ["float"] * len(self.labels)))
        made = student.bonus.robustness(model, pictures, corruptions, accelerator(), *extra, seed)
        table = as_frame(made, "robustness' result")
        found = sorted(map(str, table.index))
        require(found == sorted(corruptions), "there is a row for each corruption", expected=corruptions, got=found)
        columns = list(map(str, table.columns))
        require(columns == list("12345"), "the columns are the severities", expected=list("12345"), got=columns)
        return table


def draw_disturbed(rng: np.random.Generator, normalise: bool) -> Disturbed:
    """Labels that the net mostly knows, and no image so near to two classes that rounding could decide."""
    n, values = 4 * IMAGES, 3 * SIDE * SIDE
    images = rng.uniform(0, 1, (n, 3, 1, 1)) + rng.uniform(-0.5, 0.5, (n, 3, SIDE, SIDE))
    images = images.clip(0, 1).astype("float32").astype("float64")
    mean, std = rng.uniform(0.3, 0.6, 3), rng.uniform(0.2, 0.3, 3)
    weight = (
        np.repeat(rng.normal(size=(CLASSES, 3)), SIDE * SIDE, axis=1) / 40 + rng.normal(size=(CLASSES, values)) / 30
    )
    case = Disturbed(images, np.zeros(n), weight, np.zeros(CLASSES), mean, std)
    look = case.normalised if normalise else lambda shown: shown
    case = replace(case, bias=-case.logits(look(images)).mean(axis=0))
    shown = [images, *(shifted(images, name, severity) for name in EXACT for severity in SEVERITIES)]
    ranked = np.sort(np.stack([case.logits(look(of)) for of in shown]), axis=2)  # (looks, n, classes)
    clear = np.flatnonzero((ranked[..., -1] - ranked[..., -2]).min(axis=0) > 1e-3)[:IMAGES]
    known = case.logits(look(images)).argmax(axis=1)
    labels = np.where(rng.random(n) < 0.15, rng.integers(CLASSES, size=n), known)
    return replace(case, images=images[clear], labels=labels[clear])


def first_that(tells: Callable[[Disturbed], bool], rng: np.random.Generator, normalise: bool) -> Disturbed:
    """The first draw with enough images that tells right from wrong."""
    cases = (draw_disturbed(rng, normalise) for _ in range(100))
    return next(case for case in cases if len(case.labels) == IMAGES and tells(case))


@reference
def plain(run: Run) -> Disturbed:
    """For a net that takes images between 0 and 1; each row has several accuracies."""
    varied = lambda case: all(len(set(case.expected(name, False))) > 3 for name in EXACT)  # noqa: E731
    return first_that(varied, run.rng("plain"), normalise=False)


@reference
def scaled(run: Run) -> Disturbed:
    """For a net that takes normalised images; forgetting that, doing it first, or clipping it changes each row."""

    def told_apart(case: Disturbed) -> bool:
        mistakes = (
            shifted,
            lambda images, name, severity: shifted(case.normalised(images), name, severity),
            lambda images, name, severity: case.normalised(shifted(images, name, severity)).clip(0, 1),
        )
        wrong = {name: [case.accuracies(name, see) for see in mistakes] for name in EXACT}
        return all((row != case.expected(name, True)).any() for name, rows in wrong.items() for row in rows)

    return first_that(told_apart, run.rng("scaled"), normalise=True)


@check(
    task="bonus",
    title="robustness gives the accuracy under each corruption at each severity",
    hint="A row for each corruption asked for, columns 1 to 5; corrupt all images afresh; noise by a generator of the seed.",
)
def test_robustness_table(on_stand_ins, plain):
    wanted = ["contrast", "noise", "brightness"]
    table = plain.ask(on_stand_ins, wanted, normalise=False)
    for name in EXACT:
        row = as_array(table.loc[name], "accuracies", case=name)
        assert_close(row, plain.expected(name, False), "the accuracies from severity 1 to 5", case=name)
    noisy = as_array(table.loc["noise"], "accuracies", case="noise")
    whole = noisy * IMAGES
    fits = bool((np.abs(whole - whole.round()) < 1e-3).all() and (noisy >= 0).all() and (noisy <= 1).all())
    require(fits, "an accuracy is a number of images by all images", got=noisy, case="noise")
    once_more = plain.ask(on_stand_ins, wanted, normalise=False)
    assert_close(once_more.loc["noise"], noisy, "the row of noise, of the same call once more,")


@check(
    task="bonus",
    title="robustness normalises images after they were corrupted",
    hint="corrupt takes images between 0 and 1 and clips to that; then comes normalize, then the model.",
)
def test_robustness_normalised(on_stand_ins, scaled):
    table = scaled.ask(on_stand_ins, ["brightness", "blur", "contrast"], normalise=True)
    for name in EXACT:
        row = as_array(table.loc[name], "accuracies", case=name)
        assert_close(row, scaled.expected(name, True), "the accuracies from severity 1 to 5", case=name)


def severities_of(points: np.ndarray, ticks: tuple[str, ...]) -> bool:
    """Whether points stand over the severities, by number or by the words on the axis."""
    by_words = np.array_equal(points, range(5)) and list(ticks[:5]) == list("12345")
    return np.array_equal(points, SEVERITIES) or by_words


@check(
    task="bonus",
    title="plot_robustness draws a line for each corruption",
    hint="One axis; accuracy over the severities 1 to 5; label=name and a legend; a title, and labels on both axes.",
)
def test_robustness_plot(on_stand_ins, rng):
    names = rng.permutation(list(STRENGTHS))[:3].tolist()
    results = pd.DataFrame(rng.uniform(0.2, 0.9, (3, 5)).round(4), index=names, columns=list(SEVERITIES))
    figure = as_figure(on_stand_ins.bonus.plot_robustness(results), "plot_robustness' result", axes=1)
    drawn = [axis for axis in figure.axes if axis.has_data]
    require(len(drawn) == 1, "all lines are on one axis", expected=1, got=len(drawn))
    axis = drawn[0]
    titled = bool((axis.title + figure.title).strip() and axis.xlabel.strip() and axis.ylabel.strip())
    require(titled, "there are a title and labels on both axes", got=(axis.title, axis.xlabel, axis.ylabel))
    scale = 100 if "%" in axis.ylabel or "per" in axis.ylabel.lower() else 1
    lines = [line for line in axis.lines if severities_of(line.values[:, 0], axis.ticks[0])]
    require(
        len(lines) >= len(names), "a line over the severities 1 to 5 for each corruption", got=f"{len(lines)} lines"
    )
    absent = [name for name in names if not any(name in entry.lower() for entry in axis.legend)]
    require(not absent, "the legend names each corruption", expected=absent, got=axis.legend)
    for place, name in enumerate(entry for entry in axis.legend if any(name in entry.lower() for name in names)):
        # ax.legend(names) labels no line: then the legend's order is the lines'
        own = [line for line in lines if line.label == name] or lines[place : place + 1]
        right = results.loc[next(known for known in names if known in name.lower())]
        near = any(np.allclose(line.values[:, 1], scale * right, atol=1e-6) for line in own)
        require(near, f"the line called {name} has its accuracies", expected=right.tolist(), got=own[0].values[:, 1])
