"""The example of docs/attempts.md, by the real command, and read back by nbgrader."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import tiny_course

from grader.terminal import lateness

nbgrader = pytest.importorskip("nbgrader.api")

ROOT = Path(__file__).parents[1]
DOC = (ROOT / "docs" / "attempts.md").read_text("utf-8")
POINTS = {"adds = 2": "adds = 50", "keeps = 3": "keeps = 40", "breaks = 1": "breaks = 10", "draws = 4": "draws = 10"}
SUMS, DRAWS = (tiny_course.RIGHT[name] for name in ("sums.py", "draws.py"))
WORK = {
    "60": {"sums.py": SUMS.replace("self.n += 1", "pass")},
    "100": {"sums.py": SUMS},
    "110": {"sums.py": SUMS, "draws.py": DRAWS},
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)^ *```", DOC, re.DOTALL | re.MULTILINE)


def table() -> dict[str, list[str]]:
    """Rows of the example's table by student and attempt: points, late, penalty, what it comes to, why it counts."""
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in DOC.splitlines()
        if re.match(r"\| \w+@.*\d \|", line)
    ]
    return {name: cells for name, *cells in rows}


def run(*words: object) -> subprocess.CompletedProcess:
    command = [str(Path(sys.executable).with_name("grader")), *map(str, words)]
    env = {**os.environ, "COLUMNS": "160"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=500)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """The example's course, class and files, as the text has them."""
    root = tmp_path_factory.mktemp("example")
    declaration = tiny_course.write_course(root / "course") / "assignments" / "tiny" / "assignment.toml"
    deadline, extensions = blocks("toml")
    text = declaration.read_text()
    for old, new in POINTS.items():
        text = text.replace(old, new)
    declaration.write_text(text + deadline)
    (root / "extensions.toml").write_text(extensions.replace("house_prices", "tiny"))
    entries, times = blocks("text")
    (root / "times.csv").write_text(times)
    points = {name.removesuffix("@2026-05-01T10-00-00Z"): cells[0] for name, cells in table().items()}
    for entry in entries.split():
        for file, content in WORK[points[entry]].items():
            path = root / "class" / entry / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    shutil.make_archive(
        str(root / "class" / "finn@2026-05-01T22-04-00Z"), "zip", root / "class" / "finn@2026-05-01T22-04-00Z"
    )
    shutil.rmtree(root / "class" / "finn@2026-05-01T22-04-00Z")
    return root


def grade(place: Path, *more: object) -> subprocess.CompletedProcess:
    where = ("--course", place / "course", "--out", place / "out", "--times", place / "times.csv")
    return run("grade", "tiny", place / "class", *where, "--extensions", place / "extensions.toml", *more)


@pytest.fixture(scope="module")
def graded(place) -> Path:
    done = grade(place, "--seed", 7)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 graded, 0 invalid, 0 failed in the grader" in done.stdout
    said = [line for line in done.stderr.splitlines() if line.startswith("grader:")]
    assert said == [
        "grader: the file of extensions names 'eve@example.org', of whom nothing was handed in (the nearest is 'eve')."
    ]
    return place / "out"


def records(out: Path) -> dict[str, dict]:
    return {path.stem: json.loads(path.read_bytes()) for path in sorted((out / "results").glob("*.json"))}


@pytest.mark.slow
def test_the_text_tells_what_comes_of_it(graded):
    found = {}
    for student, record in records(graded).items():
        standing = record["standing"]
        for place, one in enumerate(standing["attempts"]):
            net = max(0, one["points"] - one["penalty"])
            numbers = (f"{one['points']:g}", lateness(one["seconds_late"]), f"{one['penalty']:g}", f"{net:g}")
            why = standing["why"] if place == standing["counting"] else ""
            found[f"{student}@{one['name']}"] = [*numbers, why]
    assert found == table()


@pytest.mark.slow
def test_each_attempt_has_its_record(graded):
    there = {f"{path.parent.name}@{path.stem}" for path in (graded / "attempts").glob("*/*.json")}
    assert {name.replace("%2B", "+") for name in there} == set(table())
    ada = json.loads((graded / "attempts" / "ada" / "2026-05-02T07-00-00Z.json").read_bytes())
    assert (ada["score"], ada["bonus"], ada["standing"]) == (100, 10, None)


@pytest.mark.slow
def test_nbgrader_reads_times_extensions_and_penalties(graded, tmp_path):
    from nbgrader.plugins import CsvExportPlugin

    target = tmp_path / "grades.csv"
    with nbgrader.Gradebook(f"sqlite:///{graded / 'gradebook.db'}") as book:
        CsvExportPlugin(to=str(target)).export(book)
        assert book.find_assignment("tiny").duedate == datetime(2026, 5, 1, 21, 59)
        ben = book.find_submission("tiny", "ben")
        assert (ben.timestamp, ben.extension) == (datetime(2026, 5, 5, 12), timedelta(days=3))
        assert ben.duedate == datetime(2026, 5, 4, 21, 59)
        assert ben.total_seconds_late == timedelta(hours=14, minutes=1).total_seconds()
        assert book.find_submission("tiny", "kim").timestamp == datetime(2026, 5, 1, 10)
    with target.open(encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    wanted = {name.partition("@")[0]: cells for name, cells in table().items() if cells[4]}
    assert rows.keys() == wanted.keys()
    for student, (points, _, penalty, net, _) in wanted.items():
        row = rows[student]
        got = [float(row[key]) for key in ("raw_score", "late_submission_penalty", "score")]
        assert got == [float(points), float(penalty), float(net)], student
        assert row["duedate"] == "2026-05-01 21:59:00"


@pytest.mark.slow
def test_nbgraders_own_step_takes_off_the_same(graded, tmp_path):
    """`nbgrader autograde` would run this, with the settings that the text gives."""
    from nbformat.v4 import new_notebook
    from nbgrader.preprocessors import AssignLatePenalties
    from traitlets.config import PyFileConfigLoader

    copy = shutil.copy(graded / "gradebook.db", tmp_path / "copy.db")
    (settings,) = blocks("python")
    (tmp_path / "nbgrader_config.py").write_text(textwrap.dedent(settings))
    config = PyFileConfigLoader("nbgrader_config.py", str(tmp_path)).load_config()
    with nbgrader.Gradebook(f"sqlite:///{copy}") as book:
        written = {one.student.id: one.late_submission_penalty for one in book.assignment_submissions("tiny")}
        for one in book.assignment_submissions("tiny"):
            one.notebooks[0].late_submission_penalty = 99
        book.db.commit()
    for student in written:
        facts = {"notebook": "tiny", "assignment": "tiny", "student": student, "db_url": f"sqlite:///{copy}"}
        AssignLatePenalties(config=config).preprocess(new_notebook(), {"nbgrader": facts})
    with nbgrader.Gradebook(f"sqlite:///{copy}") as book:
        assert {one.student.id: one.late_submission_penalty for one in book.assignment_submissions("tiny")} == written
    assert written == {"ada": 0, "ben": 10, "eve": 60, "finn": 0, "kim": 0}


@pytest.mark.slow
def test_show_tells_which_counts_and_why(graded):
    page = " ".join(run("show", graded, "ada").stdout.split())
    for words in ("2026-05-02T07-00-00Z", "9 h 1 min", "the best of 3 after penalties", "due 2026-05-01 21:59:00 UTC"):
        assert words in page
    assert "extended by 3 d" in run("show", graded, "ben").stdout
    table_of_class = run("show", graded).stdout
    assert "attempt 2 of 3" in table_of_class
    assert "10 d 10 h late, penalty 60" in table_of_class


@pytest.mark.slow
def test_the_same_again_grades_nothing_and_changes_nothing(graded, place):
    before = {path: path.read_bytes() for path in graded.rglob("*.json")}
    done = grade(place, "--json")
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in graded.rglob("*.json")} == before
    ben = next(one for one in json.loads(done.stdout)["submissions"] if one["student"] == "ben")
    told = {"name": "2026-05-05T12-00-00Z", "of": 2, "seconds_late": 50460.0, "penalty": 10.0, "faults": []}
    assert (ben["score"], ben["attempt"]) == (100, told)


@pytest.mark.slow
def test_a_deadline_put_off_grades_nobody_again(graded, place):
    before = {path: path.read_bytes() for path in (graded / "attempts").rglob("*.json")}
    declaration = place / "course" / "assignments" / "tiny" / "assignment.toml"
    text = declaration.read_text()
    declaration.write_text(text.replace("due = 2026-05-01", "due = 2026-06-01"))
    try:
        done = grade(place, "--json")
    finally:
        declaration.write_text(text)
    assert done.returncode == 2
    assert "expected more time than until 2026-06-01" in done.stderr, "an extension that is none by now is a slip"
    declaration.write_text(text.replace("due = 2026-05-01", "due = 2026-05-02"))
    try:
        done = grade(place, "--json")
    finally:
        declaration.write_text(text)
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in (graded / "attempts").rglob("*.json")} == before
    ada = records(graded)["ada"]["standing"]
    assert (ada["attempts"][ada["counting"]]["name"], ada["why"]) == ("2026-05-02T07-00-00Z", "the best of 3")
    with nbgrader.Gradebook(f"sqlite:///{graded / 'gradebook.db'}") as book:
        assert book.find_assignment("tiny").duedate == datetime(2026, 5, 2, 21, 59)
        assert book.find_submission("tiny", "ada").late_submission_penalty == 0


def test_half_a_time_is_refused_before_anything_is_graded(place, tmp_path):
    (tmp_path / "class" / "ada@2026-05-01T20-00-00").mkdir(parents=True)
    done = run("grade", "tiny", tmp_path / "class", "--course", place / "course", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr == (
        "grader: expected <student>@<time> with a zone, as in ada@2026-04-30T18-02-11Z, found 'ada@2026-05-01T20-00-00'; "
        "rename ada@2026-05-01T20-00-00.\n"
    )
    assert not (tmp_path / "out").exists()
