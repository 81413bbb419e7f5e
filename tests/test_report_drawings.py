"""Exhibits as pictures: well-formed SVG from numbers alone, in the page's colours, that can stand beside others."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from made_up_class import assignment_of, graded, store_of

from grader.exhibits import Exhibit, ExhibitKind, Series
from grader.report import write_report
from grader.report.drawings import COLOURS, INK, drawing_of

HOSTILE = "</svg><script>alert(1)</script>\" onload=\"alert(1) & 'x'"
ASSIGNMENT = assignment_of()


def exhibit(kind: ExhibitKind, *rows: tuple, title: str = "Title", names: str = "abcdef") -> Exhibit:
    series = tuple(Series(name, tuple(row)) for name, row in zip(names, rows, strict=False))
    return Exhibit("train", title, kind, series, "the x", "the y")


LINES = exhibit(ExhibitKind.LINES, (3.0, 2.0, 1.5), (3.5, None, 2.0))
SCATTER = exhibit(ExhibitKind.SCATTER, (1.0, 2.0, 5.0), (1.5, None, 4.0))
MATRIX = exhibit(ExhibitKind.MATRIX, (5.0, 1.0), (0.0, 7.0))
EDGES = {
    "one value": exhibit(ExhibitKind.LINES, (1.0,)),
    "all alike": exhibit(ExhibitKind.LINES, (2.0, 2.0, 2.0)),
    "a hole": exhibit(ExhibitKind.LINES, (None, 2.0)),
    "a line without numbers": exhibit(ExhibitKind.LINES, (None, None), (1.0, 2.0)),
    "large": exhibit(ExhibitKind.LINES, (-1e15, 1e15)),
    "one point": exhibit(ExhibitKind.SCATTER, (1.0,), (1.0,)),
    "half a point": exhibit(ExhibitKind.SCATTER, (1.0, 2.0), (None, 3.0)),
    "an empty matrix": exhibit(ExhibitKind.MATRIX, (0.0, 0.0), (0.0, 0.0)),
    "a matrix with a hole": exhibit(ExhibitKind.MATRIX, (None, 1.0), (2.0, -3.0)),
    "many lines": exhibit(ExhibitKind.LINES, *[(1.0, float(n)) for n in range(6)]),
    "many numbers": exhibit(ExhibitKind.LINES, [float(n % 7) for n in range(2000)]),
}


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def words_of(svg: str) -> list[str]:
    return [element.text for element in parsed(svg).iter() if element.tag.endswith("text") and element.text]


@pytest.mark.parametrize("one", [LINES, SCATTER, MATRIX, *EDGES.values()], ids=["lines", "scatter", "matrix", *EDGES])
def test_every_kind_is_well_formed_and_loads_nothing(one):
    svg = drawing_of(one, 1)
    root = parsed(svg)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "path", "defs", "use", "text", "clipPath", "rect"}
    addresses = [value for element in root.iter() for name, value in element.attrib.items() if name.endswith("href")]
    assert all(address.startswith("#e1-") for address in addresses)
    assert {"the x", "the y"} <= set(words_of(svg))
    assert INK not in svg
    assert len(svg) < 120_000


def test_words_and_numbers_are_those_of_the_exhibit():
    assert {"a", "b"} <= set(words_of(drawing_of(LINES, 1)))
    assert sorted(word for word in words_of(drawing_of(MATRIX, 1)) if word.isdigit()) == ["1", "5", "7"]
    assert parsed(drawing_of(MATRIX, 1)).attrib["aria-label"] == "Title. 12 of 13 on the diagonal."
    assert parsed(drawing_of(LINES, 1)).attrib["aria-label"] == "Title. a: from 3 to 1.5. b: from 3.5 to 2."
    svg = drawing_of(LINES, 1)
    assert all(colour in svg for colour in COLOURS[:2])
    assert "currentColor" in svg


def test_points_lie_where_the_numbers_are():
    svg = drawing_of(exhibit(ExhibitKind.SCATTER, (0.0, 10.0, 5.0), (0.0, 10.0, 5.0)), 1)
    places = re.findall(r'<use xlink:href="#[^"]*" x="([\d.]+)" y="([\d.]+)" style="fill: #3f7fd6', svg)
    points = sorted((float(x), -float(y)) for x, y in places)
    assert len(points) == 3
    (x0, y0), (x1, y1), (x2, y2) = points
    assert (x1 - x0, y1 - y0) == pytest.approx(((x2 - x0) / 2, (y2 - y0) / 2), abs=0.01)


def test_a_title_cannot_leave_its_place():
    svg = drawing_of(exhibit(ExhibitKind.LINES, (1.0, 2.0), (2.0, 1.0), title=HOSTILE, names=["<b>", "&amp;"]), 1)
    root = parsed(svg)
    assert root.attrib["aria-label"].startswith(HOSTILE)
    assert set(root.attrib) == {"role", "aria-label", "width", "height", "viewBox", "version"}
    assert "<b>" in words_of(svg)


def test_two_on_a_page_share_no_names():
    ids = [set(re.findall(r'\bid="([^"]*)"', drawing_of(one, number))) for number, one in enumerate((LINES, LINES))]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_the_same_numbers_give_the_same_picture():
    assert drawing_of(SCATTER, 2) == drawing_of(SCATTER, 2)


def test_they_stand_on_the_students_page_and_on_no_other(tmp_path):
    ada = replace(graded(ASSIGNMENT, "ada", [True] * len(ASSIGNMENT.checks)), exhibits=(LINES, SCATTER, MATRIX))
    ben = graded(ASSIGNMENT, "ben", [True] * len(ASSIGNMENT.checks))
    out = tmp_path / "report"
    write_report(store_of(tmp_path / "out", [ada, ben], ASSIGNMENT), ASSIGNMENT, out)
    pages = {
        name: BeautifulSoup((out / name).read_text("utf-8"), "html.parser")
        for name in ("students/ada.html", "students/ben.html", "index.html")
    }
    figures = pages["students/ada.html"]("figure")
    assert [figure.figcaption.get_text(strip=True) for figure in figures] == ["Task 3.Title"] * 3
    assert all(figure.svg["role"] == "img" for figure in figures)
    names = [tag["id"] for tag in pages["students/ada.html"](id=True)]
    assert len(names) == len(set(names))
    assert not pages["students/ben.html"]("figure")
    assert len(pages["index.html"]("figure")) == 1
