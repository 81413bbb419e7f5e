"""What a figure shows, as plain data: axes, words, and the drawn numbers.

`summarise` runs beside the student's code; `Figure.from_plain` makes the trusted summary, checking each field.
"""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.errors import ProtocolError

MAX_AXES = 64
MAX_ARTISTS = 200
MAX_TEXTS = 500
TEXT_FIELDS = ("title", "xlabel", "ylabel", "xscale", "yscale")


@dataclass(frozen=True)
class Drawn:
    """Something drawn: `values` are (n, 2) points of a line or scatter, (n, 4) x, y, width, height of bars, or an image."""

    values: np.ndarray
    label: str


@dataclass(frozen=True)
class Axes:
    """One axis of a figure."""

    title: str
    xlabel: str
    ylabel: str
    xscale: str
    yscale: str
    legend: tuple[str, ...]
    ticks: tuple[tuple[str, ...], tuple[str, ...]]
    """Tick labels along x and y."""
    texts: tuple[str, ...]
    looks: tuple[str, ...]
    """Colours of what surrounds the data, as #rrggbb: the title's, the frame's where it is drawn, the texts'."""
    lines: tuple[Drawn, ...]
    points: tuple[Drawn, ...]
    bars: tuple[Drawn, ...]
    images: tuple[Drawn, ...]

    @property
    def has_data(self) -> bool:
        return bool(self.lines or self.points or self.bars or self.images)

    @property
    def words(self) -> str:
        """Title and axis labels in one lower-case text."""
        return " ".join((self.title, self.xlabel, self.ylabel, *self.legend)).lower()


@dataclass(frozen=True)
class Figure:
    """A matplotlib figure's summary."""

    title: str
    axes: tuple[Axes, ...]

    @property
    def words(self) -> str:
        """All titles and labels in one lower-case text."""
        return " ".join((self.title.lower(), *(axis.words for axis in self.axes)))

    @classmethod
    def from_plain(cls, plain: Any) -> "Figure":
        """The summary from what the worker sent.

        Raises:
            ProtocolError: it is not the shape that `summarise` gives.
        """
        try:
            return cls(_text(plain["title"]), tuple(_axes(axis) for axis in plain["axes"][:MAX_AXES]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ProtocolError(f"malformed figure: {error}") from None


def _axes(plain: Any) -> Axes:
    return Axes(
        **{name: _text(plain[name]) for name in TEXT_FIELDS},
        legend=_texts(plain["legend"]),
        ticks=(_texts(plain["ticks"][0]), _texts(plain["ticks"][1])),
        texts=_texts(plain["texts"]),
        looks=_texts(plain["looks"]),
        lines=_drawn(plain["lines"], 2),
        points=_drawn(plain["points"], 2),
        bars=_drawn(plain["bars"], 4),
        images=_drawn(plain["images"], None),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("expected text")
    return value[:1000]


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(_text(value) for value in values[:MAX_TEXTS])


def _drawn(items: Any, width: int | None) -> tuple[Drawn, ...]:
    drawn = []
    for values, label in items[:MAX_ARTISTS]:
        array = np.asarray(values, dtype=np.float64)
        if width is not None and not (array.ndim == 2 and array.shape[1] == width):
            raise ValueError(f"expected {width} numbers for each thing drawn")
        drawn.append(Drawn(array, _text(label)))
    return tuple(drawn)


def summarise(thing: object) -> tuple[str, Any] | None:
    """`("figure", plain data)` for a matplotlib figure, or the figure of an Axes; None for anything else."""
    figure_module = sys.modules.get("matplotlib.figure")
    if figure_module is None or not isinstance(thing, figure_module.Figure):
        return None
    title = thing.get_suptitle()
    return "figure", {"title": title, "axes": [_plain_axes(axis) for axis in thing.axes[:MAX_AXES]]}


def _plain_axes(axis: Any) -> dict[str, Any]:
    from matplotlib.collections import PathCollection, QuadMesh
    from matplotlib.patches import Polygon, Rectangle, StepPatch

    legends = [*filter(None, [axis.get_legend()]), *axis.figure.legends]  # the figure's own tells of every axis
    patches, collections = (list(filter(_is_seen, artists)) for artists in (axis.patches, axis.collections))
    bars = [patch for patch in patches if isinstance(patch, Rectangle)]
    outlines = [[patch.get_xy(), ""] for patch in patches if isinstance(patch, Polygon)]  # histtype="step"
    stairs = [[_steps(patch), ""] for patch in patches if isinstance(patch, StepPatch)]
    scatters = [item for item in collections if isinstance(item, PathCollection)]
    pictures = [*filter(_is_seen, axis.images), *(item for item in collections if isinstance(item, QuadMesh))]
    return {
        **{name: getattr(axis, f"get_{name}")() for name in TEXT_FIELDS},
        "title": " ".join(filter(None, (axis.get_title(loc=side) for side in ("left", "center", "right")))),
        "legend": [text.get_text() for legend in legends for text in legend.get_texts()],
        "ticks": [[label.get_text() for label in labels()] for labels in (axis.get_xticklabels, axis.get_yticklabels)],
        "texts": [text.get_text() for text in axis.texts],
        "lines": [*([_line(line), str(line.get_label())] for line in axis.lines if _is_seen(line)), *outlines, *stairs],
        "points": [[np.ma.filled(item.get_offsets(), np.nan), str(item.get_label())] for item in scatters],
        "bars": [[_rectangles(bars), ""]] if bars else [],
        "looks": _looks(axis),
        "images": [[_picture(item), str(item.get_label())] for item in pictures],
    }


def _is_seen(artist: Any) -> bool:
    """Whether it is drawn at all: neither hidden nor fully transparent."""
    return bool(artist.get_visible()) and not np.array_equal(artist.get_alpha(), 0)


def _looks(axis: Any) -> list[str]:
    from matplotlib.colors import to_hex
    from matplotlib.text import Text

    words = [child for child in axis.get_children() if isinstance(child, Text) and child.get_text()]
    frame = [spine for spine in axis.spines.values() if spine.get_visible() and axis.axison]
    colours = [*(text.get_color() for text in words), *(spine.get_edgecolor() for spine in frame)]
    return [to_hex(colour) for colour in colours]


def _picture(image: Any) -> np.ndarray:
    """What an image shows: (rows, columns) of numbers, or (rows, columns, channels) of colours."""
    values = np.ma.asarray(image.get_array())
    return np.ma.filled(values.astype(float), np.nan)


def _line(line: Any) -> np.ndarray:
    return np.column_stack(
        [np.asarray(line.get_xdata(orig=False), float), np.asarray(line.get_ydata(orig=False), float)]
    )


def _steps(patch: Any) -> np.ndarray:
    """The corners of what `Axes.stairs` draws: (2 · steps, 2)."""
    values, edges, _ = patch.get_data()
    return np.column_stack([np.repeat(edges, 2)[1:-1], np.repeat(values, 2)])


def _rectangles(bars: list) -> np.ndarray:
    return np.array([[bar.get_x(), bar.get_y(), bar.get_width(), bar.get_height()] for bar in bars], dtype=float)
