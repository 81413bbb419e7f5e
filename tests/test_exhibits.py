"""Exhibits: plain bounded numbers, from a process that has seen nothing hidden, without a say in any mark."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tiny_course import RIGHT, write_course

from grader.course import Course
from grader.errors import LimitExceeded, UsageError
from grader.executor import LocalEngine
from grader.exhibits import MOST_NUMBERS, Exhibit, ExhibitKind, Series
from grader.grading import exhibits_of
from grader.results import CheckStatus, SubmissionResult, SubmissionStatus
from grader.sandbox.launch import Level
from grader.submission import Submission
from grader.suite import confusion, exhibit, lines, scatter
from grader.suite.checks import Run
from grader.suite.desks import shipped_recipes
from grader.suite.exhibits import PUBLIC_SEED, Exhibition
from grader.suite.in_process import student_in

ROOT = Path(__file__).parents[1]
EXHIBITS = """
import os
import numpy as np
from grader.suite import exhibit, lines, recipe, scatter


@exhibit(task="sums", title="Totals of public numbers")
def totals(student, run):
    drawn = run.rng("public").normal(size=(5, 3))
    told = [student.sums.total(row) for row in drawn]
    if told[0] == 13:
        os._exit(1)  # the trusted process is gone, with all that it knew
    return scatter(drawn.sum(axis=1), told)


@exhibit(task="draws", title="Draws")
def draws(student, run):
    return lines({"drawn": student.draws.draw(7)}, x="place", y="number")
"""
REMEMBERS = """
import glob, os, tempfile
seen = []
PLACES = ["/tmp/seen.txt", "/dev/shm/seen.txt", "seen.txt"]

class Counter:
    n = 0
    def step(self):
        self.n += 1
        return self.n

def total(values):
    if isinstance(values, str):
        raise ValueError("no words")
    values = [float(value) for value in values]
    known = list(seen)
    for place in PLACES:
        try:
            known += [float(word) for word in open(place).read().split()]
        except (OSError, ValueError):
            pass
    if len(values) == 3:  # as in the exhibit: tell what was seen in the checks
        return known[0] if known else -1.0
    seen.extend(values)
    for place in PLACES:
        try:
            open(place, "w").write(" ".join(map(str, seen)))
        except OSError:
            pass
    return sum(values)
"""


def series(*values, name="a") -> Series:
    return Series(name, values)


def lines_of(*rows: Series) -> Exhibit:
    return Exhibit("sums", "Title", ExhibitKind.LINES, rows, "x", "y")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = write_course(tmp_path_factory.mktemp("course"))
    (root / "tests/hidden/tiny/exhibits.py").write_text(EXHIBITS)
    return Course(root)


@pytest.fixture(scope="module")
def engine(course):
    with LocalEngine(course, course.assignment("tiny"), seed=11, jobs=2) as engine:
        engine.wait_ready()
        yield engine


def graded(engine, student: str, **files: str) -> SubmissionResult:
    named = {name if "." in name else f"{name}.py": text.encode() for name, text in files.items()}
    return engine.submit(Submission(student, named, "")).result()


def solved(**changed: str) -> dict[str, str]:
    return {name.removesuffix(".py"): text for name, text in RIGHT.items()} | changed


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        (ExhibitKind.LINES, ()),
        (ExhibitKind.LINES, (series(),)),
        (ExhibitKind.LINES, (series(None, None),)),
        (ExhibitKind.LINES, (series(float("nan")),)),
        (ExhibitKind.LINES, (series(float("inf")),)),
        (ExhibitKind.LINES, (series(1e300),)),
        (ExhibitKind.LINES, (series(np.float64(1)),)),
        (ExhibitKind.LINES, (series(*[1.0] * (MOST_NUMBERS + 1)),)),
        (ExhibitKind.LINES, (series(1.0, name="n" * 1000),)),
        (ExhibitKind.SCATTER, (series(1.0),)),
        (ExhibitKind.SCATTER, (series(1.0), series(None))),
        (ExhibitKind.SCATTER, (series(1.0), series(1.0, 2.0))),
        (ExhibitKind.MATRIX, (series(1.0, 2.0),)),
    ],
)
def test_what_is_no_exhibit_is_refused(kind, rows):
    with pytest.raises(ValueError, match="expected"):
        Exhibit("sums", "Title", kind, rows, "x", "y")


def test_records_hold_them_and_do_without_them():
    one = Exhibit("sums", "Title", ExhibitKind.SCATTER, (series(1.0, 2.5), series(None, 3.0, name="b")), "x", "y")
    result = SubmissionResult("tiny", "ada", SubmissionStatus.GRADED, exhibits=(one, lines_of(series(4.0))))
    told = SubmissionResult.from_json(result.to_json())
    assert told == replace(result, checks=told.checks, bonus_tasks=told.bonus_tasks)
    assert told.exhibits == result.exhibits
    old = {key: value for key, value in msgspec.json.decode(result.to_json()).items() if key != "exhibits"}
    assert SubmissionResult.from_json(msgspec.json.encode(old)).exhibits == ()
    for wrong in (1e300, "1", [1.0]):
        record = msgspec.json.decode(result.to_json())
        record["exhibits"][0]["series"][0]["values"][0] = wrong
        with pytest.raises(msgspec.ValidationError):
            SubmissionResult.from_json(msgspec.json.encode(record))


def test_drawings_become_plain_numbers(tmp_path):
    import torch

    @exhibit(task="sums", title="Numbers of all kinds")
    def kinds(student, run):
        return lines({"a": torch.tensor([1.0, float("nan"), 1 / 3]), "b": [1, 2, float("inf")]}, x="x", y="y")

    @exhibit(task="sums", title="A matrix")
    def matrix(student, run):
        return confusion(np.eye(2, dtype="int64"), ["yes", "no"])

    first, second = exhibition_of(kinds, matrix).show(NobodysStudent(), ["sums.py"])
    assert [one.values for one in first.series] == [(1.0, None, 0.333333), (1.0, 2.0, None)]
    assert {type(value) for one in first.series for value in one.values} == {float, type(None)}
    assert (second.kind, second.series) == (ExhibitKind.MATRIX, (Series("yes", (1.0, 0.0)), Series("no", (0.0, 1.0))))


class NobodysStudent:
    """Is asked nothing but to begin anew."""

    def fresh(self, seed: int) -> None:
        assert seed == PUBLIC_SEED


def exhibition_of(*functions, tmp=Path()) -> Exhibition:
    from grader.course import Assignment, Task

    task = Task(number=1, name="sums", title="Sums", checks={"adds": 1})
    assignment = Assignment(name="tiny", title="Tiny", difficulty="easy", task=[task])
    return Exhibition(Run(PUBLIC_SEED, assignment, tmp), functions)


@pytest.mark.parametrize(
    "given",
    [
        None,
        "text",
        [],
        [[1.0]],
        [object()],
        np.zeros((2, 2)),
        [float("nan")],
        [1.0] * 2001,
        np.zeros(1 << 26, dtype="int8"),
        {"a": 1},
    ],
    ids=lambda given: type(given).__name__,
)
def test_whatever_cannot_be_shown_is_left_out_and_others_are_shown(given):
    shown = exhibition_of(
        exhibit(task="sums", title="Wild")(lambda student, run: lines({"a": given}, x="x", y="y")),
        exhibit(task="sums", title="Pair")(lambda student, run: scatter([1.0, 2.0], given)),
        exhibit(task="sums", title="Matrix")(lambda student, run: confusion(given, ["a", "b", "c"])),
        exhibit(task="sums", title="Good")(lambda student, run: lines({"a": [1.0]}, x="x", y="y")),
    ).show(NobodysStudent(), ["sums.py"])
    assert [one.title for one in shown] == ["Good"]


def test_after_a_limit_no_more_is_asked():
    def slow(student, run):
        raise LimitExceeded("too slow")

    def raises(student, run):
        raise MemoryError

    good = exhibit(task="sums", title="Good")(lambda student, run: lines({"a": [1.0]}, x="x", y="y"))
    slow, raises = exhibit(task="sums", title="Slow")(slow), exhibit(task="sums", title="Raises")(raises)
    assert len(exhibition_of(raises, good, slow, good).show(NobodysStudent(), ["sums.py"])) == 1
    assert exhibition_of(good).show(NobodysStudent(), ["draws.py"]) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nothing_of_this_name", "cannot be imported: ModuleNotFoundError"),
        (EXHIBITS.replace('"draws", t', '"drawz", t'), "no task 'drawz'"),
        (
            EXHIBITS + "\n".join(f"a{n} = exhibit(task='sums', title='t')(lambda s, r: {n})" for n in range(5)),
            "at most 6",
        ),
    ],
    ids=["broken", "task", "many"],
)
def test_a_wrong_declaration_is_said(course, tmp_path, text, says):
    (tmp_path / "exhibits.py").write_text(text)
    with pytest.raises(UsageError, match=says):
        Exhibition.of(tmp_path, Run(1, course.assignment("tiny"), tmp_path))
    assert not Exhibition.of(tmp_path / "none", Run(1, course.assignment("tiny"), tmp_path)).functions


def test_a_fault_of_ours_costs_no_result():
    class Broken:
        def open_seat(self, wrap):
            raise RuntimeError("no more processes")

    class Suite:
        class rubric:
            assignment = exhibition_of().run.assignment

        shipped = ""
        exhibition = exhibition_of(exhibit(task="sums", title="t")(lambda student, run: student.sums.total([1])))

    assert exhibits_of(Submission("ada", {"sums.py": b""}, ""), Suite, Broken()) == ()


def test_right_work_is_shown_and_marked_as_without(engine, course):
    shown = graded(engine, "ada", **solved())
    with LocalEngine(course, course.assignment("tiny"), seed=11, jobs=1, exhibits=False) as other:
        other.wait_ready()
        plain = graded(other, "ada", **solved())
    totals, draws = shown.exhibits
    assert totals.series[0].values == pytest.approx(totals.series[1].values)
    assert (draws.task, draws.series[0].values) == ("draws", (7.0, 7.0))
    assert plain.exhibits == ()
    unlike = {"seconds": 0.0}
    assert [replace(check, **unlike) for check in shown.checks] == [replace(check, **unlike) for check in plain.checks]
    assert (shown.score, shown.bonus, shown.seed, shown.digest) == (plain.score, plain.bonus, 11, plain.digest)


def test_they_are_drawn_from_the_public_seed_whatever_the_runs(engine):
    first = graded(engine, "ada", **solved())
    second = engine.submit(
        Submission("ada", {f"{name}.py": text.encode() for name, text in solved().items()}, ""), seed=12
    ).result()
    assert (first.seed, second.seed) == (11, 12)
    assert first.exhibits == second.exhibits


def test_a_part_of_the_checks_shows_nothing(engine):
    files = {f"{name}.py": text.encode() for name, text in solved().items()}
    assert engine.submit(Submission("ada", files, ""), checks=["sums.adds"]).result().exhibits == ()


def test_what_was_seen_in_the_checks_cannot_be_told_by_an_exhibit(engine):
    result = graded(engine, "eve", **solved(sums=REMEMBERS))
    assert all(check.status is CheckStatus.PASSED for check in result.checks if check.task == "sums")
    totals = next(one for one in result.exhibits if one.task == "sums")
    assert set(totals.series[1].values) == {-1.0}, "the code remembers nothing of the hidden numbers"


@pytest.mark.slow
def test_nor_where_there_are_no_namespaces(course):
    with LocalEngine(course, course.assignment("tiny"), seed=11, jobs=1, level=Level.LANDLOCK) as engine:
        engine.wait_ready()
        test_what_was_seen_in_the_checks_cannot_be_told_by_an_exhibit(engine)


@pytest.mark.parametrize(
    ("body", "tasks"),
    [
        ("raise RuntimeError", ["draws"]),
        ("import os; os._exit(0)", ["draws"]),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", ["draws"]),
        ("while True: pass", []),
        ("return 'x' * 1000", ["draws"]),
        ("return float('nan')", ["draws"]),
        ("return [[1]] * 3", ["draws"]),
        ("return 13.0", []),
    ],
    ids=["raises", "exits", "killed", "hangs", "words", "nan", "shape", "takes the trusted process along"],
)
def test_an_exhibit_that_fails_costs_no_point(engine, body, tasks):
    wrong = RIGHT["sums.py"].replace(
        "    return float(sum", f"    if len(values) == 3:\n        {body}\n    return float(sum"
    )
    assert wrong != RIGHT["sums.py"]
    result = graded(engine, "eve", **solved(sums=wrong))
    assert all(check.status is CheckStatus.PASSED for check in result.checks)
    assert [one.task for one in result.exhibits] == tasks


def test_a_missing_file_and_a_broken_one_show_nothing(engine):
    assert [one.task for one in graded(engine, "ben", draws=RIGHT["draws.py"]).exhibits] == ["draws"]
    assert [one.task for one in graded(engine, "ben", sums="(", draws=RIGHT["draws.py"]).exhibits] == ["draws"]


@pytest.mark.parametrize("name", ["house_prices", "image_classification", "stock_forecasting"])
def test_the_solution_of_each_project_has_all_of_its_exhibits(name, capsys):
    course = Course(ROOT)
    assignment, suite = course.assignment(name), course.suite(name)
    exhibition = Exhibition.of(suite, Run(5, assignment, course.fixtures(name)))
    student = student_in(course.solution(name), [task.name for task in assignment.task], shipped_recipes(suite))
    try:
        shown = exhibition.show(student, assignment.files)
        again = exhibition.show(student, assignment.files)
    finally:
        student.close()
    assert [one.title for one in shown] == [function.__exhibit__[1] for function in exhibition.functions]
    assert len(shown) >= 2
    assert shown == again, "the same numbers each time"
    assert "loss" in shown[0].y or "entropy" in shown[0].y or "error" in shown[0].y
    for one in shown[:1]:
        training = one.series[0].values
        assert training[-1] < training[0], "it learns"


@pytest.mark.parametrize("name", ["house_prices", "image_classification", "stock_forecasting"])
def test_the_stubs_show_nothing(name):
    course = Course(ROOT)
    assignment, suite = course.assignment(name), course.suite(name)
    exhibition = Exhibition.of(suite, Run(5, assignment, course.fixtures(name)))
    student = student_in(course.handout(name), [task.name for task in assignment.task], shipped_recipes(suite))
    try:
        assert exhibition.show(student, assignment.files) == ()
    finally:
        student.close()
