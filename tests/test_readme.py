"""Texts keep their word: tables are the course's, commands and settings exist, and the first one does what it says."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer import Context
from typer.main import get_command

import grader
from grader.attempts import Deadline
from grader.cli import app
from grader.course import Course
from grader.deadlines import read_extensions
from grader.scaffold import PLACES
from grader.settings import read_term, thresholds_of
from grader.soundness.cases import USUAL
from grader.soundness.margins import NARROW
from grader.soundness.mutants import Mutant
from grader.soundness.verdicts import PRECISE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
AUTHORS = (ROOT / "AUTHORS.md").read_text("utf-8")


NAMES = [
    "README.md",
    "AUTHORS.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(
        path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("docs/*.md"), *ROOT.glob("assignments/*/README.md")]
    ),
]
TEXTS = {name: (ROOT / name).read_text("utf-8") for name in NAMES}
GRADER = get_command(app)
ELSEWHERE = {"--nworkers", "--nthreads", "--memory-limit", "--tls-ca-file", "--tls-cert", "--tls-key"}
"""Options that texts speak of and that are Dask's."""


def blocks(text: str, language: str) -> list[str]:
    """A text's blocks of code in one language."""
    return re.findall(rf"^ *```{language}\n(.*?)```", text, re.DOTALL | re.MULTILINE)


def commands_in(text: str) -> list[str]:
    """Lines of the text's shell blocks, without remarks."""
    lines = [line for kind in ("sh", "bash") for block in blocks(text, kind) for line in block.splitlines()]
    return [line.split("  #")[0].strip() for line in lines if line.strip()]


def grader_commands(text: str) -> list[str]:
    """What follows `grader` in the text's shell blocks."""
    found = (re.match(r"(?:uv run (?:--directory \S+ )?)?grader (.+)", command) for command in commands_in(text))
    return [match[1] for match in found if match]


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
    seconds = {name: Course(ROOT).assignment(name).limits.check_seconds for name in Course(ROOT).names}
    first, (others,) = seconds.pop("house_prices"), set(seconds.values())
    words = f"with {first:g} s of processor time for one check of house prices, and {others:g} s in the other projects."
    assert words in " ".join(README.split())
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


@pytest.mark.parametrize(("text", "command"), [(name, c) for name in TEXTS for c in grader_commands(TEXTS[name])])
def test_every_command_is_one_that_the_grader_takes(text, command):
    """Read by the command itself, up to where it would begin: an option that there is not, or one missing, is an error."""
    name, *words = shlex.split(command)
    found = GRADER.get_command(Context(GRADER), name)
    assert found, f"{text}: there is no command {name!r}"
    with found.make_context(name, words):
        pass


@pytest.mark.parametrize("text", TEXTS)
def test_options_in_running_text_exist(text):
    """Those of the command that is named with them, or of any; mains and the plugin for pytest have their own."""
    prose = re.sub(r"```.*?```", "", TEXTS[text], flags=re.DOTALL)
    of = {name: {o for one in command.params for o in one.opts + one.secondary_opts} for name, command in commands()}
    others = [*ROOT.glob("solutions/*/main.py"), ROOT / "grader" / "suite" / "plugin.py"]
    own = set(re.findall(r'"(--[a-z-]+)"', "".join(path.read_text("utf-8") for path in others)))
    everywhere = {"--help", *ELSEWHERE, *own}.union(*of.values())
    for code in re.findall(r"`([^`]+)`", prose):
        named = re.search(r"\bgrader ([a-z]+)", code)
        assert not named or named[1] in of, f"{text}: {code}"
        known = of[named[1]] if named else everywhere
        if code.startswith("--") or named:
            words = code[named.end() :] if named else code
            assert set(re.findall(r"(?<!\S)--[a-z][a-z-]*", words)) <= known, f"{text}: {code}"


def commands() -> Iterator[tuple[str, Any]]:
    """The grader's commands by name."""
    context = Context(GRADER)
    for name in GRADER.list_commands(context):
        yield name, GRADER.get_command(context, name)


@pytest.mark.parametrize(("text", "example"), [(name, e) for name in TEXTS for e in blocks(TEXTS[name], "toml")])
def test_every_example_of_settings_can_be_read(text, example, tmp_path):
    """Where it belongs: as `course.toml`, `extensions.toml`, in `assignment.toml`, or among mutants."""
    told = tomllib.loads(example)
    if "mutant" in told:
        msgspec.convert(told["mutant"], list[Mutant])
    elif "deadline" in told:
        msgspec.convert(told["deadline"], Deadline)
    elif "assignments" in told:
        (tmp_path / "course.toml").write_text(example)
        term, course = read_term(tmp_path, Course(ROOT).names), Course(ROOT)
        for name, own in term.assignments.items():
            term.deadline(name, course.assignment(name).deadline)
            thresholds_of(own, course.assignment(name).thresholds, text)
    else:
        (tmp_path / "extensions.toml").write_text(example)
        due = Deadline(due=datetime(2026, 5, 1, 21, 59, tzinfo=UTC))
        names = [name for name in Course(ROOT).names if name in told]
        assert names
        for name in names:
            declared = msgspec.structs.replace(Course(ROOT).assignment(name), deadline=due)
            assert read_extensions(tmp_path / "extensions.toml", Course(ROOT), declared)


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
