"""The student's code in this process: it works as in a worker, and stand-ins can play a part of it."""

import os

import pytest
import torch

from grader.errors import StudentFault
from grader.suite.in_process import put_in_place, student_in
from grader.suite.recipes import stand_in

FIRST = """
def one():
    return 1

def two():
    return 2 * one()
"""
HELPER = "from first_part import one\n\n\ndef helped():\n    return one()\n"
SECOND = """
import first_part
import helper
from first_part import one

def sum_up():
    return one() + first_part.one() + first_part.two()

def helped():
    return helper.helped()
"""


@pytest.fixture
def student(tmp_path):
    sources = {"first_part": FIRST, "second_part": SECOND, "broken_part": "def one(:\n", "helper": HELPER}
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source)
    student = student_in(tmp_path, list(sources))
    yield student
    student.close()


def test_stand_ins_play_until_they_are_taken_back(student):
    with pytest.MonkeyPatch.context() as monkeypatch:
        put_in_place(student, monkeypatch, "second_part", {"first_part": {"one": lambda: 10, "not_there": None}})
        assert student.second_part.sum_up() == 10 + 10 + 20
        assert student.second_part.helped() == 10
    assert student.second_part.sum_up() == 1 + 1 + 2
    assert student.second_part.helped() == 1


def test_a_suites_stand_in_reaches_helpers_that_were_imported_before(student):
    assert student.second_part.helped() == 1
    student.make(stand_in("first_part", "def one():\n    return 10\n"))
    assert student.second_part.helped() == 10
    assert student.second_part.sum_up() == 10 + 10 + 2  # two() is the student's own, and uses its own one()


def test_a_file_that_cannot_be_imported_is_the_students_fault(student, monkeypatch):
    with pytest.raises(StudentFault, match="broken_part"):
        put_in_place(student, monkeypatch, "second_part", {"broken_part": {"one": lambda: 10}})


def test_one_thread_and_no_window(student, monkeypatch):
    threads = torch.get_num_threads()
    monkeypatch.delenv("MPLBACKEND", raising=False)
    torch.set_num_threads(2)
    try:
        student.first_part.one()
        assert (torch.get_num_threads(), os.environ["MPLBACKEND"]) == (1, "Agg")
    finally:
        torch.set_num_threads(threads)
