"""What `student` makes of faults: a file that cannot be imported is no answer to a question about errors."""

import pytest

from grader.suite.assertions import CheckFailed
from grader.suite.faults import StudentError
from grader.suite.in_process import student_in


@pytest.fixture
def student_of(tmp_path):
    students = []

    def make(source: str):
        (tmp_path / "thing.py").write_text(source)
        students.append(student_in(tmp_path, ["thing"]))
        return students[-1]

    yield make
    for student in students:
        student.close()


def test_an_expected_error_is_accepted_and_told(student_of):
    student = student_of("def refuse(word):\n    raise ValueError(f'no {word}')\n")
    with student.raises(ValueError) as caught:
        student.thing.refuse("word")
    assert caught[0].text == "no word"
    with pytest.raises(CheckFailed, match="KeyError is raised"), student.raises(KeyError):
        student.thing.refuse("word")


@pytest.mark.parametrize("source", ["def refuse(:\n", "raise ValueError('at import')\n"])
def test_a_broken_import_is_never_the_expected_error(student_of, source):
    student = student_of(source)
    for _ in range(2):  # the second question does not import again
        with pytest.raises(StudentError, match=r"importing thing\.py"), student.raises(Exception):
            student.thing.refuse("word")


def test_an_unwritten_task_is_never_the_expected_error(student_of):
    student = student_of("def refuse():\n    raise NotImplementedError('Task 1')\n")
    with pytest.raises(StudentError) as caught, student.raises(Exception):
        student.thing.refuse()
    assert caught.value.not_implemented


def test_a_new_process_remembers_nothing(student_of):
    student = student_of("KEPT = []\ndef count():\n    KEPT.append(1)\n    return len(KEPT)\n")
    assert (student.thing.count(), student.thing.count()) == (1, 2)
    student.restart()
    assert student.thing.count() == 1
