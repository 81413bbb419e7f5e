"""Gradescope, stood in for: its folders, what it runs, and results.json by its specification.

Sources: https://gradescope-autograders.readthedocs.io/en/latest/specs/ (folders, results.json), …/submission_metadata/
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tiny_course import write_course

from grader.course import Course

PATIENCE = 500  # seconds; a busy machine needs one minute
PROJECT = """
[project]
name = "tiny-course"
version = "1"
requires-python = ">=3.11"
dependencies = ["numpy>=2,<3", "torch>=2.8,<3", "nbgrader>=0.9", "SQLAlchemy >= 2", "pytest>=8.4"]
"""
METADATA = {
    "id": 123456,
    "created_at": "2026-05-02T00:30:00.365935+02:00",
    "assignment": {"due_date": "2026-05-01T23:59:00.000000+02:00", "late_due_date": None, "total_points": "6.0"},
    "submission_method": "upload",
    "users": [{"email": "ada@example.org", "id": 1234, "name": "Ada Lovelace"}],
    "previous_submissions": [{"submission_time": "2026-04-30T12:00:00+02:00", "score": 2.0, "results": {}}],
}
STATUSES, VISIBILITIES = {"passed", "failed"}, {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
TOP = {
    "score": float,
    "execution_time": float,
    "output": str,
    "output_format": str,
    "test_output_format": str,
    "test_name_format": str,
    "visibility": str,
    "stdout_visibility": str,
    "extra_data": dict,
    "tests": list,
    "leaderboard": list,
}
TEST = {
    "score": float,
    "max_score": float,
    "status": str,
    "name": str,
    "name_format": str,
    "number": str,
    "output": str,
    "output_format": str,
    "tags": list,
    "visibility": str,
    "extra_data": dict,
}


def validated(path: Path) -> dict:
    """A results.json by the specification: known keys with values of their types and choices, and a score somewhere."""
    found = json.loads(path.read_bytes(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    for part, keys in [(found, TOP), *((test, TEST) for test in found["tests"])]:
        assert part.keys() <= keys.keys()
        for key, value in part.items():
            expected = (int, float) if keys[key] is float else keys[key]
            assert isinstance(value, expected), (key, value)
            assert not isinstance(value, bool)
        assert part.get("visibility", "visible") in VISIBILITIES
        assert part.get("stdout_visibility", "hidden") in VISIBILITIES
        assert {value for key, value in part.items() if key.endswith("_format")} <= FORMATS
    assert "score" in found or all("score" in test for test in found["tests"])
    assert {test["status"] for test in found["tests"] if "status" in test} <= STATUSES
    assert all(0 <= test["score"] <= test["max_score"] for test in found["tests"])
    return found


def write_gradescope_course(root: Path) -> Course:
    """A tiny course that can be packed, with what an author's machine leaves behind."""
    write_course(root)
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "fixtures" / "tiny").mkdir(parents=True)
    (root / "fixtures" / "tiny" / "data.csv").write_text("x\n1\n")
    left = root / "tests" / "hidden" / "tiny" / "__pycache__"
    left.mkdir()
    (left / "test_sums.pyc").write_bytes(b"left")
    (left.parent / ".canary-0123456789abcdef").write_text("hidden")
    return Course(root)


class Container:
    """Gradescope's folders, somewhere else: an autograder that was unpacked, for one submission after the other."""

    def __init__(self, root: Path, archive: Path) -> None:
        self.root = root
        (root / "source").mkdir(parents=True)
        subprocess.run([sys.executable, "-m", "zipfile", "-e", archive, root / "source"], check=True)
        (root / "run_autograder").write_bytes((root / "source" / "run_autograder").read_bytes())
        (root / "run_autograder").chmod(0o755)
        (root / "results").mkdir()
        (root / "submission_metadata.json").write_text(json.dumps(METADATA))

    def run(self, files: Mapping[str, str | bytes]) -> subprocess.CompletedProcess:
        """What Gradescope does with one submission; its folder is there even when nothing was handed in."""
        folder = self.root / "submission"
        subprocess.run(["rm", "-rf", folder], check=True)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        surroundings = {
            **os.environ,
            "AUTOGRADER_ROOT": str(self.root),
            "AUTOGRADER_PYTHON": sys.executable,
            "PYTHONPATH": str(
                self.root / "source" / "course"
            ),  # the grader that was packed, not the one that packed it
        }
        command = [str(self.root / "run_autograder")]
        return subprocess.run(
            command, cwd="/", env=surroundings, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def results(self) -> dict:
        return validated(self.root / "results" / "results.json")
