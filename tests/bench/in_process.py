"""The limit that isolation is measured against: the same checks on the same submissions, one after the other, in one
process that has imported everything, with nothing between the suite and the student's code.

    python tests/bench/in_process.py ASSIGNMENT CLASS
"""

import sys
from pathlib import Path

from grader.course import Course
from grader.submission import Submission, discover, load
from grader.suite.collection import with_suite
from grader.suite.runner import Suite
from grader.unconfined import grade_here

SEED = 1


def main() -> int:
    course = Course.find(Path(__file__).parent)
    name, folder = sys.argv[1], Path(sys.argv[2])
    assignment = course.assignment(name)

    def mark_all(suite: Suite) -> None:
        for entry in discover(folder, assignment):
            submission = load(entry, assignment)
            if isinstance(submission, Submission):
                grade_here(submission, suite)

    return with_suite(course, name, SEED, mark_all)


if __name__ == "__main__":
    sys.exit(main())
