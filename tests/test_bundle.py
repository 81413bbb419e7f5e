"""What students receive: what is in it, what is not, that it is the same each time, and that it works by itself."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from released_course import write_released_course
from typer.testing import CliRunner

from grader.bundle import Bundle, make_bundle
from grader.cli import app
from grader.course import Course
from grader.errors import UsageError

REAL = Course(Path(__file__).resolve().parents[1])
OWN_DATA = {
    "house_prices": "own_table()",
    "image_classification": "own_folder()",
    "stock_forecasting": "own('headlines.csv')",
}
PATIENCE = 550  # seconds; a busy machine needs a minute, a fresh environment some
FIRST_TASKS = {"house_prices": "explore.py", "image_classification": "data.py", "stock_forecasting": "acquire.py"}


@pytest.fixture
def course(tmp_path) -> Course:
    return write_released_course(tmp_path / "course")


@pytest.fixture(scope="module")
def real() -> Bundle:
    return make_bundle(REAL)


@pytest.fixture(scope="module")
def unpacked(real, tmp_path_factory) -> Path:
    """The real bundle, from its zip."""
    out = tmp_path_factory.mktemp("released")
    _, archive = real.write(out)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(out / "unpacked")
    return out / "unpacked" / real.name


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_holds_what_is_given_and_nothing_else(course):
    files = make_bundle(course).files
    own = {name for name in files if not name.startswith("grader/")}
    handed_out = {"README.md", "assignment.toml", "fit.py", "main.py", "small.ipynb", "test_public_fit.py"}
    data = {"data/houses.csv", "data/given/deep/1.bin"}
    assert own == {"README.md", "pyproject.toml"} | {f"assignments/small/{name}" for name in handed_out | data}
    assert "NotImplementedError" in files["assignments/small/fit.py"].decode()
    assert files["assignments/small/data/houses.csv"] == (course.fixtures("small") / "houses.csv").read_bytes()


def test_the_grader_in_it_is_the_one_that_runs(course):
    package = {name: data for name, data in make_bundle(course).files.items() if name.startswith("grader/")}
    files = content_of(REAL.root / "grader").items()
    here = {name: data for name, data in files if not {"__pycache__", "template"} & set(name.split("/"))}
    assert package == {f"grader/{name}": data for name, data in here.items()}


def test_until_when_and_what_being_late_costs_stand_in_its_readme_and_in_what_it_declares(course):
    declared = course.handout("small") / "assignment.toml"
    before = declared.read_text()
    assert "hand in until" not in make_bundle(course).files["README.md"].decode()
    assert make_bundle(course).files["assignments/small/assignment.toml"].decode() == before
    declared.write_text(before + "\n# of this course\n[thresholds]\nnear = 1.5  # found by trying\n")
    (course.root / "course.toml").write_text(
        'title = "Learning, autumn"\n[late]\nlate = "10 percent per day"\ngrace_minutes = 90\ncounts = "best"\n'
        "[assignments.small]\ndue = 2026-10-15T23:59:00+02:00\nthresholds = {near = 1.25}\n"
    )
    files = make_bundle(Course(course.root)).files
    row = (
        "| Small | Thursday 15 October 2026, 23:59 (UTC+02:00) | the best counts | "
        "10 percent of the points for each day begun; nothing within 1 h 30 min |"
    )
    assert row in files["README.md"].decode().splitlines()
    assert files["README.md"].decode().splitlines()[0] == "# Learning, autumn · Small"
    text = files["assignments/small/assignment.toml"].decode()
    told = tomllib.loads(text)
    assert told["deadline"] == {
        "due": datetime.fromisoformat("2026-10-15T23:59:00+02:00"),
        "counts": "best",
        "late": "10 percent per day",
        "grace_minutes": 90,
    }
    assert told["thresholds"] == {"near": 1.25}
    assert "# of this course" in text
    assert "# found by trying" in text
    assert {key: told[key] for key in tomllib.loads(before)} == tomllib.loads(before)


def test_a_term_that_takes_back_what_is_declared_is_what_students_read(course):
    declared = course.handout("small") / "assignment.toml"
    declared.write_text(
        declared.read_text() + '\n[deadline]\ndue = 2026-05-01T12:00:00Z\nlate = "zero"\ncounts = "best"\n'
    )
    (course.root / "course.toml").write_text('[assignments.small]\nlate = "none"\ncounts = "last"\n')
    files = make_bundle(Course(course.root)).files
    told = tomllib.loads(files["assignments/small/assignment.toml"].decode())["deadline"]
    assert (told["late"], told["counts"]) == ("none", "last")
    assert "Friday 1 May 2026, 12:00 (UTC) | the last counts | nothing |" in files["README.md"].decode()


def test_a_conftest_goes_with_it(course):
    (course.handout("small") / "conftest.py").write_text("import pytest\n")
    assert "assignments/small/conftest.py" in make_bundle(course).files


def test_its_project_needs_what_the_course_needs_but_for_marking(course):
    project = tomllib.loads(make_bundle(course).files["pyproject.toml"].decode())
    assert project["project"]["name"] == "small-course"
    assert project["project"]["version"] == "2.5"
    assert project["project"]["requires-python"] == ">=3.11"
    assert project["project"]["dependencies"] == ["numpy>=2,<3", "pytest>=8.4"]
    assert project["project"]["scripts"] == {"grader": "grader.cli:main"}
    assert project["project"]["entry-points"]["pytest11"] == {"grader": "grader.suite.plugin"}
    assert project["tool"]["pytest"]["ini_options"] == {
        "minversion": "8.4",
        "testpaths": ["assignments"],
        "addopts": ["--import-mode=importlib", "-m", "not slow"],
        "markers": ["slow: takes minutes"],
    }


def test_the_zip_is_the_folder_and_both_are_the_same_each_time(course, tmp_path):
    folder, archive = make_bundle(course).write(tmp_path / "once")
    later, again = make_bundle(Course(course.root)).write(tmp_path / "again")
    assert (folder.name, archive.name) == ("small-course", "small-course.zip")
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        zipped = {name: opened.read(name) for name in opened.namelist()}
    assert zipped == {f"small-course/{name}": data for name, data in content_of(folder).items()}
    assert content_of(folder) == content_of(later) == dict(make_bundle(course).files)
    assert archive.read_bytes() == again.read_bytes()
    assert sorted(path.name for path in (tmp_path / "once").iterdir()) == ["small-course", "small-course.zip"]


@pytest.mark.parametrize("there", ["small-course", "small-course.zip"])
def test_what_is_there_is_never_overwritten(course, tmp_path, there):
    (tmp_path / there).mkdir()
    (tmp_path / there / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=f"{there}: there already"):
        make_bundle(course).write(tmp_path)
    assert content_of(tmp_path / there) == {"mine.txt": b"mine"}


def test_a_stub_out_of_step_is_refused(course):
    stub = course.handout("small") / "fit.py"
    stub.write_text(stub.read_text().replace("raise NotImplementedError", "return 5  # "))
    with pytest.raises(UsageError, match=r"fit\.py: not in step with solutions/; run `grader sync`"):
        make_bundle(course)


def test_data_that_is_not_there_is_named(course):
    declaration = course.handout("small") / "assignment.toml"
    declaration.write_text(declaration.read_text().replace("houses.csv", "flats.csv"))
    with pytest.raises(UsageError, match=r"flats\.csv: expected a file to release"):
        make_bundle(Course(course.root))


@pytest.mark.parametrize("entry", ["../small", "given/deep", "..", ""])
def test_data_stays_in_the_fixture(course, entry):
    declaration = course.handout("small") / "assignment.toml"
    declaration.write_text(declaration.read_text().replace("houses.csv", entry))
    with pytest.raises(UsageError, match="data names"):
        make_bundle(Course(course.root))


def test_a_course_without_a_project_is_refused(course):
    (course.root / "pyproject.toml").unlink()
    with pytest.raises(UsageError, match=r"pyproject\.toml: expected the course's project with name and dependencies"):
        make_bundle(course)


def test_the_command_says_where_it_is(course, tmp_path):
    arguments = ["release", "--out", str(tmp_path / "out"), "small", "--course", str(course.root)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    where = tmp_path / "out" / "small-course"
    assert result.stdout.splitlines() == [str(where), f"{where}.zip"]


def test_the_command_knows_its_assignments(course, tmp_path):
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["release", "--out", str(out), "smal", "--course", str(course.root)])
    assert result.exit_code == 2
    assert "did you mean 'small'?" in result.stderr
    assert not out.exists()


def test_the_real_one_holds_every_self_check_and_nothing_hidden(real):
    names = set(real.files)
    for name in REAL.names:
        given = {path.name for path in REAL.handout(name).glob("test_public_*.py")}
        given |= {"README.md", "assignment.toml", "main.py", f"{name}.ipynb", *REAL.assignment(name).files}
        assert {f"assignments/{name}/{file}" for file in given} <= names
    assert not [name for name in names if re.search(r"solutions|hidden|mutants/|generate|/test_(?!public_)", name)]
    assert {name.split("/")[0] for name in names} == {"README.md", "pyproject.toml", "assignments", "grader"}


def test_one_assignment_comes_alone():
    names = set(make_bundle(REAL, ["house_prices"]).files)
    assert {name.split("/")[1] for name in names if name.startswith("assignments/")} == {"house_prices"}


def test_its_readme_names_commands_that_there_are(real):
    text = real.files["README.md"].decode()
    commands = set(re.findall(r"uv run grader (\w+)", text))
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert {"check"} <= commands <= known
    for link in re.findall(r"\]\((?!https:)([^)]+)\)", text):
        assert link in real.files


def pytest_in(root: Path, folder: Path, *options: str) -> subprocess.CompletedProcess:
    """This environment's pytest, with the bundle's own grader before the installed one."""
    command = [sys.executable, "-m", "pytest", "-pno:cacheprovider", *options]
    surroundings = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    surroundings.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        command, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.slow
def test_its_mains_find_their_data_and_its_grader_needs_no_gradebook(unpacked):
    program = """
import sys
absent = ["nbgrader", "sqlalchemy", "alembic", "dulwich", "tomlkit", "psycopg", "distributed", "dask"]
sys.modules.update(dict.fromkeys(absent))  # importing them raises
import pkgutil, importlib, grader
assert grader.__path__[0] == sys.argv[1] + "/grader", grader.__path__
for module in pkgutil.walk_packages(grader.__path__, "grader."):
    if module.name != "grader.late":  # a plugin for nbgrader: only nbgrader, or a course that has it, imports it
        importlib.import_module(module.name)
"""
    subprocess.run([sys.executable, "-c", program, str(unpacked)], cwd=unpacked, check=True, timeout=PATIENCE)
    for name, place in OWN_DATA.items():
        folder = unpacked / "assignments" / name
        found = subprocess.run(
            [sys.executable, "-c", f"import main; print(main.{place})"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(unpacked)},
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
        assert found.stdout.strip().startswith(str(folder / "data"))


@pytest.mark.slow
def test_in_its_root_all_self_checks_run_and_all_are_to_do(unpacked):
    ended = pytest_in(unpacked, unpacked)
    titles = [REAL.assignment(name).title for name in REAL.names]
    assert [title for title in titles if re.search(rf"=+ {re.escape(title)} =+", ended.stdout)] == titles
    last = ended.stdout.strip().splitlines()[-1]
    assert re.fullmatch(r"=+ \d+ to do in .*=+", last), ended.stdout[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "file"), FIRST_TASKS.items())
def test_in_an_assignment_a_solved_task_moves_the_scoreboard(unpacked, tmp_path, name, file):
    root = tmp_path / "work"
    shutil.copytree(unpacked, root, ignore=shutil.ignore_patterns("__pycache__"))
    folder = root / "assignments" / name
    shutil.copy(REAL.solution(name) / file, folder / file)
    ended = pytest_in(root, folder)
    rows = dict(re.findall(r"^(?:Task \d|Bonus) +(\w+\.py) +(\S+)", ended.stdout, re.MULTILINE))
    assert set(rows) == {task.file for task in REAL.assignment(name).task}
    assert set(rows.pop(file)) == {"✓"}, ended.stdout[-3000:]
    assert set("".join(rows.values())) == {"·"}


@pytest.mark.slow
def test_in_a_fresh_environment_of_its_own(unpacked, tmp_path):
    """What a student does: install the bundle, and nothing but it, and run the self-checks."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed: the fresh environment is not tried")
    root, home = tmp_path / "work", tmp_path / "environment"
    shutil.copytree(unpacked, root, ignore=shutil.ignore_patterns("__pycache__"))
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def run(*command: str, where: Path = root) -> subprocess.CompletedProcess:
        return subprocess.run(
            command, cwd=where, env=clean, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    made = run(uv, "venv", "--python", sys.executable, str(home))
    assert made.returncode == 0, made.stderr
    installed = run(uv, "pip", "install", "--python", str(home / "bin" / "python"), ".")
    if installed.returncode and re.search(r"(?i)connect|dns|resolve host|network|timed? ?out", installed.stderr):
        pytest.skip(f"the package registry cannot be reached: {installed.stderr.strip().splitlines()[-1]}")
    assert installed.returncode == 0, installed.stderr
    ended = run(str(home / "bin" / "pytest"), where=root / "assignments" / "house_prices")
    assert re.search(r"=+ \d+ to do in ", ended.stdout), ended.stdout[-3000:] + ended.stderr[-3000:]
    assert run(str(home / "bin" / "grader"), "--help").returncode == 0
    for absent in ("nbgrader", "sqlalchemy", "alembic", "dulwich", "tomlkit"):
        assert run(str(home / "bin" / "python"), "-c", f"import {absent}").returncode != 0
