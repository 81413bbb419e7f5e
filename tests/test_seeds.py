"""A term's seed, tried on what has known marks: right work in every hand, and mistakes that a line must tell from it."""

from concurrent.futures import Future

import pytest
import tiny_course

from grader.course import Course
from grader.errors import GraderFault
from grader.results import CheckResult, CheckStatus, Reading, SubmissionResult, SubmissionStatus
from grader.soundness.seeds import prove_seed
from grader.submission import Submission

ALTERNATIVE = "# in another hand\n"
MUTANTS = """
[[mutant]]
name = "starts at two"
file = "sums.py"
check = "sums.keeps"
why = "off by one"
find = "n = 0"
replace = "n = 2"
[[mutant]]
name = "sums to text"
file = "sums.py"
check = "sums.adds"
why = "another type"
find = "return float(sum(values))"
replace = "return str(sum(values))"
"""


@pytest.fixture
def course(tmp_path) -> Course:
    root = tiny_course.write_course(tmp_path / "course")
    other = root / "tests" / "alternatives" / "tiny" / "other_hand"
    other.mkdir(parents=True)
    for path in Course(root).solution("tiny").iterdir():
        (other / path.name).write_text(ALTERNATIVE + path.read_text())
    (root / "tests" / "mutants").mkdir()
    (root / "tests" / "mutants" / "tiny.toml").write_text(MUTANTS)
    return Course(root)


class Engine:
    """Gives each submission what `wrong` says; `sums.keeps` draws a line."""

    def __init__(self, course: Course, wrong: dict[str, str]) -> None:
        self.assignment, self.wrong, self.asked = course.assignment("tiny"), wrong, []

    def submit(self, submission: Submission, *, checks=()) -> Future:
        self.asked.append((submission.student, tuple(checks)))
        future: Future = Future()
        results = [
            CheckResult(
                name,
                *name.split("."),
                CheckStatus.FAILED if self.wrong.get(submission.student) == name else CheckStatus.PASSED,
                1,
                1,
                readings=(Reading("the error", 0.1, None, 0.5),) if name == "sums.keeps" else (),
            )
            for name in checks or self.assignment.checks
        ]
        future.set_result(SubmissionResult("tiny", submission.student, SubmissionStatus.GRADED, results, seed=7))
        return future


def prove(course: Course, engine: Engine, seed: int = 7) -> bool:
    return prove_seed(course, course.assignment("tiny"), engine, seed)


def test_right_work_is_graded_whole_and_mistakes_by_the_check_whose_line_must_tell_them(course):
    engine = Engine(course, {"starts at two": "sums.keeps"})
    assert prove(course, engine)
    assert engine.asked == [("solution", ()), ("other_hand", ()), ("starts at two", ("sums.keeps",))]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"solution": "draws.draws"}, "with the seed 7 the solution itself does not pass draws.draws, so nobody"),
        ({"other_hand": "sums.adds"}, "the correct solution 'other_hand' does not pass sums.adds"),
        ({}, "the mistake 'starts at two' passes sums.keeps"),
    ],
)
def test_a_seed_for_which_a_mark_is_not_as_known_is_refused_in_one_line(course, wrong, words):
    engine = Engine(course, {"starts at two": "sums.keeps"} | wrong if wrong else {})
    with pytest.raises(GraderFault) as refused:
        prove(course, engine)
    assert words in str(refused.value)
    assert "grader verify tiny --seed 7" in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(GraderFault):
        prove(course, engine)  # what has not held is not remembered


def test_what_has_held_is_remembered_until_something_changes(course):
    engine = Engine(course, {"starts at two": "sums.keeps"})
    assert prove(course, engine)
    asked = len(engine.asked)
    assert prove(course, engine)
    assert len(engine.asked) == asked, "the same again"
    assert prove(course, engine, seed=8)
    assert len(engine.asked) == 2 * asked, "another seed"
    suite = course.suite("tiny") / "test_sums.py"
    suite.write_text(suite.read_text().replace("size=5", "size=6"))
    assert prove(course, engine)
    assert len(engine.asked) == 3 * asked, "another suite"
    solution = course.solution("tiny") / "sums.py"
    solution.write_text(solution.read_text() + "# another remark\n")
    assert prove(course, engine)
    assert len(engine.asked) == 4 * asked, "another solution"


def test_thresholds_of_the_term_are_named_with_the_seed(course):
    declared = course.root / "assignments" / "tiny" / "assignment.toml"
    declared.write_text(declared.read_text() + "\n[thresholds]\nerror = 1.1\n")
    (course.root / "course.toml").write_text("[assignments.tiny]\nthresholds = {error = 0.5}\n")
    term = Course(course.root)
    with pytest.raises(
        GraderFault, match=r"with the seed 7 and the thresholds error of course\.toml the solution itself"
    ):
        prove(term, Engine(term, {"solution": "sums.keeps"}))


@pytest.mark.parametrize("text", ["{", "{}", "[7]", ""])
def test_a_broken_memory_costs_time_alone(course, text):
    (course.root / ".verify").mkdir()
    (course.root / ".verify" / "seeds.json").write_text(text)
    assert prove(course, Engine(course, {"starts at two": "sums.keeps"}))


def test_a_course_without_solutions_has_nothing_to_tell_by(course):
    for path in course.solution("tiny").iterdir():
        path.unlink()
    course.solution("tiny").rmdir()
    engine = Engine(course, {})
    assert not prove(course, engine)
    assert not engine.asked
