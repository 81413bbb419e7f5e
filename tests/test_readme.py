"""README and AUTHORS keep their word: tables are the course's, commands exist, and the first one does what it says."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import grader
from grader.course import Course
from grader.scaffold import PLACES
from grader.soundness.cases import USUAL
from grader.soundness.margins import NARROW
from grader.soundness.verdicts import PRECISE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
AUTHORS = (ROOT / "AUTHORS.md").read_text("utf-8")


def commands_in(text: str) -> list[str]:
    """Lines of the text's shell blocks, without remarks."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


COMMANDS = commands_in(README)


def test_the_table_of_assignments_is_the_courses():
    course = Course(ROOT)
    rows = re.findall(r"^\| \[`(\w+)`\]\((.*?)\) \| .* \| (\w+) \| (\S+) \+ (\S+) \|$", README, re.MULTILINE)
    declared = [course.assignment(name) for name in course.names]
    assert [(name, difficulty, float(points), float(bonus)) for name, _, difficulty, points, bonus in rows] == [
        (a.name, a.difficulty, a.points, a.bonus) for a in declared
    ]
    for _, handout, *_ in rows:
        assert (ROOT / handout).is_file()


def test_numbers_in_the_text_are_the_courses():
    assignment = Course(ROOT).assignment("house_prices")
    assert f"with {assignment.limits.check_seconds:g} s of processor time for one check" in README
    entries = [p for p in (ROOT / "fixtures/submissions/house_prices").iterdir() if p.name != "expected.json"]
    assert f"the example class, {len(entries)} submissions" in README


def test_there_is_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == grader.__version__


def test_ci_runs_the_readmes_test_command():
    assert "uv run pytest" in COMMANDS
    assert re.search(r"^uv run pytest$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)


def test_what_authors_read_of_the_proof_is_so():
    assert f"the solution, on {USUAL.solution} draws of data" in AUTHORS
    assert f"the solution, {USUAL.repeats} times on the same data" in AUTHORS
    assert f"each alternative, on {USUAL.alternative} draws" in AUTHORS
    assert f"on {USUAL.mutant} draws, where a line tells it" in AUTHORS
    assert f"fewer than {PRECISE:.0%}".replace("%", " %") in AUTHORS
    assert f"nearer to a line than {NARROW:g} standard deviations" in " ".join(AUTHORS.split())
    for place in PLACES.values():
        folder = place.format(name="<project>")
        assert folder in AUTHORS, folder


@pytest.mark.parametrize("command", [c for c in COMMANDS + commands_in(AUTHORS) if c.startswith("uv run grader")])
def test_every_grader_command_has_options_that_exist(command):
    words = shlex.split(command)[3:]
    help_text = subprocess.run(
        [Path(sys.executable).with_name("grader"), words[0], "--help"], capture_output=True, text=True, check=True
    ).stdout
    for option in [word for word in words if word.startswith("--")]:
        assert option in help_text


def test_the_first_command_grades_the_example_class_as_expected(tmp_path):
    first = next(command for command in COMMANDS if command.startswith("uv run grader grade"))
    words = first.replace("--out results", f"--out {tmp_path}").split()[2:]
    done = subprocess.run(
        [Path(sys.executable).with_name(words[0]), *words[1:]],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "120"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All 19 results are as" in done.stdout
    assert "Sandbox namespaces" in done.stderr
    for student in ("mallory", "nils", "olga"):
        record = next((tmp_path / "results").glob(f"{student}.json")).read_text()
        assert "FOUND" not in record, f"{student} found something that is hidden"
