"""What students' pages hold at a moment, by `[shown]` in course.toml."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from bs4 import BeautifulSoup
from made_up_class import MESSAGE, assignment_of, graded, store_of
from msgspec import structs

from grader.attempts import Deadline
from grader.report import write_report
from grader.results import Attempt, Standing, SubmissionStatus
from grader.settings import Shown

DUE = datetime(2026, 5, 1, 21, 59, tzinfo=UTC)
DAY = timedelta(days=1)
PLAIN = assignment_of()
NOT_YET, NO_HINTS = "Points and outcomes are not shown", "What a check has to say of a mistake is not shown"
HERE = timezone(timedelta(hours=2))


def page_at(tmp_path, moment: datetime, shown: Shown, *, due: datetime | None = DUE, extension: float = 0) -> str:
    """The words of the page of a student who has every other check right."""
    assignment = PLAIN if due is None else structs.replace(PLAIN, deadline=Deadline(due=due))
    result = graded(assignment, "ada", [number % 2 == 0 for number in range(len(assignment.checks))])
    if extension:
        attempt = Attempt("", DUE, SubmissionStatus.GRADED, 50)
        result = replace(result, standing=Standing((attempt,), 0, "the only attempt", DUE, extension))
    store = store_of(tmp_path / "out", [result], assignment)
    write_report(store, assignment, tmp_path / "report", shown=shown, moment=moment)
    page = BeautifulSoup((tmp_path / "report" / "students" / "ada.html").read_text("utf-8"), "html.parser")
    return " ".join(page.body.get_text(" ").split())


def test_all_is_shown_where_nothing_is_said(tmp_path):
    page = page_at(tmp_path, DUE - DAY, Shown())
    assert MESSAGE in page
    assert "Score" in page
    assert NOT_YET not in page
    assert NO_HINTS not in page


@pytest.mark.parametrize(("moment", "there"), [(DUE - DAY, False), (DUE + DAY, True)])
def test_hints_after_the_due_date(tmp_path, moment, there):
    page = page_at(tmp_path, moment, Shown(hints="after due"))
    assert (MESSAGE in page) is there
    assert (NO_HINTS in page) is not there
    assert "Score" in page


@pytest.mark.parametrize(("moment", "there"), [(DUE + DAY, False), (DUE + 3 * DAY, True)])
def test_who_has_an_extension_waits_for_its_end(tmp_path, moment, there):
    page = page_at(tmp_path, moment, Shown(hints="after due"), extension=2 * DAY.total_seconds())
    assert (MESSAGE in page) is there


def test_without_points_there_are_neither_outcomes_nor_attempts(tmp_path):
    page = page_at(tmp_path, DUE, Shown(points="never"), extension=60)
    assert NOT_YET in page
    for word in ("Score", "passed", "failed", "Attempts", MESSAGE, PLAIN.task[0].title):
        assert word not in page


def test_where_nothing_is_due_what_is_for_later_is_never_shown(tmp_path):
    assert NOT_YET in page_at(tmp_path, DUE + 999 * DAY, Shown(points="after due"), due=None)


@pytest.mark.parametrize(
    ("when", "extension", "says"),
    [
        ("after due", 0, "not shown until Friday 1 May 2026, 23:59 (UTC+02:00)."),
        ("after due", 86400, "not shown until Saturday 2 May 2026, 23:59 (UTC+02:00)."),
        (datetime(2026, 5, 9, 8, tzinfo=UTC), 0, "not shown until Saturday 9 May 2026, 08:00 (UTC)."),
        ("never", 0, "not shown."),
    ],
)
def test_a_page_says_until_when_a_part_is_not_shown(tmp_path, when, extension, says):
    due = DUE.astimezone(HERE)
    for part, what in (("points", NOT_YET), ("hints", NO_HINTS)):
        page = page_at(tmp_path / part, DUE - DAY, Shown(**{part: when}), due=due, extension=extension)
        assert f"{what.removesuffix('not shown')}{says}" in page


def test_where_nothing_is_due_a_page_names_no_time(tmp_path):
    page = page_at(tmp_path, DUE, Shown(hints="after due"), due=None)
    assert f"{NO_HINTS} before the due date has passed." in page


@pytest.mark.parametrize(
    ("due", "tells"),
    [
        (DUE.astimezone(HERE), "Times are in UTC+02:00. Due 2026-05-01 23:59"),
        (DUE, "Times are in UTC. Due 2026-05-01 21:59"),
    ],
)
def test_times_are_told_in_the_zone_of_the_due_date(tmp_path, due, tells):
    page = page_at(tmp_path, DUE + DAY, Shown(), due=due, extension=60)
    assert tells in page
    assert f"handed in {due:%Y-%m-%d %H:%M} ({due.tzname()})" in page
    assert f"comes to counts {due:%Y-%m-%d %H:%M}" in page


def test_the_class_page_is_not_the_students(tmp_path):
    page_at(tmp_path, DUE, Shown(points="never", hints="never", figures="never"))
    assert "ada" in (tmp_path / "report" / "index.html").read_text("utf-8")
