"""A class goes in, one whole result for each student comes out, whatever becomes of single submissions."""

import json
import os
import zipfile
from concurrent.futures import Future

import pytest

from grader.batch import ResultStore, grade_class
from grader.course import Assignment, Task
from grader.errors import GraderFault, UsageError
from grader.gradebook import Gradebook
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.submission import discover

TASK = Task(number=1, name="sums", title="Sums", checks={"adds": 2, "keeps": 3})
TINY = Assignment(name="tiny", title="Tiny", difficulty="easy", task=[TASK])


class FakeEngine:
    """Gives points for the word `right`, and fails on the word `fault`."""

    def __init__(self) -> None:
        self.jobs, self.titles = 2, {"sums.adds": "total adds"}
        self.in_flight = self.most_in_flight = 0

    def submit(self, submission):
        future: Future[SubmissionResult] = Future()
        text = submission.files["sums.py"]
        if b"fault" in text:
            future.set_exception(GraderFault("the sandbox went away"))
        else:
            future.set_result(graded(submission.student, b"right" in text))
        return future


def graded(student: str, right: bool) -> SubmissionResult:
    status = CheckStatus.PASSED if right else CheckStatus.FAILED
    checks = [
        CheckResult(f"sums.{name}", "sums", name, status, points if right else 0, points)
        for name, points in TASK.checks.items()
    ]
    return SubmissionResult("tiny", student, SubmissionStatus.GRADED, checks)


@pytest.fixture
def handed_in(tmp_path):
    folder = tmp_path / "class"
    for student, text in {"ada": "right", "bob": "wrong", "Zoë 'Z' Ω": "right", "kim": "fault"}.items():
        (folder / student).mkdir(parents=True)
        (folder / student / "sums.py").write_text(text)
    (folder / "eve.zip").write_bytes(b"PK\3\4 no zip")
    with zipfile.ZipFile(folder / "fay.zip", "w") as archive:
        archive.writestr("sums.py", "right")
    return folder


@pytest.fixture
def grade(tmp_path, handed_in):
    """Grade the class, into the same place each time."""
    store = ResultStore(tmp_path / "out")
    store.prepare()

    def grade_once(seen=lambda result: None):
        with Gradebook(f"sqlite:///{tmp_path / 'out' / 'gradebook.db'}") as gradebook:
            gradebook.prepare(TINY)
            entries = discover(handed_in, TINY)
            results = grade_class(entries, TINY, FakeEngine(), store, gradebook, seen)
            return results, gradebook.scores("tiny"), store

    return grade_once


def test_everyone_has_exactly_one_result(grade):
    seen = []
    results, recorded, store = grade(lambda result: seen.append(result.student))
    got = {result.student: (result.status.value, result.score) for result in results}
    assert got == {
        "Zoë 'Z' Ω": ("graded", 5),
        "ada": ("graded", 5),
        "bob": ("graded", 0),
        "eve": ("invalid", 0),
        "fay": ("graded", 5),
        "kim": ("grader_error", None),
    }
    assert sorted(seen) == sorted(got)
    assert {result.student: result.score for result in store.read()} == {
        name: score for name, (_, score) in got.items()
    }
    assert {name: score.score for name, score in recorded.items()} == {
        name: score for name, (_, score) in got.items() if score is not None
    }, "a fault of the grader is recorded as nothing, not as zero"


def test_an_invalid_entry_keeps_the_rubric_and_says_why(grade):
    results, _, _ = grade()
    eve = next(result for result in results if result.student == "eve")
    assert (eve.score, eve.max_score) == (0, 5)
    assert eve.checks[0].title == "total adds"
    assert eve.message


def test_results_are_files_named_after_students(grade):
    _, _, store = grade()
    names = sorted(path.name for path in store.folder.iterdir())
    assert "ada.json" in names
    assert all(name.isascii() and " " not in name for name in names)
    assert not [name for name in names if name.endswith(".part")]
    assert json.loads((store.folder / "ada.json").read_text())["score"] == 5


def test_a_second_run_replaces_and_doubles_nothing(grade):
    first, second = grade(), grade()
    assert [r.score for r in first[0]] == [r.score for r in second[0]]
    assert len(list(second[2].folder.iterdir())) == 6
    assert second[1].keys() == first[1].keys()


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    store = ResultStore(tmp_path)
    store.prepare()
    store.write(graded("ada", True))

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        store.write(graded("ada", False))
    assert [result.score for result in store.read()] == [5]
    assert [path.name for path in store.folder.iterdir()] == ["ada.json"]


def test_unusable_places_are_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot use"):
        ResultStore(tmp_path / "file").prepare()
    with pytest.raises(UsageError, match="found none"):
        ResultStore(tmp_path / "nothing").read()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "ada.json").write_text("{}")
    with pytest.raises(UsageError, match=r"ada\.json is not a result"):
        ResultStore(tmp_path).read()
