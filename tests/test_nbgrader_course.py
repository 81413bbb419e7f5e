"""The nbgrader course, with nbgrader's own commands, from the source notebook to the exported grades, for real."""

import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from notebooks import REAL, filled_in
from released_course import write_released_course

from grader.bundle import make_bundle
from grader.errors import UsageError
from grader.leaks import find_leaks
from grader.nbgrader_course import CONFIG, write_course

BIN = Path(sys.executable).parent
CLASSES = REAL.root / "fixtures" / "submissions"
MISTAKEN = {
    "house_prices": "chloe",
    "image_classification": "kira",
    "stock_forecasting": "lars",
}  # of the example classes
PATIENCE = 900


def test_a_course_is_a_configuration_and_sources(tmp_path):
    course = write_released_course(tmp_path / "course")
    (notebook,) = write_course(course, ["small"], tmp_path / "out")
    there = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    handed_out = {"README.md", "assignment.toml", "main.py", "test_public_fit.py"} | {
        "data/houses.csv",
        "data/given/deep/1.bin",
        "small.ipynb",
    }
    assert there == {CONFIG} | {f"source/small/{name}" for name in handed_out}
    assert notebook == tmp_path / "out" / "source" / "small" / "small.ipynb"
    settings: dict[str, Any] = {}
    configuration = (tmp_path / "out" / CONFIG).read_text()
    before = os.environ.get("GRADER_COURSE")
    try:
        exec(configuration, {"get_config": lambda: _Recorder(settings, "c")})
        assert os.environ["GRADER_COURSE"] == str(course.root.resolve())
    finally:
        os.environ.pop("GRADER_COURSE") if before is None else os.environ.update(GRADER_COURSE=before)
    assert settings["c.ExecutePreprocessor.timeout"] >= 600


class _Recorder:
    """Takes down what a configuration sets, by its dotted name."""

    def __init__(self, settings: dict[str, Any], name: str) -> None:
        self.__dict__.update(_settings=settings, _name=name)

    def __getattr__(self, name: str) -> "_Recorder":
        return _Recorder(self._settings, f"{self._name}.{name}")

    def __setattr__(self, name: str, value: object) -> None:
        self._settings[f"{self._name}.{name}"] = value


def test_a_course_is_renewed_and_what_is_handed_in_stays(tmp_path):
    course = write_released_course(tmp_path / "course")
    out = tmp_path / "out"
    write_course(course, ["small"], out)
    (out / "submitted" / "ada").mkdir(parents=True)
    (out / "gradebook.db").write_text("grades")
    with (out / CONFIG).open("a") as config:
        config.write('c.CourseDirectory.course_id = "ml"\n')
    (out / "source" / "small" / "small.ipynb").write_text("edited")
    write_course(course, ["small"], out)
    assert "edited" not in (out / "source" / "small" / "small.ipynb").read_text()
    assert (out / "gradebook.db").read_text() == "grades"
    assert 'course_id = "ml"' in (out / CONFIG).read_text()
    assert (out / "submitted" / "ada").is_dir()


def test_another_courses_folder_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / CONFIG).write_text("c = get_config()\n")
    with pytest.raises(UsageError, match=rf"found a {CONFIG} without"):
        write_course(write_released_course(tmp_path / "course"), ["small"], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [CONFIG]


def run(program: str, *words: object, where: Path, code: int = 0) -> str:
    """One of the environment's programs, in the course's folder; gives all that it printed."""
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "150", "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        [BIN / program, *map(str, words)], cwd=where, env=surroundings, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """An nbgrader course of all projects, made by the command."""
    out = tmp_path_factory.mktemp("nbgrader") / "course"
    run("grader", "nbgrader", "--out", out, where=REAL.root)
    return out


def hand_in(place: Path, student: str, name: str, cells: dict[str, str]) -> None:
    """Take the released folder and write these sources into the notebook's cells."""
    folder = place / "submitted" / student / name
    shutil.copytree(place / "release" / name, folder)
    path = folder / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cells.get(cell.metadata.nbgrader.grade_id, cell.source)
    nbformat.write(notebook, path)


def scores(place: Path, name: str) -> dict[str, float]:
    with Gradebook(f"sqlite:///{place}/gradebook.db") as book:
        assert book.find_assignment(name).max_score == 100
        return {submission.student.id: submission.score for submission in book.assignment_submissions(name)}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL.names)
def test_the_whole_round(place, name, tmp_path):
    run("nbgrader", "generate_assignment", name, where=place)
    released = place / "release" / name / f"{name}.ipynb"
    with_it = make_bundle(REAL, [name]).files | {f"assignments/{name}/{name}.ipynb": released.read_bytes()}
    assert find_leaks(with_it, REAL) == []
    assert "graded(" not in released.read_text()
    run("nbgrader", "release_assignment", name, "--course=c", f"--Exchange.root={tmp_path}", where=place)
    assert list(tmp_path.rglob(f"{name}.ipynb"))

    source = nbformat.read(place / "source" / name / f"{name}.ipynb", as_version=4)
    answers = [cell for cell in source.cells if cell.metadata.nbgrader.solution]
    hand_in(place, "ada", name, {cell.metadata.nbgrader.grade_id: cell.source for cell in answers})
    hand_in(place, "ben", name, {})
    folder = CLASSES / name / MISTAKEN[name]
    texts = {file: (folder / file).read_text("utf-8") for file in REAL.assignment(name).files}
    mistaken = [cell for cell in filled_in(name, texts).cells if cell.metadata.nbgrader.solution]
    hand_in(place, "cy", name, {cell.metadata.nbgrader.grade_id: cell.source for cell in mistaken})

    solved = place / "submitted" / "ada" / name / f"{name}.ipynb"
    assert "Success! Your notebook passes all the tests." in run("nbgrader", "validate", solved, where=place)
    assert "write this function" in released.read_text()
    assert "Success" not in run("nbgrader", "validate", released, where=place)

    run("nbgrader", "autograde", name, where=place)
    by_nbgrader = scores(place, name)
    told = json.loads((CLASSES / name / "expected.json").read_text())[MISTAKEN[name]]
    expected, bonus = told["score"], told["bonus"]
    assert by_nbgrader == {"ada": 100, "ben": 0, "cy": expected}

    run("nbgrader", "generate_feedback", name, where=place)
    pages = {student: place / "feedback" / student / name / f"{name}.html" for student in by_nbgrader}
    assert "Score: 100.0 / 100.0" in re.sub(r"<[^>]+>|\s+", " ", pages["ada"].read_text()).replace("  ", " ")
    run("nbgrader", "export", where=place)
    with (place / "grades.csv").open(newline="") as table:
        rows = {
            row["student_id"]: float(row["score"] or 0) for row in csv.DictReader(table) if row["assignment"] == name
        }
    assert rows == by_nbgrader

    # the way that trusts nobody: the same notebooks through the sandbox, into the same gradebook
    words = ("grade", name, place / "submitted", "--out", tmp_path / "out", "--db", f"sqlite:///{place}/gradebook.db")
    run("grader", *words, where=REAL.root)
    assert scores(place, name) == {"ada": 100 + REAL.assignment(name).bonus, "ben": 0, "cy": expected + bonus}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def formgrader(place: Path) -> Iterator[Any]:
    """nbgrader's formgrader, served on loopback; gives a function that asks it."""
    port = free_port()
    options = {
        "token": "secret",
        "ip": "127.0.0.1",
        "port": port,
        "open_browser": False,
        "allow_root": True,
        "jpserver_extensions": "{'nbgrader.server_extensions.formgrader': True}",
    }
    words = [f"--ServerApp.{name}={value}" for name, value in options.items()]
    server = subprocess.Popen(
        [BIN / "jupyter-server", *words], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def ask(path: str, **sent: object) -> str:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/formgrader/{path}",
            data=json.dumps(sent).encode() if sent else None,
            headers={"Authorization": "token secret", "Content-Type": "application/json"},
            method="PUT" if sent else "GET",
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    try:
        for _ in range(300):
            try:
                ask("api/assignments")
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, "the server ended"
                time.sleep(0.2)
        yield ask
    finally:
        server.terminate()
        server.wait(60)


@pytest.mark.slow
def test_what_is_entered_in_formgrader_survives_every_regrade(tmp_path):
    course = write_released_course(tmp_path / "small")
    place = tmp_path / "course"
    write_course(course, ["small"], place)
    run("nbgrader", "generate_assignment", "small", where=place)
    for student in ("ada", "ben"):
        hand_in(place, student, "small", {})

    def mark(seed: int) -> None:
        words = ("grade", "small", place / "submitted", "--out", tmp_path / f"out{seed}", "--course", course.root)
        run("grader", *words, "--db", f"sqlite:///{place}/gradebook.db", "--seed", seed, where=course.root)

    mark(1)
    shutil.copytree(place / "submitted", place / "autograded")  # for formgrader to show
    with formgrader(place) as ask:
        notebooks = json.loads(ask("api/submitted_notebooks/small/small"))
        ben = next(notebook["id"] for notebook in notebooks if notebook["student"] == "ben")
        page = ask(f"submissions/{ben}/")
        assert "def slope" in re.sub(r"<[^>]+>", "", page)
        (grade,) = json.loads(ask(f"api/grades?submission_id={ben}"))
        ask(f"api/grade/{grade['id']}", manual_score=2, extra_credit=0.5)
        comment = next(
            c for c in json.loads(ask(f"api/comments?submission_id={ben}")) if c["name"] == "write-fit-slope"
        )
        ask(f"api/comment/{comment['id']}", manual_comment="The idea is right.")

        def by_hand() -> tuple:
            (now,) = json.loads(ask(f"api/grades?submission_id={ben}"))
            said = {c["name"]: c["manual_comment"] for c in json.loads(ask(f"api/comments?submission_id={ben}"))}
            return now["manual_score"], now["extra_credit"], said["write-fit-slope"]

        assert by_hand() == (2, 0.5, "The idea is right.")
        for seed in (1, 2):
            mark(seed)
            assert by_hand() == (2, 0.5, "The idea is right.")
        assert scores_of_small(place) == {"ada": 0, "ben": 2.5}


def scores_of_small(place: Path) -> dict[str, float]:
    with Gradebook(f"sqlite:///{place}/gradebook.db") as book:
        return {submission.student.id: submission.score for submission in book.assignment_submissions("small")}
