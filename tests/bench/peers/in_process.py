"""The limit that isolation is measured against: the same checks on the same submissions, one after the other, in one
process that has imported everything, with nothing between the suite and the student's code.

    PEERS_COURSE=… python tests/bench/peers/in_process.py ASSIGNMENT CLASS SCORES
"""

import json
import os
import sys
from pathlib import Path

from grader.course import Course
from grader.results import SubmissionResult
from grader.submission import Submission, discover, load
from grader.suite.collection import with_suite
from grader.suite.runner import Suite
from grader.unconfined import grade_here

SEED = 1


def main() -> int:
    course = Course(Path(os.environ["PEERS_COURSE"]))
    name, folder = sys.argv[1], Path(sys.argv[2])
    assignment = course.assignment(name)
    scores: dict[str, float] = {}

    def mark_all(suite: Suite) -> None:
        for entry in discover(folder, assignment):
            submission = load(entry, assignment)
            if isinstance(submission, Submission):
                result = SubmissionResult.from_json(grade_here(submission, suite))
                scores[entry.student] = (result.score or 0) + result.bonus

    code = with_suite(course, name, SEED, mark_all)
    Path(sys.argv[3]).write_text(json.dumps(scores))
    return code


if __name__ == "__main__":
    sys.exit(main())
