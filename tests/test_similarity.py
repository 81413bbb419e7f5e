"""Similarity: made copies are found however they are disguised, and independent work is left alone."""

import io
import json
import shutil
import zipfile
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import pytest
from disguises import DISGUISES, all_at_once, busy, renamed, write
from typer.testing import CliRunner

from grader.cli import app
from grader.course import Course
from grader.notebook_source import as_text, source_notebook
from grader.similarity.compare import Comparison, Findings, compare
from grader.similarity.reading import Class, read_class
from grader.submission import discover

ROOT = Path(__file__).parents[1]
COURSE = Course(ROOT)
NAME = "house_prices"
ASSIGNMENT = COURSE.assignment(NAME)
ALTERNATIVES = ROOT / "tests" / "alternatives"
SOLUTION = {file: (COURSE.solution(NAME) / file).read_text("utf-8") for file in ASSIGNMENT.files}
STARTER = {file: (COURSE.handout(NAME) / file).read_text("utf-8") for file in ASSIGNMENT.files}


def alternative(name: str) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in (ALTERNATIVES / NAME / name).glob("*.py")}


def read(folder: Path, assignment=ASSIGNMENT) -> Class:
    return read_class(discover(folder, assignment), COURSE, assignment, jobs=2)


def compared(folder: Path, at_least: float = 0.6, common: float = 0.5) -> tuple[Comparison, Findings]:
    return compare(read(folder), at_least, common)


def students(comparison: Comparison, findings: Findings) -> list[tuple[str, str]]:
    places = [(pair.left.place, pair.right.place) for pair in findings.pairs]
    return [tuple(comparison.documents[place].entry.student for place in pair) for pair in places]


def written(folder: Path, submissions: Mapping[str, Mapping[str, str]]) -> Path:
    for name, files in submissions.items():
        write(folder / name, dict(files))
    return folder


@pytest.fixture(scope="module")
def disguised(tmp_path_factory) -> tuple[Comparison, Findings]:
    """A class of independent work, one original, and a copy of it in each disguise."""
    folder = tmp_path_factory.mktemp("disguised") / "class"
    shutil.copytree(ALTERNATIVES / NAME, folder)
    written(folder, {"original": SOLUTION})
    written(
        folder,
        {f"copy {name}": {file: hide(text) for file, text in SOLUTION.items()} for name, hide in DISGUISES.items()},
    )
    return compared(folder)


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguised_copy_is_found(disguised, disguise):
    assert tuple(sorted((f"copy {disguise}", "original"))) in students(*disguised)


def test_what_is_found_are_the_copies_and_nobody_else(disguised):
    copies = {"original", *(f"copy {name}" for name in DISGUISES)}
    assert {student for pair in students(*disguised) for student in pair} == copies
    assert disguised[1].groups == [sorted(copies)]


def test_copies_without_new_code_are_alike_to_the_last_token(disguised):
    comparison, findings = disguised
    of = dict(zip(students(comparison, findings), findings.pairs, strict=True))
    for name in ("renamed", "reordered", "reformatted", "stripped", "padded", "all at once"):
        pair = of[(f"copy {name}", "original")]
        assert (pair.left.similarity, pair.right.similarity) == (1, 1), name


@pytest.mark.parametrize("name", COURSE.names)
def test_independent_solutions_are_not_alike(tmp_path, name):
    """The threshold stands on this: in all three projects the nearest two independent solutions stay far below it."""
    assignment = COURSE.assignment(name)
    shutil.copytree(ALTERNATIVES / name, tmp_path / "class")
    solution = {file: (COURSE.solution(name) / file).read_text("utf-8") for file in assignment.files}
    write(tmp_path / "class" / "solution", solution)
    found = read(tmp_path / "class", assignment)
    assert not found.notes
    assert not compare(found, 0.6)[1].pairs
    nearest = compare(found, 0.15)[1].pairs
    assert not [pair for pair in nearest if pair.similarity > 0.45]


def test_the_starter_is_nobodys_own(tmp_path):
    half = {**STARTER, "train.py": SOLUTION["train.py"]}
    comparison, findings = compared(written(tmp_path, {"ada": STARTER, "ben": STARTER, "chloe": half}), 0.1)
    assert not findings.pairs
    assert [int(own.sum()) for own in comparison.own[:2]] == [0, 0]


def test_one_copied_file_is_found_among_own_ones(tmp_path):
    copied = alternative("minimal") | {"evaluate.py": renamed(alternative("class_based")["evaluate.py"])}
    comparison, findings = compared(
        written(tmp_path, {"ada": copied, "ben": alternative("class_based"), "chloe": alternative("closures")})
    )
    assert students(comparison, findings) == [("ada", "ben")]
    assert findings.pairs[0].similarity < 0.6
    assert findings.pairs[0].files[0][0] == "evaluate.py"


def test_what_lies_whole_in_a_longer_program_is_found(tmp_path):
    longer = SOLUTION | {"train.py": SOLUTION["train.py"] + "\n\n" + alternative("class_based")["train.py"]}
    part = STARTER | {"train.py": SOLUTION["train.py"]}
    comparison, findings = compared(written(tmp_path, {"ada": longer, "ben": part}))
    pair = findings.pairs[0]
    assert students(comparison, findings) == [("ada", "ben")]
    assert pair.right.similarity > 0.95  # one name is bound in what was added, too
    assert pair.left.similarity < 0.3


def test_a_copy_in_another_file_and_a_notebook_or_zip_are_seen_through(tmp_path):
    moved = STARTER | {"helpers.py": SOLUTION["evaluate.py"], "evaluate.py": "from helpers import *\n"}
    folder = written(tmp_path, {"ada": SOLUTION, "ben": moved})
    (folder / "chloe.ipynb").write_text(as_text(source_notebook(COURSE, NAME)), "utf-8")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file, text in SOLUTION.items():
            archive.writestr(f"work/{file}", busy(all_at_once(text)))
    (folder / "dmitri.zip").write_bytes(packed.getvalue())
    comparison, findings = compared(folder)
    found = students(comparison, findings)
    assert {("ada", "ben"), ("ada", "chloe"), ("ada", "dmitri")} <= set(found)
    notebook = findings.pairs[found.index(("ada", "chloe"))]
    assert min(notebook.left.similarity, notebook.right.similarity) > 0.95


def test_attempts_of_one_student_are_not_compared_and_the_nearest_one_counts(tmp_path):
    first, second = "ada@2026-04-01T10-00-00Z", "ada@2026-04-02T10-00-00Z"
    folder = written(
        tmp_path, {first: alternative("minimal"), second: SOLUTION, "ben": {f: renamed(t) for f, t in SOLUTION.items()}}
    )
    shutil.copytree(folder / second, folder / "ada@2026-04-03T10-00-00Z")
    comparison, findings = compared(folder)
    assert students(comparison, findings) == [("ada", "ben")]
    assert findings.students == 2
    assert comparison.documents[findings.pairs[0].left.place].entry.attempt != "2026-04-01T10-00-00Z"


def own_bit(number: int) -> str:
    """A function that is nobody else's, as its operators come in an order of its own."""
    signs = [("+", "-", "*")[number // 3**place % 3] for place in range(4)] * 3
    return "\n\ndef own(a):\n    return " + "".join(f"a {sign} " for sign in signs) + "a\n"


def shared_with_bits(folder: Path) -> list[str]:
    """Twelve students who have the same train.py, with a bit of their own in it."""
    names = [f"student {number:02}" for number in range(12)]
    shown = SOLUTION["train.py"]
    written(folder, {name: {**STARTER, "train.py": shown + own_bit(n)} for n, name in enumerate(names)})
    return names


def test_what_most_of_the_class_shares_does_not_count_and_is_told(tmp_path):
    names = shared_with_bits(tmp_path)
    comparison, findings = compared(tmp_path)
    assert not findings.pairs
    assert comparison.mostly_common() == comparison.discounted() == names
    assert len(compared(tmp_path, common=1)[1].pairs) == 12 * 11 // 2


def test_where_something_is_left_out_the_last_line_says_so_and_how_it_is_counted(tmp_path):
    names = shared_with_bits(tmp_path / "class")
    told = " ".join(command(tmp_path / "class", "--assignment", NAME).stdout.split())
    assert "no pairs alike" in told
    assert f"of {len(names)} students so much that there may be more pairs; --common 1 counts it. Similarity is" in told
    told = " ".join(command(tmp_path / "class", "--assignment", NAME, "--common", "1").stdout.split())
    assert "66 pairs alike" in told
    assert "--common" not in told


def test_who_handed_in_the_same_is_named_whoever_else_has_it(tmp_path):
    """Twelve of fourteen have it; two of the twelve hid it, one handed in a part of it, and one nothing of one's own."""
    names = [f"student {number:02}" for number in range(12)]
    hidden = {file: renamed(text) for file, text in SOLUTION.items()}
    files = {name: SOLUTION if number > 1 else hidden for number, name in enumerate(names)}
    part = STARTER | {"train.py": SOLUTION["train.py"]}
    comparison, findings = compared(written(tmp_path, {**files, "part": part, "starter": STARTER}))
    assert sorted(students(comparison, findings)) == list(combinations(names, 2))
    assert findings.identical == len(findings.pairs) == 66
    assert findings.groups == [names]
    assert {(pair.identical, pair.left.similarity, pair.right.similarity) for pair in findings.pairs} == {(True, 1, 1)}
    assert all(pair.left.lines == pair.left.own_lines > 100 for pair in findings.pairs)


def test_a_starter_that_everybody_left_as_it_is_makes_no_pair(tmp_path):
    findings = compared(written(tmp_path, {f"student {number}": STARTER for number in range(12)}))[1]
    assert not findings.pairs
    assert not findings.identical


def test_attempts_that_are_the_same_make_one_pair_of_two_students(tmp_path):
    first, second = alternative("minimal"), alternative("closures")
    times = ("2026-04-01T10-00-00Z", "2026-04-02T10-00-00Z")
    both = {
        f"{name}@{time}": files for name in ("ada", "ben") for time, files in zip(times, (first, second), strict=True)
    }
    comparison, findings = compared(written(tmp_path, {**both, "chloe": second}))
    assert students(comparison, findings) == [("ada", "ben"), ("ada", "chloe"), ("ben", "chloe")]
    assert findings.identical == 3


def test_of_many_who_handed_in_the_same_the_first_are_shown_and_all_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("grader.similarity.compare.MOST_PAIRS", 10)
    names = [f"student {number:02}" for number in range(12)]
    near = {"near 1": alternative("closures"), "near 2": alternative("closures") | {"bonus.py": ""}}
    findings = compared(written(tmp_path, dict.fromkeys(names, SOLUTION) | near))[1]
    assert (len(findings.pairs), findings.more, findings.identical) == (10, 57, 66)
    assert findings.groups == [names]


def test_groups_are_connected_pairs(tmp_path):
    parts = [SOLUTION["train.py"], alternative("class_based")["evaluate.py"], alternative("closures")["explore.py"]]
    several = {
        "ada": STARTER | {"train.py": parts[0]},
        "ben": STARTER | {"train.py": parts[0], "evaluate.py": parts[1]},
        "chloe": STARTER | {"evaluate.py": parts[1]},
        "dmitri": STARTER | {"explore.py": parts[2]},
        "elif": STARTER | {"explore.py": renamed(parts[2])},
    }
    comparison, findings = compared(written(tmp_path, several))
    assert set(students(comparison, findings)) == {("ada", "ben"), ("ben", "chloe"), ("dmitri", "elif")}
    assert findings.groups == [["ada", "ben", "chloe"]]


def command(*arguments: object) -> object:
    return CliRunner().invoke(app, ["similar", *map(str, arguments), "--course", str(ROOT)])


def test_the_command_prints_a_table_and_json(tmp_path):
    folder = written(tmp_path / "class", {"ada": SOLUTION, "ben": {f: renamed(t) for f, t in SOLUTION.items()}})
    write(folder / "chloe", {"notes.txt": "sorry"})
    table = command(folder, "--assignment", NAME)
    assert table.exit_code == 0, table.output
    assert "100%" in table.stdout
    assert "a reason to look, not a verdict" in " ".join(table.stdout.split())
    assert "chloe: not compared: expected at least one of explore.py" in " ".join(table.stdout.split())
    told = json.loads(command(folder, "--assignment", NAME, "--json").stdout)
    (one, other) = told["pairs"][0]
    assert [one["student"], one["similarity"], other["student"]] == ["ada", 1.0, "ben"]
    assert one["shared_lines"] == one["own_lines"] > 100
    assert {share["file"] for share in one["files"]} <= set(ASSIGNMENT.files)
    assert [told["students"], told["entries"], len(told["notes"])] == [2, 2, 1]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--at-least", "1.5"], "expected --at-least above 0 and at most 1, such as 0.6, found 1.5"),
        (["--at-least", "nan"], "expected --at-least above 0"),
        (["--common", "0"], "expected --common above 0"),
        (["--assignment", "house_price"], "did you mean 'house_prices'?"),
    ],
)
def test_wrong_use_is_one_line(tmp_path, options, expected):
    write(tmp_path / "class" / "ada", SOLUTION)
    ended = command(tmp_path / "class", "--assignment", NAME, *options)
    assert ended.exit_code == 2
    assert expected in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
