"""A project in a notebook: `%load_ext grader.jupyter`.

    %%task train.py        runs the cell inside of the module `train`: other cells can import what it defines
    self_check("train")    tries the public self-checks of a task on what the notebook has so far
    written("train")       says which of a task's functions is still to be written, if one is
    graded("train.adamw")  asks for the result of a hidden check, where the course is at hand

Whatever `graded` says is said inside of the student's kernel: marks that count come from `grader grade`.
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from grader.course import Assignment, Course, read_assignment
from grader.desk.checking import run_checks
from grader.errors import UsageError
from grader.notebook import read_notebook
from grader.results import SubmissionResult
from grader.suite.album import FOLDER

COURSE = "GRADER_COURSE"
"""Environment variable that names the folder of the course, with its hidden suites."""


class _InOneLine:
    """What IPython shows of such an error: its text, and no way through code that is not the student's."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__mro__[2].__name__}: {self}"]


class ToDo(_InOneLine, NotImplementedError):
    """A function is not written yet."""


class Failed(_InOneLine, AssertionError):
    """A check has not all its points."""


class Notebook:
    """What one notebook has so far: the modules of its tasks, and the results of its hidden checks."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the notebook, the assignment's declaration and its self-checks.

        Raises:
            UsageError: no declaration there, or one that cannot be read.
        """
        if not (folder / "assignment.toml").is_file():
            raise UsageError(
                f"expected assignment.toml beside the notebook, found none in {folder}; start Jupyter there."
            )
        self.assignment: Assignment = read_assignment(folder / "assignment.toml")
        self._folder = folder
        self._modules: dict[str, ModuleType] = {}
        self._cells: dict[str, list[str]] = {}
        self._result: SubmissionResult | None = None

    def run(self, file: str, source: str) -> None:
        """Run a cell inside of the module of one task's file.

        Raises:
            UsageError: the assignment has no such file.
        """
        if file not in self.assignment.files:
            raise UsageError(f"expected %%task and one of {', '.join(self.assignment.files)}; found {file!r}.")
        tree = ast.parse(source)
        name = file.removesuffix(".py")
        module = self._modules.setdefault(name, ModuleType(name))
        self._put_in_place()
        # A cell that is run again takes the place of what it said before.
        earlier = [cell for cell in self._cells.get(file, []) if not _binds(ast.parse(cell)) & _binds(tree)]
        self._cells[file] = [*earlier, source]
        exec(compile(tree, f"<{file}>", "exec"), module.__dict__)

    def written(self, task: str) -> None:
        """Raise NotImplementedError for the first function of a task that is still a stub, until hidden results say more."""
        if self._result is not None:
            return
        declared = self.assignment.task_of(task)
        tree = ast.parse("\n".join(self._cells.get(declared.file, [])))
        if not tree.body:
            raise ToDo(f"{declared.label}: run the cells of {declared.file} first.")
        for name in _stubs(tree.body):
            raise ToDo(f"{declared.label}: write {name} of {declared.file}.")

    def self_check(self, task: str) -> None:
        """Run the public self-checks of a task and show them; what they drew lies in `figures/` beside the notebook."""
        self.assignment.task_of(task)
        with tempfile.TemporaryDirectory() as scratch:
            desk = Path(scratch).resolve() / self.assignment.name
            shutil.copytree(self._folder, desk, ignore=shutil.ignore_patterns("*.ipynb", ".*", "__pycache__", FOLDER))
            for file, cells in self._cells.items():
                (desk / file).write_text("\n\n\n".join(cells) + "\n", "utf-8")
            with redirect_stdout(StringIO()) as told:  # shown at once: a notebook gives each dot a line of its own
                run_checks(desk, task, "--disable-warnings", "--color=yes")
            if (desk / FOLDER).is_dir():
                shutil.copytree(desk / FOLDER, self._folder / FOLDER, dirs_exist_ok=True)
        self._put_in_place()
        sys.stdout.write(told.getvalue())

    def graded(self, check: str) -> None:
        """Raise AssertionError with the check's own words unless it has all its points.

        The first question marks the notebook as it lies in its folder, by the hidden suite, in another process.

        Raises:
            UsageError: the course is not at hand, or the notebook is not there.
        """
        if self._result is None:
            self._result = self._marked()
        results = {result.name: result for result in self._result.checks}
        if check not in results:
            raise UsageError(f"{self.assignment.name} has no check {check!r}: make the notebook anew.")
        result = results[check]
        if result.points < result.max_points:
            raise Failed(f"{result.title}: {result.status.value}. {result.message}")

    def _marked(self) -> SubmissionResult:
        course = Course.find(Path(os.environ.get(COURSE, self._folder)))
        notebook = self._folder / f"{self.assignment.name}.ipynb"
        if not notebook.is_file():
            raise UsageError(f"expected the notebook {notebook.name} in {self._folder}, found none.")
        files = read_notebook(notebook.read_bytes(), course.assignment(self.assignment.name))
        command = [sys.executable, "-m", "grader.unconfined", str(course.root), self.assignment.name, "0", "notebook"]
        ended = subprocess.run(command, input=msgspec.msgpack.encode(files), capture_output=True)
        if ended.returncode:
            raise UsageError(ended.stderr.decode(errors="replace").strip().rpartition("\n")[2])
        return SubmissionResult.from_json(ended.stdout)

    def _put_in_place(self) -> None:
        """The notebook's modules are what `import train` finds."""
        sys.modules.update(self._modules)


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext grader.jupyter` does; `shell` is IPython's."""
    notebook = Notebook(Path.cwd())
    shell.register_magic_function(lambda line, cell: notebook.run(line.strip(), cell), "cell", "task")
    shell.push({name: getattr(notebook, name) for name in ("written", "self_check", "graded")})


def _binds(tree: ast.Module) -> set[str]:
    """Names that a module's functions, classes and assignments bind; imports bind the same for all."""
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            names |= {
                name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }
    return names


def _stubs(body: Iterable[ast.stmt], prefix: str = "") -> Iterable[str]:
    """Functions, and methods of classes, that raise NotImplementedError where their work should stand."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _stubs(node.body, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef) and any(map(_raises_not_implemented, node.body)):
            yield f"{prefix}{node.name}()"


def _raises_not_implemented(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(error, ast.Name) and error.id == "NotImplementedError"
