"""A class in the interpreters of pytest-xdist, which all submissions share: `pytest -n 2 one_interpreter.py`.

PEERS_CLASS: the folder of the class.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from checks import SEED

from grader.course import Course
from grader.results import CheckStatus, SubmissionResult
from grader.submission import Submission
from grader.suite.collection import with_suite
from grader.unconfined import grade_here

ENTRIES = sorted(Path(os.environ["PEERS_CLASS"]).iterdir()) if "PEERS_CLASS" in os.environ else []


@pytest.mark.parametrize("part", range(int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))))
def test_a_part_of_the_class(part):
    course, name = Course(Path(os.environ["PEERS_COURSE"])), os.environ["PEERS_ASSIGNMENT"]
    told = []

    def mark(suite):
        for entry in ENTRIES[part :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))]:
            files = {path.name: path.read_bytes() for path in entry.glob("*.py")}
            told.append(SubmissionResult.from_json(grade_here(Submission(entry.name, files, ""), suite)))

    with_suite(course, name, SEED, mark)
    for result in told:
        assert all(check.status is CheckStatus.PASSED for check in result.checks), result.student
