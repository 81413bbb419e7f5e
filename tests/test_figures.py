"""A figure's summary holds what matplotlib drew, and refuses what is not a summary."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from grader.errors import ProtocolError
from grader.suite.figures import Figure, summarise


@pytest.fixture
def figure():
    drawn, (left, right) = plt.subplots(1, 2)
    left.hist([1, 2, 2, 3], bins=3)
    left.set(title="Prices", xlabel="dollars", ylabel="houses")
    right.plot([0, 1], [5, 6], label="line")
    right.scatter([1, 2, 3], [4, 5, 6], label="points")
    right.imshow(np.eye(2), extent=(0, 1, 0, 1))
    right.legend()
    right.set_xscale("linear")
    drawn.suptitle("Both")
    yield drawn
    plt.close(drawn)


def test_a_summary_holds_what_was_drawn(figure):
    kind, plain = summarise(figure)
    summary = Figure.from_plain(plain)
    left, right = summary.axes
    assert kind == "figure"
    assert summary.title == "Both"
    assert (left.title, left.xlabel, left.ylabel) == ("Prices", "dollars", "houses")
    np.testing.assert_allclose(left.bars[0].values[:, 3], [1, 2, 1])
    np.testing.assert_allclose(right.lines[0].values, [[0, 5], [1, 6]])
    np.testing.assert_allclose(right.points[0].values, [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_allclose(right.images[0].values, np.eye(2))
    assert set(right.legend) == {"line", "points"}
    assert "dollars" in summary.words


@pytest.mark.parametrize("draw", ["step", "stepfilled", "stairs"])
def test_histograms_of_every_style_are_seen(draw):
    drawn, axis = plt.subplots()
    if draw == "stairs":
        axis.stairs(*np.histogram([1, 2, 2, 4], bins=3))
    else:
        axis.hist([1, 2, 2, 4], bins=3, histtype=draw)
    (summary,) = Figure.from_plain(summarise(drawn)[1]).axes
    plt.close(drawn)
    assert summary.has_data
    corners = summary.lines[0].values
    assert (corners[:, 0].min(), corners[:, 0].max(), corners[:, 1].max()) == (1, 4, 2)


def test_other_objects_have_no_summary():
    assert summarise(object()) is None
    assert summarise([1, 2]) is None


@pytest.mark.parametrize("change", [{"axes": 3}, {"title": 7}, {"axes": [{}]}, {"axes": [None]}])
def test_nonsense_is_refused(figure, change):
    _, plain = summarise(figure)
    with pytest.raises(ProtocolError):
        Figure.from_plain({**plain, **change})


def test_drawn_things_have_the_right_width(figure):
    _, plain = summarise(figure)
    plain["axes"][1]["lines"] = [[np.zeros((3, 7)), "lying"]]
    with pytest.raises(ProtocolError):
        Figure.from_plain(plain)


def test_titles_at_any_place_and_the_looks_of_the_frame_are_told():
    drawn, axis = plt.subplots()
    axis.set_title("cat", loc="left", color="#ff0000")
    axis.text(0, 0, "note", color="#00ff00")
    for spine in axis.spines.values():
        spine.set_edgecolor("#0000ff")
    summary = Figure.from_plain(summarise(drawn)[1]).axes[0]
    axis.axis("off")
    without_frame = Figure.from_plain(summarise(drawn)[1]).axes[0]
    plt.close(drawn)
    assert summary.title == "cat"
    assert set(summary.looks) == {"#ff0000", "#00ff00", "#0000ff"}
    assert set(without_frame.looks) == {"#ff0000", "#00ff00"}


def test_a_mesh_counts_as_an_image():
    drawn, axis = plt.subplots()
    values = np.arange(6.0).reshape(2, 3)
    axis.pcolormesh(values)
    summary = Figure.from_plain(summarise(drawn)[1]).axes[0]
    plt.close(drawn)
    np.testing.assert_array_equal(summary.images[0].values, values)


def test_a_legend_of_the_whole_figure_tells_of_each_axis():
    drawn, axes = plt.subplots(1, 2)
    for axis in axes:
        axis.plot([0, 1], label="training")
    drawn.legend(["training"])
    summary = Figure.from_plain(summarise(drawn)[1])
    plt.close(drawn)
    assert [axis.legend for axis in summary.axes] == [("training",)] * 2
