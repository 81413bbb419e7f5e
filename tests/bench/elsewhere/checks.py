"""The arena's hidden checks, from `test_plain.py`, in the forms that other graders want."""

import ast
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from attacks.attack import ARENA, TASKS

SOURCES = (ARENA / "plain" / "test_plain.py", Path(__file__).with_name("ranks.py"))
FROM_STUDENT = re.compile(rf"\s+from ({'|'.join(TASKS)}) import (\w+)$")


@dataclass(frozen=True)
class Check:
    """A hidden check: a function's body, and what it needs."""

    name: str
    task: str
    points: float
    preamble: str
    """The imports and the generator of its file."""
    student: str
    """The function that it takes from the student's file."""
    body: str

    def in_cell(self, secret: str) -> str:
        """As the code of a grade cell, in the namespace of the student's notebook."""
        called = f"def test_{self.name}():\n{self.body}\n\n\ntest_{self.name}()"
        return f"### BEGIN HIDDEN TESTS\n{self.preamble}\n{secret}\n\n\n{called}\n### END HIDDEN TESTS"

    def as_otter_file(self, secret: str) -> str:
        """As one of otter's test files, in the form in which what is raised is a failure."""
        header = f"OK_FORMAT = False\nname = {self.name!r}\npoints = {self.points}"
        function = f"@test_case(hidden=True)\ndef test_{self.name}({self.student}):\n{self.body}"
        return f"from otter.test_files import test_case\n{self.preamble}\n{secret}\n\n{header}\n\n\n{function}\n"


def checks() -> list[Check]:
    """Every check with its points, in the order of the rubric."""
    rubric = tomllib.loads((ARENA / "assignments" / "arena" / "assignment.toml").read_text())
    points = {name: worth for task in rubric["task"] for name, worth in task["checks"].items()}
    found = {check.name: check for path in SOURCES for check in _of_file(path, points)}
    return [found[name] for name in points]


def _of_file(path: Path, points: dict[str, float]) -> list[Check]:
    lines = path.read_text("utf-8").splitlines()
    module = ast.parse("\n".join(lines))
    plain = (ast.Import, ast.ImportFrom, ast.Assign)
    preamble = "\n".join(ast.unparse(node) for node in module.body if isinstance(node, plain))
    return [_of_function(node, lines, points, preamble) for node in module.body if isinstance(node, ast.FunctionDef)]


def _of_function(node: ast.FunctionDef, lines: list[str], points: dict[str, float], preamble: str) -> Check:
    name = node.name.removeprefix("test_")
    own = lines[node.lineno : node.end_lineno]
    (taken,) = filter(None, map(FROM_STUDENT.match, own))
    body = [line for line in own if not FROM_STUDENT.match(line)]
    if node.args.args:  # pytest's `tmp_path`
        body = ["    import tempfile", "", "    tmp_path = Path(tempfile.mkdtemp())", *body]
    return Check(name, taken[1], points[name], preamble, taken[2], "\n".join(body).strip("\n"))
