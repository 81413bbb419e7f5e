"""The plain table, JUnit's XML and nbgrader's CSV, read back as their readers would; and the command."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import tiny_course
from marked import DUE, FULL, PROJECT, RUBRIC, SECRETS, late, result
from typer.testing import CliRunner

from grader.attempts import Attempt
from grader.cli import app
from grader.exports.gradescope import OUTCOMES
from grader.exports.junit import junit
from grader.exports.marks import Mark, Marks
from grader.exports.plain_table import plain_table
from grader.gradebook import Gradebook
from grader.results import CheckStatus, Standing, SubmissionStatus
from grader.store import ResultStore

CLASS = [
    result("ada"),
    result("ben", {"explore.load": 10, "train.fit": 70}, standing=late(80, 8)),
    result("=eve", {}, ends={"train.fit": CheckStatus.TIMEOUT, "explore.load": CheckStatus.NOT_IMPLEMENTED}),
    result(
        "finn", {}, SubmissionStatus.INVALID, "the zip is\x00 damaged", ends=dict.fromkeys(FULL, CheckStatus.NOT_RUN)
    ),
    result("kim", status=SubmissionStatus.GRADER_ERROR, message="the sandbox went away"),
]
MARKS = Marks("project", [Mark(one) for one in CLASS])


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))


def test_the_table_has_a_row_for_each_and_the_same_sums():
    content = plain_table(MARKS)
    rows = {row["student"]: row for row in rows_of(content)}
    assert list(rows) == ["ada", "ben", "'=eve", "finn", "kim"]
    assert not any(secret.encode() in content for secret in SECRETS)
    for one, mark in zip(rows.values(), MARKS.marks, strict=True):
        if mark.failed:
            continue
        checks = {name: float(one[name]) for name in RUBRIC}
        assert float(one["score"]) + float(one["bonus"]) == sum(checks.values())
        assert float(one["points.explore"]) == checks["explore.load"] + checks["explore.plot"]
        assert float(one["final"]) == sum(checks.values()) - float(one["penalty"])
        assert (one["max_score"], one["max_bonus"]) == ("100", "10")
    assert (rows["ben"]["attempt"], rows["ben"]["time"]) == ("2026-05-01T22-59-00Z", "2026-05-01T22:59:00Z")
    assert rows["ben"]["seconds_late"] == "3600"
    assert rows["finn"]["final"] == "0"
    assert rows["finn"]["remark"] == "the zip is� damaged"


def test_who_has_no_mark_has_empty_cells():
    kim = rows_of(plain_table(MARKS))[-1]
    assert (kim["status"], kim["remark"]) == ("grader_error", "the sandbox went away")
    assert {kim[name] for name in (*RUBRIC, "score", "max_score", "bonus", "penalty", "final", "points.train")} == {""}


def test_columns_of_attempts_are_there_where_there_are_attempts():
    assert "attempt" not in rows_of(plain_table(Marks("project", MARKS.marks[:1])))[0]
    unknown = Attempt("", None, SubmissionStatus.GRADED, 110)
    one = Mark(result("ada", standing=Standing((unknown,), 0, "the only attempt", DUE)))
    row = rows_of(plain_table(Marks("project", [one])))[0]
    assert (row["attempt"], row["time"], row["seconds_late"]) == ("", "", "0")


ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"classname", "name", "time"},
    "property": {"name", "value"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "properties": set(),
}
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase"],
    "testcase": ["skipped", "error", "failure"],
    "properties": ["property"],
}


def parsed(content: bytes) -> ET.Element:
    """The XML by the rules that readers of JUnit share: elements, their order, their attributes, and counts that are right."""
    root = ET.fromstring(content)
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag], element.tag
        order = [CHILDREN.get(element.tag, []).index(child.tag) for child in element]
        assert order == sorted(order)
    for suite in (root, *root):
        cases = list(suite.iter("testcase"))
        assert int(suite.get("tests")) == len(cases) > 0
        for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(name)) == sum(case.find(tag) is not None for case in cases)
        assert float(suite.get("time")) >= 0
    assert all(len(case) <= 1 for case in root.iter("testcase"))
    return root


def test_junit_has_a_suite_for_each_and_a_case_for_each_check():
    content = junit(MARKS)
    root = parsed(content)
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["ada", "ben", "=eve", "finn", "kim"]
    assert not any(secret.encode() in content for secret in SECRETS)
    assert {case.get("classname") for case in suites["ada"].iter("testcase")} == {
        "project.explore",
        "project.train",
        "project.bonus",
    }
    assert [(suite.get("failures"), suite.get("errors"), suite.get("skipped")) for suite in root] == [
        ("0", "0", "0"),
        ("2", "0", "0"),
        ("3", "1", "0"),
        ("0", "1", "4"),
        ("0", "1", "0"),
    ]
    finals = [suite.find("properties/property[@name='final']").get("value") for suite in root]
    assert finals == ["110", "72", "0", "0", ""]


def test_nobody_who_was_not_graded_is_green():
    root = parsed(junit(MARKS))
    for student, words in (("finn", "the zip is� damaged"), ("kim", "the sandbox went away")):
        error = root.find(f"testsuite[@name='{student}']/testcase[@name='submission']/error")
        assert error.text == words


@pytest.mark.parametrize("status", list(CheckStatus))
def test_each_outcome_has_its_element(status):
    (suite,) = parsed(junit(Marks("project", [Mark(result("ada", {}, ends=dict.fromkeys(FULL, status)))])))
    ends = {end.tag for case in suite.iter("testcase") for end in case}
    assert len(ends) == (status is not CheckStatus.PASSED)


def test_words_that_xml_forbids_do_not_break_it():
    words = "".join(map(chr, range(0x20))) + "\x7f\x9f \ud800 \ufffe\uffff ]]> <a b='c'>&amp; \U0001f600"
    one = result(f"a\x1b{words}", {}, SubmissionStatus.INVALID, words, hints=words)
    root = parsed(junit(Marks("project", [Mark(one)])))
    assert "]]> <a b='c'>&amp; \U0001f600" in root.find(".//error").text
    assert "\x1b" not in root[0].get("name")


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """The folder of a class with its gradebook."""
    store = ResultStore(tmp_path_factory.mktemp("class") / "out")
    store.folder.mkdir(parents=True)
    with Gradebook(f"sqlite:///{store.out / 'gradebook.db'}") as gradebook:
        gradebook.prepare(PROJECT)
        for one in CLASS:
            store.write(one)
            gradebook.record(one, datetime(2026, 5, 1, tzinfo=UTC))
    return store.out


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Run the command outside of any course; gives exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    def run(*arguments: object):
        done = runner.invoke(app, [str(argument) for argument in arguments])
        assert "Traceback" not in done.output
        return done.exit_code, done.stdout, done.stderr

    return run


def test_nbgraders_own_exporter_writes_who_has_a_mark(command, out, tmp_path):
    from nbgrader import api
    from nbgrader.plugins import CsvExportPlugin

    code, printed, errors = command("export", "nbgrader", out, "--out", tmp_path / "grades.csv")
    assert code == 1, "kim has no mark"
    rows = rows_of((tmp_path / "grades.csv").read_bytes())
    assert {row["student_id"]: (row["raw_score"], row["score"], row["max_score"]) for row in rows} == {
        "ada": ("110.0", "110.0", "100.0"),
        "ben": ("80.0", "80.0", "100.0"),
        "finn": ("0.0", "0.0", "100.0"),
    }
    assert "3 marks of 5 results" in printed
    assert "=eve is left out" in errors
    assert "kim has no mark" in errors
    book = api.Gradebook(f"sqlite:///{out / 'gradebook.db'}", "default_course")
    CsvExportPlugin(to=str(tmp_path / "own.csv"), student=["ada", "ben", "finn"]).export(book)
    book.close()
    assert (tmp_path / "own.csv").read_bytes() == (tmp_path / "grades.csv").read_bytes()


def test_files_are_where_they_are_said_to_be(command, out):
    for name in ("csv", "junit"):
        code, printed, errors = command("export", name, out)
        assert code == 1
        assert "the grader failed on 1" in errors
        assert Path(printed.strip().rpartition(" written to ")[2].removesuffix(".").replace("\n", "")).is_file()
    rows = {row["student"]: row for row in rows_of((out / "exports" / "project-marks.csv").read_bytes())}
    assert rows["ada"]["final"] == "110"
    parsed((out / "exports" / "project-junit.xml").read_bytes())
    assert not list((out / "exports").glob(".*"))


def test_gradescope_has_a_file_for_each_with_a_mark(command, out, tmp_path):
    code, _, _ = command("export", "gradescope", out, "--out", tmp_path / "gs", "--visibility", "after_published")
    assert code == 1
    found = {path.parent.name: json.loads(path.read_bytes()) for path in (tmp_path / "gs").glob("*/results.json")}
    assert {name: one["score"] for name, one in found.items()} == {"ada": 110, "ben": 72, "%3Deve": 0, "finn": 0}
    assert {one["visibility"] for one in found.values()} == {"after_published"}


def test_gradescope_shows_what_the_course_shows_when(command, out, tmp_path):
    root = tiny_course.write_course(tmp_path / "course")
    (root / "course.toml").write_text('[shown]\npoints = "after due"\nhints = "never"\n')
    command("export", "gradescope", out, "--out", tmp_path / "gs", "--course", root)
    found = [json.loads(path.read_bytes()) for path in (tmp_path / "gs").glob("*/results.json")]
    assert {one["visibility"] for one in found} == {"after_due_date"}
    assert {test["output"] for one in found for test in one["tests"]} <= set(OUTCOMES.values())


def test_a_roster_is_filled_and_never_written_over(command, out, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text("Student,ID,SIS User ID,SIS Login ID,Section,Project (1)\nA,1,,ada,\nF,2,,finn,\nN,3,,nobody,\n")
    before = roster.read_bytes()
    code, printed, errors = command("export", "canvas", out, "--roster", roster, "--out", tmp_path / "to.csv")
    assert code == 1
    assert "2 marks for 3 in the roster" in printed
    assert "2 marks go nowhere" in errors
    assert "without a mark, an empty cell: 1 of 3 in the roster: N" in errors
    assert [row["Project (1)"] for row in rows_of((tmp_path / "to.csv").read_bytes())] == ["110", "0", ""]
    code, _, errors = command("export", "canvas", out, "--roster", roster, "--out", roster)
    assert code == 2
    assert "another file" in errors
    assert roster.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["canvs"], "did you mean 'canvas'?"),
        (["xml"], "there are: canvas"),
        (["canvas"], "expected --roster FILE"),
        (["moodle"], "expected --roster FILE"),
        (["csv", "--roster", "x.csv"], "with canvas or moodle"),
        (["junit", "--students", "x.csv"], "with canvas or moodle"),
        (["gradescope", "--visibility", "hiden"], "did you mean 'hidden'?"),
        (["csv", "--db", "sqlite:///none.db"], "found nothing there"),
    ],
)
def test_wrong_use_is_one_clear_line(command, out, arguments, words):
    code, _, errors = command("export", arguments[0], out, *arguments[1:])
    assert code == 2
    assert words in errors
    assert errors.count("\n") == 1


def test_an_unwritable_place_is_one_clear_line(command, out, tmp_path):
    (tmp_path / "file").write_text("x")
    code, _, errors = command("export", "csv", out, "--out", tmp_path / "file" / "marks.csv")
    assert code == 2
    assert "expected a place to write" in errors


def test_marks_of_everybody_end_with_0(command, tmp_path):
    store = ResultStore(tmp_path / "fine")
    store.folder.mkdir(parents=True)
    store.write(CLASS[0])
    code, printed, errors = command("export", "csv", store.out)
    assert code == 0
    assert "1 mark of 1 result" in printed
    assert "there is no gradebook" in errors
