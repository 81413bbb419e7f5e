"""What is hidden is found in what would be released, however it got there; what is given is not taken for it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from released_course import FILES, SOLUTION, SUITE, write_released_course
from typer.testing import CliRunner

from grader.bundle import make_bundle
from grader.cli import app
from grader.course import Course
from grader.leaks import find_leaks
from grader.stubs import BEGIN, END, make_stub

REAL = Course(Path(__file__).resolve().parents[1])
SMALL = "assignments/small"
STUB, HANDOUT, CHECK = f"{SMALL}/fit.py", f"{SMALL}/README.md", f"{SMALL}/test_public_fit.py"
LONG = 'weights = np.asarray(x, dtype="float64")'
PRIVATE = "wanted = np.linalg.lstsq(x[:, None], y, rcond=None)[0][0]"


@pytest.fixture
def course(tmp_path) -> Course:
    return write_released_course(tmp_path)


@pytest.fixture
def found(course) -> Callable[..., list[str]]:
    """The leaks when these texts stand at the end of these files, in the order of the files."""

    def look_at(added: dict[str, str]) -> list[str]:
        files = dict(make_bundle(course).files)
        for file, text in added.items():
            files[file] = files.get(file, b"") + text.encode()
        return [str(leak) for leak in find_leaks(files, course)]

    return look_at


def line_of(text: str, line: str) -> int:
    """The number of the line that holds `line`."""
    return text[: text.index(line)].count("\n") + 1


def test_what_is_given_is_no_leak(found):
    assert found({}) == []


@pytest.mark.parametrize(
    ("file", "secret"),
    [
        (f"{SMALL}/helper.py", "solutions/small/fit.py"),
        (f"{SMALL}/test_public_more.py", "tests/hidden/small/test_fit.py"),
        (f"{SMALL}/play.py", "tests/hidden/small/stand_ins/fit.py"),
        (f"{SMALL}/make_data.py", "fixtures/small/generate.py"),
        (f"{SMALL}/data/answers.csv", "fixtures/small/hidden/answers.csv"),
    ],
)
def test_a_whole_file(found, file, secret):
    assert f"{file}: is the same as {secret}" in found({file: FILES[secret]})


@pytest.mark.parametrize(
    "written",
    [
        f"    {LONG}\n",
        f"# {LONG}\n",
        "weights = np.asarray(\n    x,\n    dtype='float64'\n)".replace("'", '"'),
        f"{LONG}  # as numbers\n",
        f"Begin with `{LONG}`, then go on.\n",
    ],
    ids=["as it is", "commented out", "wrapped", "with a remark", "in a sentence"],
)
@pytest.mark.parametrize("file", [STUB, HANDOUT, f"{SMALL}/assignment.toml"])
def test_a_line_of_a_solution(found, file, written):
    if file.endswith(".toml"):
        written = re.sub("(?m)^", "# ", written)  # stays TOML: the course reads it
    source = f"solutions/small/fit.py:{line_of(SOLUTION, LONG)}"
    (leak,) = found({file: "\n" + written})
    assert re.fullmatch(rf"{re.escape(file)}, line \d+: has a line of the solution, {source}", leak)


def test_the_place_is_the_lines_own(found, course):
    number = make_bundle(course).files[HANDOUT].decode().count("\n") + 3
    assert found({HANDOUT: f"\n\n{LONG}\n"})[0].startswith(f"{HANDOUT}, line {number}: ")


def test_a_cell_of_a_notebook(found):
    code = ["def slope(x, y):\n", f"    {LONG}\n"]
    notebook = {"cells": [{"cell_type": "markdown", "source": "# Small"}, {"cell_type": "code", "source": code}]}
    (leak,) = found({f"{SMALL}/more.ipynb": json.dumps(notebook)})
    assert leak.startswith(f"{SMALL}/more.ipynb, cell 2, line 2: has a line of the solution, ")


def test_short_lines_are_told_by_their_run_alone(found):
    short = ["norm = weights @ weights", "if norm == 0:", 'raise ValueError("no direction")']
    assert not any(found({HANDOUT: f"\n{line}\n"}) for line in short[:2])
    (leak,) = found({CHECK: "\n" + "\n".join(short) + "\n"})
    assert f"has lines of the solution, solutions/small/fit.py:{line_of(SOLUTION, short[0])}" in leak


def test_a_self_check_may_say_one_line_but_not_go_on(found):
    following = SOLUTION.splitlines()
    start = line_of(SOLUTION, LONG) - 1
    assert found({CHECK: f"\n{LONG}\n"}) == []
    assert "has lines of the solution," in found({CHECK: "\n" + "\n".join(following[start : start + 3]) + "\n"})[0]


@pytest.mark.parametrize(
    ("line", "source"),
    [
        (PRIVATE, "tests/hidden/small/test_fit.py"),
        ("return [(i, i * 1.5) for i in range(n)]", "tests/hidden/small/recipes_noise.py"),
        ("return sum(a * b for a, b in zip(x, y, strict=True))", "tests/hidden/small/stand_ins/fit.py"),
        ("return rng.gamma(7.5, 12, size=(90, 4))", "fixtures/small/generate.py"),
        ("price_of_a_garage_in_dollars = 11_250", "fixtures/small/market.toml"),
    ],
)
def test_a_line_of_a_suite_its_recipes_stand_ins_and_generators(found, line, source):
    expected = f"has a line of the hidden {source}:{line_of(FILES[source], line)}"
    assert [leak.partition(": ")[2] for leak in found({STUB: f"\n{line}\n"})] == [expected]


def test_a_run_of_a_hidden_check_in_a_self_check(found):
    lines = SUITE.splitlines()
    start = line_of(SUITE, "y = -1.625") - 1
    (leak,) = found({CHECK: "\n" + "\n".join(lines[start : start + 3]) + "\n"})
    assert f"has lines of the hidden tests/hidden/small/test_fit.py:{start + 1}" in leak


def test_the_same_import_and_a_call_of_the_same_function_are_no_leak(found):
    called = 'assert_close(as_float(student.fit.slope(x, y), "the slope of noisy points"), wanted, "the slope of noisy points")'
    assert found({CHECK: f"\nfrom grader.suite import as_float, assert_close, check\n\n\n{called}\n"}) == []


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("NOISE = 0.0375", "NOISE"),
        ("NOISE: float = .0375  # as small as that", "NOISE"),
        ("The noise, `NOISE` = 3.75e-2, is small.", "NOISE"),
        ("EDGES = [2.5, 17.25, 90]", "EDGES"),
    ],
)
def test_a_hidden_constant(found, line, name):
    source = f"tests/hidden/small/test_fit.py:{line_of(SUITE, name)}"
    (leak,) = found({CHECK: f"\n{line}\n"})
    assert leak.endswith(f": has the hidden {name} of {source}")


@pytest.mark.parametrize("line", ["NOISE = 0.04", "ROUND = 10", "LOUDNESS = 0.0375", "EDGES = (2.5, 17.25)"])
def test_other_numbers_and_round_ones_are_no_leak(found, line):
    assert found({CHECK: f"\n{line}\n"}) == []


@pytest.mark.parametrize(
    ("file", "words", "named"),
    [
        (HANDOUT, "see tests/hidden/small/test_fit.py", "tests/hidden/small/test_fit.py"),
        ("README.md", "see fixtures/small/market.toml", "fixtures/small/market.toml"),
        (STUB, "# as recipes_noise.py has it", "tests/hidden/small/recipes_noise.py"),
        (CHECK, "# answers.csv has them", "fixtures/small/hidden/answers.csv"),
    ],
)
def test_the_name_of_a_hidden_file(found, file, words, named):
    (leak,) = found({file: f"\n{words}\n"})
    assert leak.endswith(f": names {named}")


def test_names_that_released_files_have_are_no_leak(found):
    assert found({HANDOUT: "\nWrite fit.py, try it on data/houses.csv.\n"}) == []


def test_the_command_refuses_in_a_line_for_each_leak_and_writes_nothing(course, tmp_path):
    for file, line in ((HANDOUT, LONG), (CHECK, "NOISE = 0.0375")):
        path = course.root / file
        path.write_text(f"{path.read_text()}\n{line}\n")
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["release", "--out", str(out), "--course", str(course.root)])
    lines = result.stderr.splitlines()
    assert result.exit_code == 2
    assert [line.split(",")[0] for line in lines[:2]] == [f"grader: leak: {HANDOUT}", f"grader: leak: {CHECK}"]
    assert lines[2:] == ["grader: 2 leaks, nothing written; take them out of what students receive."]
    assert not out.exists()


@pytest.fixture(scope="module")
def real() -> dict[str, bytes]:
    return dict(make_bundle(REAL).files)


def test_the_course_itself_leaks_nothing(real):
    assert find_leaks(real, REAL) == []


@pytest.mark.parametrize("name", REAL.names)
def test_each_solution_line_of_length_is_refused_in_its_stub(name):
    """By an oracle of its own: any statement on one line that the stub does not have, of 40 characters or more."""
    mutants, expected = {}, set()
    for task in REAL.assignment(name).task:
        solution = (REAL.solution(name) / task.file).read_text("utf-8")
        stub = make_stub(solution, REAL.assignment(name), task)
        regions = re.findall(rf"{BEGIN}\n(.*?)\n *{END}", solution, re.DOTALL)
        lines = [line for region in regions for line in region.splitlines() if len(line.strip()) >= 40]
        telling = [line for line in lines if line.strip() not in stub and "#" not in line and not line.endswith(":")]
        assert telling, task.file
        file, end = f"assignments/{name}/{task.file}", stub.count("\n")
        mutants[file] = (stub + "\n".join(telling) + "\n").encode()
        expected |= {(file, f"line {end + number}") for number in range(1, len(telling) + 1)}
    assert {(leak.file, leak.place) for leak in find_leaks(mutants, REAL)} == expected
