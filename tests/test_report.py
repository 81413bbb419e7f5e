"""Pages of results: what they say, what they keep to themselves, and what hostile names and messages do to them: nothing."""

import base64
import gc
import hashlib
import os
import re
import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import numpy as np
import pytest
from bs4 import BeautifulSoup
from made_up_class import MESSAGE, ROOT, SECRET, assignment_of, drawn, graded, store_of
from typer.testing import CliRunner

from grader.cli import app
from grader.errors import GraderFault, UsageError
from grader.report import write_report
from grader.report.pages import Pages
from grader.results import Attempt, CheckStatus, Reading, Standing, SubmissionResult, SubmissionStatus
from grader.store import ResultStore
from grader.submission import file_name

HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "{{ 7 * 191 }}{% raw %}",
    "../../../etc/passwd",
    "javascript:alert(1)",
    "</style></title></script><svg onload=alert(1)>",
    "right\u202eto left \u2066",
    "bell\x07 escape\x1b[31m nul\x00",
    "O'Brien & Söhne \U0001f600",
    "é" * 900,
    "line\nbreak",
)
ASSIGNMENT = assignment_of()
ALL = [True] * len(ASSIGNMENT.checks)


def half() -> list[bool]:
    return [number % 2 == 0 for number in range(len(ALL))]


def pages_of(tmp_path, results) -> tuple[BeautifulSoup, dict[str, BeautifulSoup]]:
    """The class page and the students' pages by student, as a browser reads them."""
    results = list(results)
    out = tmp_path / "report"
    written = write_report(store_of(tmp_path / "out", results, ASSIGNMENT), ASSIGNMENT, out)
    assert written.students == len(results)
    soup = lambda path: BeautifulSoup(path.read_text("utf-8"), "html.parser")  # noqa: E731
    names = {result.student: out / "students" / f"{file_name(result.student)}.html" for result in results}
    return soup(out / "index.html"), {student: soup(path) for student, path in names.items()}


def text_of(page: BeautifulSoup) -> str:
    """Words of a page without its style and script."""
    for element in page(["style", "script"]):
        element.extract()
    return " ".join(page.get_text(" ").split())


def policy_of(page: BeautifulSoup) -> dict[str, str]:
    content = page.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    return dict(part.strip().partition(" ")[::2] for part in content.split(";"))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A class of all kinds, with its pages."""
    rng = np.random.default_rng(3)
    results = [drawn(ASSIGNMENT, f"student {number}", rng) for number in range(12)]
    unread = [replace(check, status=CheckStatus.NOT_RUN, points=0, message="Not run.") for check in results[0].checks]
    late = datetime(2026, 5, 1, 22, 4, tzinfo=UTC)
    standing = Standing(
        (
            Attempt("first", late - timedelta(days=2), SubmissionStatus.GRADED, 40),
            Attempt("second", late, SubmissionStatus.GRADED, 66, seconds_late=7000, penalty=10),
            Attempt("third", late + timedelta(days=1), SubmissionStatus.GRADER_ERROR, None, fault=SECRET),
        ),
        1,
        "the last of the 2 of 3 that have points",
        late - timedelta(hours=2),
        3600,
    )
    results += [
        SubmissionResult(ASSIGNMENT.name, "kim", SubmissionStatus.GRADER_ERROR, message=SECRET),
        SubmissionResult(ASSIGNMENT.name, "ivy", SubmissionStatus.INVALID, unread, ["bonus"], message="no zip: a.rar"),
        replace(graded(ASSIGNMENT, "leo", half()), standing=standing, message="train.ipynb has a cell twice"),
    ]
    page, pages = pages_of(tmp_path_factory.mktemp("mixed"), results)
    return {result.student: result for result in results}, page, pages


def test_the_class_page_has_every_student_with_their_numbers_and_a_link_that_exists(mixed):
    results, page, pages = mixed
    table = page.find(id="students")
    heads = [cell.get_text(strip=True) for cell in table.thead("th")]
    rows = {row.th.get_text(strip=True): row for row in table.tbody("tr")}
    assert set(rows) == set(results) == set(pages)
    for student, result in results.items():
        cells = dict(zip(heads, [cell.get_text(strip=True) for cell in rows[student](["th", "td"])], strict=True))
        assert cells["score"] == ("–" if result.score is None else f"{result.score:g}")
        assert cells["missed"] == str(sum(check.status is not CheckStatus.PASSED for check in result.checks))
        assert unquote(rows[student].a["href"]) == f"students/{file_name(student)}.html"
    leo = dict(zip(heads, [cell.get_text(strip=True) for cell in rows["leo"](["th", "td"])], strict=True))
    assert leo["penalty"] == "10"
    assert float(leo["final"]) == results["leo"].score + results["leo"].bonus - 10
    assert len(set(heads)) == len(heads), "no two columns are called the same"
    assert [head for head in heads if head.casefold() == "bonus"] == ["bonus"]


def test_the_class_page_says_what_is_worth_a_look(mixed):
    _, page, _ = mixed
    look = text_of(page.find(id="look"))
    assert re.search(r"The grader failed 1 student kim", look)
    assert re.search(r"Invalid 1 student ivy : no zip: a.rar", look)
    assert re.search(r"Late 1 student leo : .*1 h 57 min late.*10 points taken off", look)
    assert "15 students: 13 graded, 1 invalid, 1 failed in the grader, 1 late" in text_of(page.header)


def test_pass_rates_are_those_of_the_graded(mixed):
    results, page, _ = mixed
    marked = [result for result in results.values() if result.status is SubmissionStatus.GRADED]
    for row in page.find(id="checks").tbody("tr"):
        name = row.th.code.get_text()
        passed = [check.points > 0 for result in marked for check in result.checks if check.name == name]
        assert len(passed) == len(marked)
        assert float(row("td")[1]["data-sort"]) == pytest.approx(np.mean(passed))


def test_missed_checks_come_with_what_students_were_told(mixed):
    _, page, _ = mixed
    missed = page.find(id="missed")("li")
    assert len(missed) == 10
    assert MESSAGE in {entry.find(class_="hint").get_text() for entry in missed if entry.find(class_="hint")}
    counts = [int(re.search(r"(\d+) of 13 miss it", entry.get_text())[1]) for entry in missed]
    assert counts == sorted(counts, reverse=True)


def test_a_students_page_has_their_own_numbers_and_messages(mixed):
    results, _, pages = mixed
    for student, result in results.items():
        rows = pages[student].select("table.checks tbody tr")
        assert len(rows) == len(result.checks)
        for row, check in zip(rows, result.checks, strict=True):
            assert check.title in row.th.get_text()
            assert row("td")[-1].get_text(strip=True) == f"{check.points:g}/ {check.max_points:g}"
            assert (check.message in row.th.get_text()) or check.status is CheckStatus.PASSED
    leo = text_of(pages["leo"].body)
    assert f"Score {results['leo'].score:g} of 100" in leo
    assert "Late penalty −10 Final points 56" in leo
    assert f"Final points {results['student 3'].total:g}" in text_of(pages["student 3"].body)
    assert "1 h 57 min after the due date and your extension; that takes off 10 points" in leo
    assert "train.ipynb has a cell twice" in leo
    assert "no zip: a.rar" in text_of(pages["ivy"].body)
    assert "no fault of yours, and no zero" in text_of(pages["kim"].body)


def test_a_students_page_keeps_to_itself_what_is_not_theirs(mixed):
    results, _, pages = mixed
    for student, page in pages.items():
        raw = str(page)
        assert SECRET not in raw, "details, output and faults of the grader are the instructor's"
        assert not [other for other in results if other != student and re.search(rf"\b{re.escape(other)}\b", raw)]
        assert "index.html" not in raw
        assert not page(["a", "script", "link", "img", "iframe", "object", "form", "base"])
        assert policy_of(page) == {
            "default-src": "'none'",
            "style-src": "'unsafe-inline'",
            "base-uri": "'none'",
            "form-action": "'none'",
        }


def test_readings_are_not_shown(tmp_path):
    result = graded(ASSIGNMENT, "ada", half())
    reading = Reading("the error is low", 0.123456, at_most=0.1)
    result = replace(result, checks=[replace(check, readings=(reading,)) for check in result.checks])
    page, pages = pages_of(tmp_path, [result])
    assert "0.123456" not in str(page) + str(pages["ada"])
    assert "the error is low" not in str(pages["ada"])


def test_the_only_script_is_the_one_that_the_policy_names(mixed):
    _, page, _ = mixed
    (script,) = page("script")
    digest = base64.b64encode(hashlib.sha256(script.string.encode()).digest()).decode()
    assert policy_of(page)["script-src"] == f"'sha256-{digest}'"
    assert policy_of(page)["default-src"] == "'none'"
    loaded = [value for tag in page(True) for name, value in tag.attrs.items() if name in ("src", "srcset", "data")]
    assert not loaded
    assert "url(" not in page.style.string
    assert "@import" not in page.style.string


def test_hostile_names_and_messages_stay_text(tmp_path):
    results = []
    for number, words in enumerate(HOSTILE):
        result = graded(ASSIGNMENT, words, half(), message=words)
        checks = [replace(check, title=words, message=words if check.points == 0 else "") for check in result.checks]
        results.append(replace(result, checks=checks))
        results.append(SubmissionResult(ASSIGNMENT.name, f"{number}{words}", SubmissionStatus.INVALID, message=words))
    plain_page, plain_pages = pages_of(tmp_path / "plain", [graded(ASSIGNMENT, "ada", half())])
    page, pages = pages_of(tmp_path / "hostile", results)
    known = {tag.name for one in (plain_page, plain_pages["ada"]) for tag in one(True)} | {"section", "h3", "ul", "li"}
    for one in (page, *pages.values()):
        assert {tag.name for tag in one(True)} <= known
        assert not [name for tag in one(True) for name in tag.attrs if name.startswith("on")]
        assert all(not a["href"].startswith("javascript:") for a in one("a"))
        assert not set(str(one)) & {"\x00", "\x07", "\x1b", "\u202e", "\u2066"}
    assert len(page("script")) == 1
    assert "{{ 7 * 191 }}{% raw %}" in page.get_text()
    assert "1337" not in page.get_text()
    names = [row.th.get_text(strip=True) for row in page.find(id="students").tbody("tr")]
    assert len(names) == len(results)
    assert (tmp_path / "hostile" / "report").is_dir()
    assert {path.parent.name for path in tmp_path.rglob("*.html")} == {"report", "students"}


@pytest.mark.parametrize(
    ("results", "says"),
    [
        (
            [SubmissionResult(ASSIGNMENT.name, "kim", SubmissionStatus.GRADER_ERROR, message="gone")],
            "Nobody has a score",
        ),
        ([graded(ASSIGNMENT, name, ALL) for name in ("ada", "ben", "eve")], "Nobody missed any"),
        ([graded(ASSIGNMENT, "ada", half())], "1 student: 1 graded"),
        ([graded(ASSIGNMENT, "ada", [False] * len(ALL))], "1 student: 1 graded"),
    ],
    ids=["nobody", "perfect", "alone", "nothing"],
)
def test_classes_at_the_edge_have_a_page(tmp_path, results, says):
    page, _ = pages_of(tmp_path, results)
    text = text_of(page)
    assert says in text
    assert not re.search(r"\b(nan|inf|None)\b", text)


def test_thousands_of_students_are_read_one_at_a_time(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    few = [drawn(ASSIGNMENT, f"student {number}", rng) for number in range(20)]
    store = store_of(tmp_path / "out", few, ASSIGNMENT)
    living, most = weakref.WeakSet(), 0
    read = ResultStore._read

    def counted(self, path):
        nonlocal most
        gc.collect()  # a template's context refers to itself
        most = max(most, len(living))
        result = read(self, path)
        living.add(_Held.of(result))
        return result

    class _Held:
        """Lives as long as the result does."""

        @staticmethod
        def of(result):
            held = _Held()
            object.__setattr__(result, "_held", held)
            return held

    monkeypatch.setattr(ResultStore, "_read", counted)
    paths = sorted(store.folder.glob("*.json"))
    monkeypatch.setattr(ResultStore, "each", lambda self: map(self._read, paths * 3))
    gc.freeze()  # what is there already need not be looked through each time
    try:
        write_report(store, ASSIGNMENT, tmp_path / "report")
    finally:
        gc.unfreeze()
    assert most <= 2


def test_three_thousand_students(tmp_path, monkeypatch):
    rng = np.random.default_rng(6)
    one = [drawn(ASSIGNMENT, "x", rng) for _ in range(40)]
    monkeypatch.setattr(
        ResultStore, "each", lambda self: (replace(one[n % 40], student=f"student {n}") for n in range(3000))
    )
    from grader.report import folder

    monkeypatch.setattr(Pages, "student", lambda self, result, figures, window: "")
    monkeypatch.setattr(folder, "_write", lambda target, text: written.append((target.name, len(text))))
    written: list[tuple[str, int]] = []
    result = write_report(ResultStore(tmp_path), ASSIGNMENT, tmp_path / "report")
    assert result.students == 3000 == len(written) - 1
    name, size = written[-1]
    assert name == "index.html"
    assert size < 4_000_000


def test_pages_of_students_who_are_gone_go_and_other_files_stay(tmp_path):
    both = [graded(ASSIGNMENT, "ada", ALL), graded(ASSIGNMENT, "ben", half())]
    out = tmp_path / "report"
    write_report(store_of(tmp_path / "both", both, ASSIGNMENT), ASSIGNMENT, out)
    (out / "students" / "mine.html").write_text("<p>by hand</p>")
    (out / "students" / "link.html").symlink_to(out / "students" / "ben.html")
    written = write_report(store_of(tmp_path / "one", both[:1], ASSIGNMENT), ASSIGNMENT, out)
    assert written.removed == 1
    assert sorted(path.name for path in (out / "students").iterdir()) == ["ada.html", "link.html", "mine.html"]


def test_a_page_that_cannot_be_written_leaves_the_old_one_whole(tmp_path, monkeypatch):
    store, out = store_of(tmp_path / "out", [graded(ASSIGNMENT, "ada", ALL)], ASSIGNMENT), tmp_path / "report"
    write_report(store, ASSIGNMENT, out)
    before = (out / "students" / "ada.html").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(GraderFault, match=r"ada\.html cannot be written \(No space left on device\)"):
        write_report(store, ASSIGNMENT, out)
    assert (out / "students" / "ada.html").read_bytes() == before
    assert [path.name for path in (out / "students").iterdir()] == ["ada.html"]


def test_a_file_in_the_way_is_said(tmp_path):
    store = store_of(tmp_path / "out", [graded(ASSIGNMENT, "ada", ALL)], ASSIGNMENT)
    (tmp_path / "report").write_text("")
    with pytest.raises(UsageError, match="found a file in the way"):
        write_report(store, ASSIGNMENT, tmp_path / "report")


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    runner = CliRunner()
    store_of(tmp_path / "out", [graded(ASSIGNMENT, "ada", ALL)], ASSIGNMENT)
    done = runner.invoke(app, ["report", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert "1 page to hand out" in done.stdout
    assert (tmp_path / "out" / "report" / "students" / "ada.html").is_file()
    assert runner.invoke(app, ["report", str(tmp_path / "out"), "--out", str(tmp_path / "else")]).exit_code == 0
    assert (tmp_path / "else" / "index.html").is_file()


def test_wrong_use_is_one_line_and_exit_code_2(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    runner = CliRunner()
    (tmp_path / "file.md").write_text("")
    for name in (".", "nope", "file.md"):
        nothing = runner.invoke(app, ["report", str(tmp_path / name)])
        says = f"grader: expected results of `grader grade … --out {tmp_path / name}`, found no run.json in"
        assert (nothing.exit_code, nothing.stderr.startswith(says)) == (2, True), nothing.stderr
    store = store_of(tmp_path / "out", [], ASSIGNMENT)
    empty = runner.invoke(app, ["report", str(tmp_path / "out")])
    assert (empty.exit_code, "found none in" in empty.stderr) == (2, True)
    (store.folder / "ada.json").write_text("{}")
    broken = runner.invoke(app, ["report", str(tmp_path / "out")])
    assert (broken.exit_code, "is not a result" in broken.stderr) == (2, True)
    other = runner.invoke(app, ["report", str(tmp_path / "out"), "--course", str(tmp_path)])
    assert (other.exit_code, "expected a course" in other.stderr) == (2, True)
    assert MESSAGE not in other.stderr
    assert "writing pages" not in empty.stderr + broken.stderr, "no bar is left above what is said"
