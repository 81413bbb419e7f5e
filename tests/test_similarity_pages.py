"""The pages of similarity, read back as a browser would: what is linked is there, and nothing that students wrote acts."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from chromium import CHROMIUM, seen_at
from disguises import renamed, write
from typer.testing import CliRunner

from grader.cli import app
from grader.course import Course

ROOT = Path(__file__).parents[1]
NAME = "house_prices"
SOLUTION = {file: (Course(ROOT).solution(NAME) / file).read_text("utf-8") for file in ("train.py", "evaluate.py")}
EVIL = '"><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>'


class Page(HTMLParser):
    """All that a browser would make of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        self.attributes |= found.keys()
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    folder, out = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("out") / "similar"
    write(folder / "ada", SOLUTION)
    hidden = renamed(SOLUTION["train.py"]) + f"\n# {EVIL}\n# \u202eevil\x1b[31m\n"
    write(folder / f"ben {EVIL.replace('/', '')}", {"train.py": hidden, "evaluate.py": SOLUTION["evaluate.py"]})
    write(folder / "chloe", {"train.py": SOLUTION["train.py"], f"{EVIL.replace('/', '')}.py": "def f(:"})
    ended = CliRunner().invoke(
        app, ["similar", str(folder), "--assignment", NAME, "--out", str(out), "--course", str(ROOT)]
    )
    assert ended.exit_code == 0, ended.output
    assert f"Side by side: {out / 'index.html'}" in ended.stdout
    return out


def test_every_link_leads_somewhere(pages):
    index = Page(pages / "index.html")
    inside = [link for link in index.links if not link.startswith("#")]
    assert len(inside) == 3
    assert all((pages / link).is_file() for link in inside)
    for path in (pages / link for link in inside):
        page = Page(path)
        assert len(set(page.ids)) == len(page.ids)
        local = {link.removeprefix("#") for link in page.links if link.startswith("#")}
        assert local
        assert local <= set(page.ids)
        assert [(path.parent / link).resolve() for link in page.links if not link.startswith("#")] == [
            pages / "index.html"
        ]


def test_a_page_shows_both_and_each_passage_on_both_sides(pages):
    page = Page(pages / "pairs" / "0001.html")
    assert "self.linear = nn.Linear(n_features, 1)" in page.text
    sides = [{one[1:] for one in page.ids if one.startswith(letter)} for letter in "LR"]
    assert sides[0] == sides[1] != set()


@pytest.mark.parametrize("where", ["index.html", "pairs/0001.html", "pairs/0002.html", "pairs/0003.html"])
def test_nothing_that_students_wrote_acts(pages, where):
    text = (pages / where).read_text("utf-8")
    page = Page(pages / where)
    assert not {"script", "img", "iframe", "link", "object", "form", "base"} & set(page.tags)
    assert not [name for name in page.attributes if name.startswith("on")]
    assert not [link for link in page.links if re.match(r"[a-z]+:|//", link)]
    assert (
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        in text
    )
    assert not {"\u202e", "\x1b"} & set(text)
    assert "a reason to look, not a verdict" in page.text


def test_lines_are_those_of_each_ones_own_code(pages):
    lines = re.findall(r"<small>(\d+) of (\d+) lines</small>", (pages / "index.html").read_text("utf-8"))
    told = json.loads((pages / "similarity.json").read_text("utf-8"))["pairs"]
    assert lines == [(str(side["shared_lines"]), str(side["own_lines"])) for pair in told for side in pair]
    assert len(set(lines)) > 1


def test_a_pair_of_many_who_have_the_same_is_shown_with_all_passages(tmp_path):
    for number in range(12):
        write(tmp_path / "class" / f"student {number:02}", SOLUTION)
    arguments = ["similar", str(tmp_path / "class"), "--assignment", NAME, "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, [*arguments, "--course", str(ROOT)]).exit_code == 0
    index, pair = Page(tmp_path / "out" / "index.html"), Page(tmp_path / "out" / "pairs" / "0001.html")
    assert index.text.count("all: identical") == 66
    assert "of 12 students so much that there may be more pairs; --common 1 counts it." in index.text
    assert "student 00 and student 01 handed in the same" in pair.text
    assert {one[0] for one in pair.ids} == {"L", "R"}
    assert len(pair.ids) > 10


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)")
@pytest.mark.parametrize("width", [390, 500, 1280])
def test_the_index_is_read_without_scrolling_sideways_and_words_stay_whole(pages, tmp_path, width):
    """Names have the room of a few words, and what is narrower is no taller than three lines."""
    widths = "Math.min(...all('.pair').map((one) => one.clientWidth))"
    heights = "Math.max(...all('.side, .files').map((one) => one.clientHeight))"
    wide, of, name, high = seen_at(
        width, pages / "index.html", f"page.scrollWidth, page.clientWidth, {widths}, {heights}", tmp_path
    )
    assert wide <= of
    assert width - 20 <= of <= width
    assert name >= 140
    if width < 1280:
        assert high <= 100


def test_what_was_not_compared_is_named(pages):
    assert "a syntax error in line 1" in Page(pages / "index.html").text
    assert len(json.loads((pages / "similarity.json").read_text("utf-8"))["pairs"]) == 3


def test_what_is_there_is_not_overwritten(pages):
    before = sorted(path.stat().st_mtime_ns for path in pages.rglob("*"))
    arguments = ["similar", str(ROOT / "tests/alternatives" / NAME), "--assignment", NAME, "--out", str(pages)]
    ended = CliRunner().invoke(app, [*arguments, "--course", str(ROOT)])
    assert ended.exit_code == 2
    assert "there already" in ended.stderr
    assert sorted(path.stat().st_mtime_ns for path in pages.rglob("*")) == before
