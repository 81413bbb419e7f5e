"""What main.py leaves behind: one page that needs nothing beside it and keeps every digit, bars, lines and exit codes."""

import base64
import re
from argparse import Namespace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from accelerate import Accelerator

from grader.page import Page, Results, Unusable, conduct
from grader.page.document import Cell, Section, Table, Words

HOSTILE = "<script>alert('1')</script> & \"quoted\""


class Reader(HTMLParser):
    """A page as a browser takes it: elements with their attributes and texts; complains of tags that do not close."""

    VOID = frozenset(["meta", "img", "br", "link"])

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], str]] = []
        self._open: list[int] = []
        self.feed(page)
        self.close()
        assert not self._open, [self.elements[number][0] for number in self._open]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes), ""))
        if tag not in self.VOID:
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self._open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for number in self._open:
            tag, attributes, text = self.elements[number]
            self.elements[number] = tag, attributes, text + data

    def texts(self, tag: str) -> list[str]:
        return [text.strip() for name, _, text in self.elements if name == tag]

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [attributes.get(name) for found, attributes, _ in self.elements if found == tag]


@pytest.fixture
def results(tmp_path) -> Results:
    return Results.into(tmp_path / "deep" / "out", Accelerator(cpu=True), "The project")


def page_of(results: Results) -> Reader:
    return Reader((results.folder / "report.html").read_text("utf-8"))


def test_a_page_holds_what_was_shown_in_its_order(results, capsys):
    with results.part("First"):
        results.note("One line.")
        results.table("Rows", {"name": "{}", "loss": "{:.2f}"}, [("ada", 1 / 3), ("ben", None)])
    with results.part("Second"):
        results.facts("Chosen", {"lr": 0.1})
    with results.part("First"):  # goes on
        results.note("Another.")
    with results.part("Empty"):
        pass
    results.lead("Data: here")
    results.headline("error", 2 / 3, "{:.1%}")
    results.finish({"seed": 7, "data": None})
    page = page_of(results)
    assert page.texts("h1") == page.texts("title") == ["The project"]
    assert page.texts("h2") == ["First", "Second", "This run"]
    assert page.texts("caption")[:2] == ["Rows", "Chosen"]
    assert [text for text in page.texts("p") if text != "Data: here"] == ["One line.", "Another."]
    assert page.texts("td")[:3] == ["0.33", "–", "0.1"]
    assert page.texts("dd") == ["66.7%"]
    assert {"First", "Second", "seed", "7"} <= {*page.texts("th"), *page.texts("td")}
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["One line.", "Another.", "Data: here", "", f"Written to {results.folder}: report.html"]


def test_numbers_keep_all_their_digits(results):
    value = torch.rand(1, dtype=torch.float64).numpy()[0]
    with results.part("Numbers"):
        results.table("T", {"n": "{}", "x": "{:.1f}"}, [("a", value)])
    results.finish({})
    assert repr(float(value)) in page_of(results).attributes("data", "value")


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), ("", ""), ("a", "a"), (True, "True"), (2, "2.0"), (2.25, "2.2")]
)
def test_cells(value, text):
    cell = Cell.of(value, "{:.1f}")
    assert cell.text == text
    assert (cell.number is None) == (isinstance(value, str | bool) or value is None)


def test_a_figure_is_on_the_page_and_beside_it(results):
    figure, axis = plt.subplots()
    axis.set_title("Losses")
    with results.part("Figures"):
        results.figure("1_loss", figure, "How it fell.")
    results.finish({})
    (source,) = page_of(results).attributes("img", "src")
    assert page_of(results).attributes("img", "alt") == ["Losses"]
    assert page_of(results).texts("figcaption") == ["Figure 1. How it fell."]
    kind, _, data = source.partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == (results.folder / "1_loss.png").read_bytes()
    assert not plt.fignum_exists(figure.number), "figures pile up otherwise"


def test_what_data_say_is_text_and_nothing_is_loaded(results):
    results.page.title = HOSTILE
    with results.part(HOSTILE):
        results.note(HOSTILE)
        results.table(HOSTILE, {HOSTILE: "{}"}, [(HOSTILE,)])
        results.facts(HOSTILE, {HOSTILE: HOSTILE})
    results.lead(HOSTILE)
    results.finish({HOSTILE: HOSTILE})
    page = page_of(results)
    assert page.texts("script") == []
    assert page.texts("h2")[0] == page.texts("caption")[0] == page.texts("h1")[0] == HOSTILE
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page.attributes("meta", "content")
    text = (results.folder / "report.html").read_text("utf-8")
    assert not re.search(r"https?://|@import|url\(", text)


def test_a_table_for_the_terminal_stands_in_columns():
    table = Table("T", ["name", "error"], [[Cell("a"), Cell("1.25")], [Cell("longer"), Cell("-11.50")]])
    assert list(table.lines()) == ["name     error", "a         1.25", "longer  -11.50"]


def test_something_shown_belongs_to_a_part(results):
    with pytest.raises(ValueError, match=r"with results\.part"):
        results.note("lost")


def test_empty_sections_are_left_out():
    page = Reader(Page("T", sections=[Section("empty"), Section("full", [Words("w")])]).html())
    assert page.texts("h2") == ["full"]


def train(steps: int) -> torch.optim.Optimizer:
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    for _ in range(steps):
        (weight**2).backward()
        optimizer.step()
    return optimizer


def test_bars_count_steps_and_trainings_of_loops_that_know_nothing_of_them(results, monkeypatch):
    bars = []

    class Bar:
        disable = True

        def __init__(self, **settings):
            self.settings, self.done = settings, settings["initial"]
            bars.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def update(self, by=1):
            self.done += by

    monkeypatch.setattr("grader.page.results.tqdm", Bar)
    with results.progress_of_steps("Steps", 8, done=3):
        train(5)
    with results.progress_of_trainings("Trainings", 2):
        kept = [train(5), train(2)]
    train(1)  # afterwards nothing is counted
    assert [(bar.done, bar.settings["total"]) for bar in bars] == [(8, 8), (2, 2)]
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("error", "code", "last"),
    [(None, 0, "report.html"), (NotImplementedError("Task 3: write train()."), 1, "Next is Task 3: write train().")],
)
def test_a_run_that_ends_early_leaves_what_it_has(tmp_path, capsys, error, code, last):
    def run(args: Namespace, results: Results) -> None:
        with results.part("Data"):
            results.note("There are 5 rows.")
        if error:
            with results.part("Training"):
                raise error
        results.finish(vars(args))

    args = Namespace(out=tmp_path / "out", seed=3)
    assert conduct(run, args, Accelerator(cpu=True), "The project") == code
    assert last in capsys.readouterr().out.splitlines()[-1]
    page = Reader((tmp_path / "out" / "report.html").read_text("utf-8"))
    assert page.texts("h2") == (["Not finished"] if error else []) + ["Data", "This run"]
    assert "There are 5 rows." in page.texts("p")


@pytest.mark.parametrize("blocked", ["out", "file"])
def test_what_cannot_be_used_is_one_line(tmp_path, capsys, blocked):
    def run(args: Namespace, results: Results) -> None:
        raise Unusable("houses.csv: no such file.")

    out = tmp_path / "out"
    if blocked == "out":
        out.write_text("in the way")
    assert conduct(run, Namespace(out=out), Accelerator(cpu=True), "T") == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith("main.py: expected --out to name a folder" if blocked == "out" else "main.py: houses.csv")


def test_only_the_main_process_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(Accelerator, "is_main_process", False)
    results = Results.into(tmp_path, Accelerator(cpu=True), "T")
    with results.part("P"):
        results.figure("1", plt.figure(), "C")
    results.finish({})
    assert list(Path(tmp_path).iterdir()) == []
