"""The page of the class: its columns, whose report it is and of when, and what is said of checks that many miss."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from bs4 import BeautifulSoup
from made_up_class import ROOT, assignment_of, graded, store_of
from msgspec import structs
from typer.testing import CliRunner

from grader.attempts import Deadline
from grader.cli import app
from grader.report import write_report
from grader.report.pages import Pages
from grader.report.tally import Tally

ASSIGNMENT = assignment_of()
ALL = [True] * len(ASSIGNMENT.checks)


def words_of(page: BeautifulSoup) -> str:
    return " ".join(page.get_text(" ").split())


@pytest.mark.parametrize("name", ["stock_forecasting", "image_classification"])
def test_the_columns_of_tasks_have_names_of_their_own(tmp_path, name):
    """Two files of one task, and a bonus in one or more files."""
    assignment = assignment_of(name)
    tally = Tally()
    tally.add(graded(assignment, "ada", [True] * len(assignment.checks)))
    page = BeautifulSoup(Pages(assignment).of_class(tally), "html.parser")
    table = page.find(id="students").table
    heads = [cell.get_text(strip=True) for cell in table.thead("th")]
    assert len({head.casefold() for head in heads}) == len(heads)
    cells = dict(zip(heads, (cell.get_text(strip=True) for cell in table.tbody.tr(["th", "td"])), strict=True))
    tasks = [head for head in heads if re.match(r"T\d", head)]
    assert [cells[one] for one in ("score", "bonus", "final")] == ["100", "10", "110"]
    assert sum(float(cells[task]) for task in tasks) == 100
    assert len(tasks) == sum(not task.bonus for task in assignment.task)


def test_pages_say_of_which_course_they_are_and_of_when(tmp_path):
    due = datetime(2026, 10, 15, 23, 59, tzinfo=timezone(timedelta(hours=2)))
    assignment = structs.replace(ASSIGNMENT, deadline=Deadline(due=due))
    store = store_of(tmp_path / "out", [graded(assignment, "ada", ALL)], assignment)
    moment = datetime(2026, 10, 20, 6, 5, 59, 7, tzinfo=UTC)
    write_report(store, assignment, tmp_path / "report", moment=moment, course="Learning, <deeply>")
    for name in ("index.html", "students/ada.html"):
        text = words_of(BeautifulSoup((tmp_path / "report" / name).read_text("utf-8"), "html.parser").body)
        assert text.startswith("Learning, <deeply> · ")
        assert "As of Tuesday 20 October 2026, 08:05 (UTC+02:00)." in text
    assert "Due Thursday 15 October 2026, 23:59 (UTC+02:00)." in words_of(
        BeautifulSoup((tmp_path / "report" / "index.html").read_text("utf-8"), "html.parser").header
    )


def test_titles_and_hints_have_their_code_as_code(tmp_path):
    result = graded(ASSIGNMENT, "ada", [False] * len(ALL))
    checks = [replace(one, title="takes `horizon`", message="Pass `horizon <b>` on.") for one in result.checks]
    store = store_of(tmp_path / "out", [replace(result, checks=checks)], ASSIGNMENT)
    write_report(store, ASSIGNMENT, tmp_path / "report")
    for name, where in (("students/ada.html", ".checks tbody th"), ("index.html", ".missed li")):
        page = BeautifulSoup((tmp_path / "report" / name).read_text("utf-8"), "html.parser")
        (entry, *_) = page.select(where)
        assert {"horizon", "horizon <b>"} <= {code.get_text() for code in entry("code")}
        assert "`" not in page.body.get_text()


def test_the_command_takes_title_and_zone_from_the_course(tmp_path):
    for part in ("assignments", "solutions", "tests", "fixtures"):
        (tmp_path / part).symlink_to(ROOT / part)
    (tmp_path / "course.toml").write_text(
        'title = "Autumn"\n[assignments.house_prices]\ndue = 2026-10-15T23:59:00-03:30\n', "utf-8"
    )
    store_of(tmp_path / "out", [graded(ASSIGNMENT, "ada", ALL)], ASSIGNMENT)
    done = CliRunner().invoke(app, ["report", str(tmp_path / "out"), "--course", str(tmp_path)])
    assert done.exit_code == 0, done.output
    page = BeautifulSoup((tmp_path / "out" / "report" / "index.html").read_text("utf-8"), "html.parser")
    assert words_of(page.header).startswith("Autumn · ")
    assert "Due Thursday 15 October 2026, 23:59 (UTC-03:30)." in words_of(page.header)
