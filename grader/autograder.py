"""What runs in Gradescope's container: grades the one submission that lies there, and writes what Gradescope reads.

    python -m grader.autograder ROOT ASSIGNMENT [--visibility …] [--no-hints] [--seed N] [--trust-submissions]

ROOT is `/autograder`, with `source/course`, `submission` and `results` in it. Standard output is the instructor's: the
seed, the sandbox's level, never a word of the submission. When the grader fails there is no `results.json`, and the exit code
is 1: Gradescope then says that the autograder failed, instead of showing a zero.

Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/ and …/troubleshooting/
"""

import argparse
import json
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from grader.aside import write_aside
from grader.course import Assignment, Course
from grader.entries import Entry
from grader.errors import GraderError, GraderFault, SandboxError
from grader.executor import LocalEngine
from grader.exports.gradescope import VISIBILITIES, results_json
from grader.grading import not_graded
from grader.results import SubmissionResult, new_seed
from grader.sandbox.probe import best_level, probe
from grader.submission import Invalid, load
from grader.trusting import TrustingEngine

LARGEST_METADATA = 16 << 20
"""Bytes; it holds the results of all earlier submissions."""


def main() -> int:
    """Grade; the exit code."""
    options = _options()
    target = options.root / "results" / "results.json"
    try:
        target.unlink(missing_ok=True)
        seed = new_seed() if options.seed is None else options.seed
        result = grade_there(options.root, options.assignment, seed, trust_submissions=options.trust_submissions)
        _write(target, results_json(result, options.visibility, hints=options.hints))
    except (GraderError, OSError) as error:
        sys.stderr.write(f"grader: failed, which is no zero; run the autograder again: {error}\n")
        return 1
    return 0


def grade_there(root: Path, name: str, seed: int, *, trust_submissions: bool) -> SubmissionResult:
    """The result of the submission below `root`, on hidden data that `seed` draws.

    Raises:
        GraderFault: the grader failed, or there is no sandbox and no leave to go without.
        UsageError: the course that was packed cannot be used.
    """
    course = Course(root / "source" / "course")
    assignment = course.assignment(name)
    found = load(Entry(submission_id(root), root / "submission"), assignment)
    with _engine(course, assignment, seed, trust_submissions=trust_submissions) as engine:
        engine.wait_ready()
        sys.stdout.write(f"seed {seed} · sandbox {engine.sandbox}\n")
        if isinstance(found, Invalid):
            return not_graded(found.student, found.reason, assignment, engine.titles)
        result = engine.submit(found).result()
    words = f"{result.status} in {result.seconds:g} s, {result.cpu_seconds:g} s of them the submission's processes"
    sys.stdout.write(f"{words} · files {result.digest[:12]}\n")
    return result


def submission_id(root: Path) -> str:
    """Gradescope's number of the submission; of its students nothing is needed here, and nothing kept."""
    try:
        with (root / "submission_metadata.json").open("rb") as file:
            number = json.loads(file.read(LARGEST_METADATA))["id"]
    except (OSError, ValueError, LookupError, TypeError):
        return "submission"
    return f"submission {number}" if isinstance(number, int) else "submission"


def _engine(
    course: Course, assignment: Assignment, seed: int, *, trust_submissions: bool
) -> AbstractContextManager[LocalEngine | TrustingEngine]:
    """What grades here: in the best sandbox that the container allows; in none only by leave."""
    mechanisms = probe()
    if best_level(mechanisms) is not None:
        return LocalEngine(course, assignment, seed=seed, jobs=1)
    if trust_submissions:
        return TrustingEngine(course, assignment, seed=seed, jobs=1)
    lacking = ", ".join(one.name for one in mechanisms if not one.available)
    raise SandboxError(
        f"expected a container that allows a sandbox, found one without {lacking}; choose another base image, or pack the "
        "autograder with --trust-submissions, which lets a submission read the hidden suite"
    )


def _write(target: Path, content: dict) -> None:
    """Write JSON, whole or not at all."""
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
    except ValueError as error:
        raise GraderFault(f"a result that is no JSON: {error}") from None
    write_aside(target, text.encode("utf-8", "replace"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="grader.autograder", description=main.__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("assignment")
    parser.add_argument("--visibility", choices=VISIBILITIES, default="visible")
    parser.add_argument("--no-hints", dest="hints", action="store_false")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--trust-submissions", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
