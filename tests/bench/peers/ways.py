"""Each way of marking: how it is set up for a class of right solutions, the commands that mark it, and who got all points."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from grader.course import Assignment, Course
from grader.store import ResultStore
from peers.measure import Cost, cost_of

ROOT = Path(__file__).parents[3]
HERE, BIN = Path(__file__).parent, Path(sys.executable).parent
SEED = "1"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
OTTER_TEST = """from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = {points}


@test_case(hidden=True)
def test_it():
    import sys
    from pathlib import Path

    sys.path.insert(0, {here!r})
    from checks import require

    require({name!r}, Path.cwd())
"""


@dataclass
class Way:
    """One way, at work in a folder of its own."""

    course: Course
    assignment: Assignment
    folder: Path
    name = ""
    isolates = False
    """What a submission does to its process is gone with it."""
    warm = False
    """One run marks a whole class; else each submission has a run of its own."""

    def set_up(self) -> None:
        """Whatever is done once for a course and in no run's account."""

    def mark(self, entries: Sequence[Path]) -> Cost:
        """Mark these submissions; what it cost.

        Raises:
            SystemExit: somebody did not get all points.
        """
        for entry in entries:
            self.hand_in(entry)
        cost = Cost()
        for words in self.commands(entries):
            cost = cost + cost_of(words, self.folder, self.environment())
        got = dict(self.scores(entries))
        poor = [entry.name for entry in entries if got.get(entry.name) != self.all_points]
        if poor:
            raise SystemExit(f"{self.name}: expected {self.all_points:g} points for all, found {got} on {poor[:3]}")
        return cost

    @property
    def all_points(self) -> float:
        return self.assignment.points + self.assignment.bonus

    def environment(self) -> dict[str, str]:
        return {
            "PEERS_COURSE": str(self.course.root),
            "PEERS_ASSIGNMENT": self.assignment.name,
            "PATH": f"{BIN}:{os.environ['PATH']}",
        }

    def hand_in(self, entry: Path) -> None:
        shutil.copytree(entry, self.folder / "class" / entry.name, dirs_exist_ok=True)

    def commands(self, entries: Sequence[Path]) -> Iterator[list[str | Path]]:
        raise NotImplementedError

    def scores(self, entries: Sequence[Path]) -> Iterator[tuple[str, float]]:
        raise NotImplementedError

    def fresh(self) -> None:
        """Forget the class."""
        for part in ("class", "out"):
            shutil.rmtree(self.folder / part, ignore_errors=True)


class Limit(Way):
    """One process that has imported everything, and nothing between suite and student."""

    name, warm = "in-process, no isolation (the limit)", True

    def commands(self, entries: Sequence[Path]) -> Iterator[list[str | Path]]:
        yield [sys.executable, HERE / "in_process.py", self.assignment.name, self.folder / "class", self.folder / "out"]

    def scores(self, entries: Sequence[Path]) -> Iterator[tuple[str, float]]:
        yield from json.loads((self.folder / "out").read_text()).items()

    def fresh(self) -> None:
        super().fresh()
        (self.folder / "out").unlink(missing_ok=True)


class Ours(Way):
    """`grader grade`, one job."""

    name, warm, isolates, options = "grader grade, 1 job", True, True, ("--jobs=1",)

    def commands(self, entries: Sequence[Path]) -> Iterator[list[str | Path]]:
        places = [self.folder / "class", "--course", self.course.root, "--out", self.folder / "out", *self.options]
        yield [BIN / "grader", "grade", self.assignment.name, *places, f"--seed={SEED}"]

    def scores(self, entries: Sequence[Path]) -> Iterator[tuple[str, float]]:
        for result in ResultStore(self.folder / "out").read():
            yield result.student, result.score + result.bonus

    def mark(self, entries: Sequence[Path]) -> Cost:
        cost = super().mark(entries)
        confined = sum(result.cpu_seconds for result in ResultStore(self.folder / "out").read())
        return cost + Cost(cpu=confined)  # workers end with their namespace, and nobody waits for them


class OursTwice(Ours):
    """The same with two jobs."""

    name, options = "grader grade, 2 jobs", ("--jobs=2",)


class OursAsItComes(Ours):
    """The same without a number of jobs: one for each core, and more while these wait."""

    name, options = "grader grade", ()


class Pytest(Way):
    """pytest in a new process for each submission."""

    name, isolates = "pytest, a process each", True

    def commands(self, entries: Sequence[Path]) -> Iterator[list[str | Path]]:
        suite = self.course.suite(self.assignment.name)
        for entry in entries:
            report = f"--junit-xml={self.folder / entry.name}.xml"
            options = ["--in-process", "-q", f"--draw={SEED}", f"--submission={entry}", report, f"--rootdir={ROOT}"]
            yield [sys.executable, "-m", "pytest", suite, "-c", ROOT / "pyproject.toml", *options]

    def scores(self, entries: Sequence[Path]) -> Iterator[tuple[str, float]]:
        from xml.etree import ElementTree

        for entry in entries:
            found = ElementTree.parse(f"{self.folder / entry.name}.xml").find("testsuite")
            bad = sum(int(found.get(kind)) for kind in ("failures", "errors", "skipped"))
            yield entry.name, self.all_points if bad == 0 and int(found.get("tests")) else 0.0


class Xdist(Way):
    """pytest-xdist with two interpreters that all submissions share."""

    name, warm = "pytest-xdist, 2 shared interpreters", True

    def environment(self) -> dict[str, str]:
        return super().environment() | {"PEERS_CLASS": str(self.folder / "class")}

    def commands(self, entries: Sequence[Path]) -> Iterator[list[str | Path]]:
        suite = HERE / "one_interpreter.py"
        quiet = [
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            f"--rootdir={HERE}",
            f"--junit-xml={self.folder / 'out'}",
        ]
        yield [sys.executable, "-m", "pytest", "-n", "2", *quiet, suite]

    def scores(self, entries: Sequence[Path]) -> Iterator[tuple[str, float]]:
        from xml.etree import ElementTree

        found = ElementTree.parse(self.folder / "out").find("testsuite")
        good = not any(int(found.get(kind)) for kind in ("failures", "errors", "skipped"))
        yield from ((entry.name, self.all_points if good else 0.0) for entry in entries)

    def fresh(self) -> None:
        super().fresh()
        (self.folder / "out").unlink(missing_ok=True)


class Gradescope(Way):
    """unittest and gradescope-utils, a process each, as in Gradescope's examples."""

    name, isolates = "gradescope-utils, a process each", True

    def commands(self, entries: Sequence[Path]) -> Iterator[list[str | Path]]:
        for entry in entries:
            yield [sys.executable, HERE / "gradescope_style.py", entry, f"{self.folder / entry.name}.json"]

    def scores(self, entries: Sequence[Path]) -> Iterator[tuple[str, float]]:
        for entry in entries:
            told = json.loads((self.folder / f"{entry.name}.json").read_text())
            yield entry.name, sum(test["score"] for test in told["tests"])


class Nbgrader(Way):
    """`nbgrader autograde` in the folder that `grader nbgrader` makes: a kernel each, the hidden checks in its cells."""

    name, isolates, warm = "nbgrader autograde", True, True

    @property
    def all_points(self) -> float:
        return self.assignment.points  # it knows no bonus

    def set_up(self) -> None:
        environment = {**os.environ, **self.environment()}
        name = self.assignment.name
        for words in ([BIN / "grader", "nbgrader", name, "--out", self.folder / "course"],):
            subprocess.run(words, cwd=self.course.root, env=environment, check=True, capture_output=True)
        generate = [BIN / "nbgrader", "generate_assignment", name]
        subprocess.run(generate, cwd=self.folder / "course", env=environment, check=True, capture_output=True)

    def hand_in(self, entry: Path) -> None:
        name = self.assignment.name
        source = nbformat.read(self.folder / "course" / "source" / name / f"{name}.ipynb", as_version=4)
        answers = {
            cell.metadata.nbgrader.grade_id: cell.source for cell in source.cells if cell.metadata.nbgrader.solution
        }
        target = self.folder / "course" / "submitted" / entry.name / name
        shutil.copytree(self.folder / "course" / "release" / name, target, dirs_exist_ok=True)
        notebook = nbformat.read(target / f"{name}.ipynb", as_version=4)
        for cell in notebook.cells:
            cell.source = answers.get(cell.metadata.nbgrader.grade_id, cell.source)
        nbformat.write(notebook, target / f"{name}.ipynb")

    def commands(self, entries: Sequence[Path]) -> Iterator[list[str | Path]]:
        place = f"--CourseDirectory.root={self.folder / 'course'}"
        yield [BIN / "nbgrader", "autograde", self.assignment.name, place, "--force"]

    def scores(self, entries: Sequence[Path]) -> Iterator[tuple[str, float]]:
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.folder / 'course' / 'gradebook.db'}") as book:
            for submission in book.assignment_submissions(self.assignment.name):
                yield submission.student.id, submission.score

    def fresh(self) -> None:
        for part in ("submitted", "autograded"):
            shutil.rmtree(self.folder / "course" / part, ignore_errors=True)


class Otter(Way):
    """`otter run` on a notebook with the student's files beside it, a process and a kernel each."""

    name, isolates = "otter run", True

    def set_up(self) -> None:
        environment = {**os.environ, **self.environment()}
        tests, out = self.folder / "tests", self.folder / "autograder"
        tests.mkdir()
        out.mkdir()
        for task in self.assignment.task:
            for check, worth in task.checks.items():
                name = f"{task.name}.{check}"
                text = OTTER_TEST.format(name=name, points=worth, here=str(HERE))
                (tests / f"{task.name}_{check}.py").write_text(text)
        (self.folder / "otter_config.json").write_text('{"lang": "python", "show_stdout": false, "show_hidden": false}')
        make = [
            "generate",
            "--tests-dir",
            "tests",
            "--config",
            "otter_config.json",
            "--no-requirements",
            "--no-environment",
        ]
        words = [BIN / "otter", *make, "--output-path", "autograder/autograder.zip"]
        subprocess.run(words, cwd=self.folder, env=environment, check=True, capture_output=True)

    def hand_in(self, entry: Path) -> None:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("pass")], metadata=KERNEL)
        with zipfile.ZipFile(self.folder / f"{entry.name}.zip", "w") as archive:
            archive.writestr("submission.ipynb", nbformat.writes(notebook))
            for path in sorted(entry.iterdir()):
                archive.write(path, path.name)

    def commands(self, entries: Sequence[Path]) -> Iterator[list[str | Path]]:
        for entry in entries:
            out = self.folder / f"{entry.name}-out"
            out.mkdir(exist_ok=True)
            words = ["--autograder", self.folder / "autograder" / "autograder.zip", "--output-dir", out, "--no-logo"]
            yield [BIN / "otter", "run", *words, self.folder / f"{entry.name}.zip"]

    def scores(self, entries: Sequence[Path]) -> Iterator[tuple[str, float]]:
        for entry in entries:
            told = json.loads((self.folder / f"{entry.name}-out" / "results.json").read_text())
            yield entry.name, float(sum(test.get("score", 0) for test in told["tests"]))


WAYS: tuple[type[Way], ...] = (Limit, Ours, OursTwice, OursAsItComes, Xdist, Pytest, Gradescope, Nbgrader, Otter)
