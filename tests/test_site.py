"""The documentation's site: built without a warning, from the texts of the repository, and loading nothing from elsewhere."""

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site as CI builds it."""
    folder = tmp_path_factory.mktemp("site")
    ended = subprocess.run(
        [Path(sys.executable).with_name("mkdocs"), "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert "WARNING" not in ended.stderr
    return folder


@pytest.fixture(scope="module")
def hook():
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs" / "pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Addresses(HTMLParser):
    """What a page links to, and what it loads."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("script", "img", "iframe") and found.get("src"):
            self.loaded.append(found["src"])
        if tag == "link" and found.get("rel") == "stylesheet":
            self.loaded.append(found["href"])


def test_every_page_of_every_text_is_there(site):
    texts = [*(ROOT / "docs").glob("*.md"), *(ROOT / "assignments").glob("*/README.md")]
    names = {path.stem if path.parent.name == "docs" else path.parent.name for path in texts}
    for name in names | {"students", "instructors", "authors", "security"}:
        assert (site / name / "index.html").is_file(), name
    assert (site / "index.html").is_file()


def test_every_page_can_be_reached_from_the_start(site):
    start = set(Addresses(site / "index.html").links)
    for page in site.glob("*/index.html"):
        assert f"{page.parent.name}/" in start, f"{page.parent.name} is not in the navigation of mkdocs.yml"


def test_nothing_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        assert not [address for address in Addresses(page).loaded if re.match(r"(https?:)?//", address)], page


def test_links_between_texts_are_links_between_pages(site):
    start = Addresses(site / "index.html")
    assert "house_prices/" in start.links
    for page in site.rglob("*.html"):
        left = [link for link in Addresses(page).links if re.search(r"\.md(#|$)", link) and "://" not in link]
        assert not left, f"{page}: {left}"


def test_texts_are_not_copies(site):
    """What the README says stands on a page, whichever it is."""
    readme = (ROOT / "README.md").read_text("utf-8")
    lines = re.findall(r"^uv run grader \w+", readme, re.MULTILINE)
    shown = "".join(re.sub(r"<[^>]+>", "", page.read_text("utf-8")) for page in site.glob("*/index.html"))
    shown += re.sub(r"<[^>]+>", "", (site / "index.html").read_text("utf-8"))
    assert len(lines) > 10
    for line in lines:
        assert line in shown


def test_sections_and_links_are_read_by_the_word(hook):
    text = "# T\n\nstart\n\n## A\n\nof a\n\n### A.1\n\nmore\n\n## B\n\nof b\n"
    assert hook.sections(text) == {"": "# T\n\nstart\n\n", "A": "of a\n\n### A.1\n\nmore\n", "B": "of b\n"}
    where = {"docs/x.md": "x.md", "README.md": "index.md"}
    told = "[x](docs/x.md#part) [me](#here) [out](https://a.b/docs/x.md) [no](LICENSE) ![i](docs/x.md)"
    expected = "[x](x.md#part) [me](#here) [out](https://a.b/docs/x.md) [no](LICENSE) ![i](x.md)"
    assert hook.linked(told, "", where) == expected
    assert hook.linked("[up](../../README.md)", "assignments/a", where) == "[up](index.md)"


def test_a_section_that_the_readme_lost_is_named(hook, monkeypatch):
    monkeypatch.setitem(hook.PARTS, "students.md", ("For pupils",))
    with pytest.raises(hook.PluginError, match=r"no section 'For pupils', of which students\.md"):
        list(hook.pages())
