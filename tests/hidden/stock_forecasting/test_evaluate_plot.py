"""Task 5, the picture: by the numbers that are drawn and the words that are said."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from grader.suite import Run, as_figure, check, reference, require
from grader.suite.figures import Axes, Figure

N = 25
CURRENCIES = ("EUR", "GBP", "CHF", "JPY", "SEK", "PLN")
OF_ACTUAL, OF_FORECAST = ("actual", "true", "real", "observed"), ("predict", "forecast", "estimate", "model")


@dataclass(frozen=True)
class Season:
    """Days with gaps, what came and what was forecast."""

    dates: pd.DatetimeIndex
    actual: np.ndarray
    predicted: np.ndarray
    currency: str


@reference
def season(run: Run) -> Season:
    """Days out of many, so that neither their number nor a calendar gives their places."""
    rng = run.rng("season")
    days = np.sort(rng.choice(pd.bdate_range("2018-01-01", periods=900), N, replace=False))
    actual = rng.uniform(50, 90, N)
    return Season(pd.DatetimeIndex(days), actual, actual + rng.normal(0, 3, N), str(rng.choice(CURRENCIES)))


def drawn(student, season: Season) -> Figure:
    """The figure with a currency of its own, asked for once."""
    ask = lambda: student.evaluate.plot_forecast(  # noqa: E731
        season.dates, season.actual, season.predicted, season.currency
    )
    return as_figure(student.once("plot_forecast", ask), "plot_forecast's result", axes=1)


def only_axis(figure: Figure) -> Axes:
    axes = [axis for axis in figure.axes if axis.has_data]
    require(len(axes) == 1, "one axis has both lines", expected="1 axis", got=f"{len(axes)} axes")
    return axes[0]


def same_line(values: np.ndarray, prices: np.ndarray) -> bool:
    """Whether these are the points' heights, in any precision."""
    return bool(np.allclose(values[:, 1], prices, rtol=1e-5))


@check(
    title="plot_forecast draws actual and predicted prices over their dates",
    hint="Two lines: x are the dates themselves: not shifted, no row numbers, no text; the actual prices come first, "
    "and each line has its own name in the legend.",
)
def test_plot_lines(student, season):
    axis = only_axis(drawn(student, season))
    lines = [line for line in axis.lines if len(line.values) == N]
    places = []
    for name, prices in (("actual", season.actual), ("predicted", season.predicted)):
        fitting = [i for i, line in enumerate(lines) if same_line(line.values, prices)]
        require(len(fitting) == 1, f"one line shows the {name} prices", expected=1, got=len(fitting))
        places += fitting
    require(len(lines) == 2, "there are two lines over all days", expected=2, got=len(lines))
    days = ((season.dates - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)).to_numpy()
    for line in lines:
        x = line.values[:, 0]
        right = bool(np.allclose(x, days, rtol=0, atol=1e-3))
        require(right, "x is a date, which matplotlib counts in days from 1970 on", expected=days[:3], got=x[:3])
    require(places == [0, 1], "the actual prices are the first line", got="the predicted ones first")
    require_names(axis, [lines[i].label for i in places])


def require_names(axis: Axes, labels: list[str]) -> None:
    """The legend has a name for each line, and none says that the one is the other."""
    if any(label.startswith("_") for label in labels):  # the legend was given its names in the order of the lines
        labels = list(axis.legend[:2])
    named = len(labels) == 2 and all(label.strip() and label in axis.legend for label in labels)
    require(named and labels[0] != labels[1], "the legend names both lines", expected="two names", got=axis.legend)
    for label, others, own in zip(labels, (OF_FORECAST, OF_ACTUAL), (OF_ACTUAL, OF_FORECAST), strict=True):
        words = label.lower()
        swapped = any(word in words for word in others) and not any(word in words for word in own)
        require(not swapped, "each line has its own name", expected=f"a name of the {own[0]} prices", got=label)


@check(
    title="plot_forecast says what is shown and in which unit",
    hint="A title, labels of both axes, and the currency that was passed in the label of y; US dollars by default.",
)
def test_plot_words(student, season):
    usual = student.evaluate.plot_forecast(season.dates, season.actual, season.predicted)
    for currency, figure in ((season.currency, drawn(student, season)), ("USD", usual)):
        figure = as_figure(figure, "plot_forecast's result", axes=1)
        axis, case = only_axis(figure), f"prices in {currency}"
        heights = [line.values for line in axis.lines if len(line.values) == N]
        shown = any(same_line(values, prices) for values in heights for prices in (season.actual, season.predicted))
        require(
            shown, "what the words are about is drawn", got=f"{len(heights)} lines, none through the prices", case=case
        )
        require(bool((figure.title + axis.title).strip()), "the figure has a title", got=axis.title, case=case)
        require(bool(axis.xlabel.strip()), "the axis of dates has a label", got=axis.xlabel, case=case)
        require(
            currency in axis.ylabel.upper(), "y's label has the unit", expected=currency, got=axis.ylabel, case=case
        )
