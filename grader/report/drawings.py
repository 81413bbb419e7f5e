"""Exhibits as inline SVG, drawn by matplotlib from plain numbers: for light, dark and paper, at any width.

What is drawn in ink takes the page's own colour: https://www.w3.org/TR/css-color-4/#currentcolor-color
"""

import re
from io import StringIO
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from grader.exhibits import Exhibit, ExhibitKind, Series

INK = "#010203"  # no colour of any line: stands for the page's own
COLOURS = ("#3f7fd6", "#d07a1f", "#2a9d6f", "#a05fc4")  # 3:1 at least on white and on the dark page
SHADES = LinearSegmentedColormap.from_list("shades", ["#cfdff6", "#2456a6"])
PALE = 0.5  # of the largest count, from which on numbers are white
SIZE = (5.2, 3.6)  # inches
PLAIN = {"left": 0.15, "bottom": 0.15, "right": 0.985, "top": 0.97}
MARGINS = {
    ExhibitKind.SCATTER: PLAIN,
    ExhibitKind.LINES: PLAIN,
    ExhibitKind.MATRIX: {"left": 0.22, "bottom": 0.3, "right": 0.985, "top": 0.97},
}
"""Parts of the figure; a layout that is worked out takes as long again as the drawing."""
STYLE: dict[Any, object] = {  # matplotlib has a type of its own for these names
    "svg.fonttype": "none",
    "font.size": 11.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "path.simplify": True,
}


def drawing_of(exhibit: Exhibit, number: int) -> Markup:
    """One exhibit as an `<svg>` element; `number` tells it from the others on its page."""
    draw = {ExhibitKind.SCATTER: _scatter, ExhibitKind.MATRIX: _matrix, ExhibitKind.LINES: _lines}[exhibit.kind]
    with mpl.rc_context(STYLE | {"svg.hashsalt": f"exhibit {number}"}):
        figure = Figure(figsize=SIZE)
        figure.subplots_adjust(**MARGINS[exhibit.kind])
        axis = figure.add_subplot()
        draw(axis, exhibit)
        axis.set(xlabel=exhibit.x, ylabel=exhibit.y)
        written = StringIO()
        FigureCanvasSVG(figure).print_svg(written, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return Markup(_inline(written.getvalue(), exhibit, number))


def _scatter(axis: Axes, exhibit: Exhibit) -> None:
    x, y = map(_values, exhibit.series)
    both = np.concatenate([x[np.isfinite(x)], y[np.isfinite(y)]])
    ends = (both.min(), both.max())
    axis.plot(ends, ends, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.6)
    axis.plot(x, y, "o", color=COLOURS[0], markersize=4.5, alpha=0.7, markeredgewidth=0)
    _grid(axis)


def _lines(axis: Axes, exhibit: Exhibit) -> None:
    for series, colour in zip(exhibit.series, _repeated(len(exhibit.series)), strict=True):
        values = _values(series)
        marker = "o" if len(values) <= 30 else None
        axis.plot(np.arange(1, len(values) + 1), values, color=colour, marker=marker, markersize=3.5, label=series.name)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(exhibit.series) > 1:
        axis.legend()
    _grid(axis)


def _matrix(axis: Axes, exhibit: Exhibit) -> None:
    counts = np.stack([_values(series) for series in exhibit.series])  # (true class, predicted class)
    shown = np.ma.masked_where(~(counts > 0), counts)
    most = float(np.nanmax(counts)) if np.isfinite(counts).any() else 0.0
    axis.pcolormesh(shown, cmap=SHADES, vmin=0, vmax=max(most, 1e-9), edgecolors="none")
    for (row, column), count in np.ndenumerate(counts):
        if count > 0:
            colour = "#ffffff" if count > PALE * most else "#0a1a33"
            axis.text(column + 0.5, row + 0.5, f"{count:g}", ha="center", va="center", fontsize=9.5, color=colour)
    names, places = [series.name for series in exhibit.series], np.arange(len(counts)) + 0.5
    axis.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
    axis.set_yticks(places, names)
    axis.tick_params(length=0)
    axis.invert_yaxis()
    for spine in axis.spines.values():
        spine.set(visible=True, alpha=0.3)


def _grid(axis: Axes) -> None:
    axis.grid(color=INK, alpha=0.12, linewidth=0.8)
    axis.set_axisbelow(True)
    for spine in axis.spines.values():
        spine.set_alpha(0.5)


def _values(series: Series) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in series.values], dtype="float64")


def _repeated(count: int) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number in range(count)]


def _inline(svg: str, exhibit: Exhibit, number: int) -> str:
    """matplotlib's file as an element: without prologue, in the page's colour, with names that are nobody else's, and words
    for those who do not see it."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", element, flags=re.DOTALL)
    element = re.sub(r'\bid="', f'id="e{number}-', element)
    element = re.sub(r"url\(#", f"url(#e{number}-", element)
    element = re.sub(r'href="#', f'href="#e{number}-', element)
    element = re.sub(r"""font: ([\d.]+)px [^;"]*""", r"font-size: \1px", element)
    head = f'<svg role="img" aria-label="{Markup.escape(f"{exhibit.title}. {_in_words(exhibit)}")}"'
    return element.replace(INK, "currentColor").replace("<svg", head, 1)


def _in_words(exhibit: Exhibit) -> str:
    """The least that can be said of it."""
    if exhibit.kind is ExhibitKind.MATRIX:
        right = sum(series.values[place] or 0 for place, series in enumerate(exhibit.series))
        total = sum(value or 0 for series in exhibit.series for value in series.values)
        return f"{right:g} of {total:g} on the diagonal."
    if exhibit.kind is ExhibitKind.SCATTER:
        return f"{len(exhibit.series[0].values)} points of {exhibit.y} against {exhibit.x}."
    ends = [(s.name, [v for v in s.values if v is not None]) for s in exhibit.series]
    return " ".join(f"{name}: from {known[0]:g} to {known[-1]:g}." for name, known in ends if known)
