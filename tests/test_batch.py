"""A class goes in, one whole result for each student comes out, whatever becomes of single submissions."""

import json
import os
import shutil
import zipfile
from concurrent.futures import Future
from dataclasses import replace

import pytest
from msgspec import structs

from grader.batch import Recorder, grade_class
from grader.course import Assignment, Task
from grader.errors import GraderFault, UsageError
from grader.gradebook import Gradebook
from grader.known import Known
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.store import ResultStore, Run
from grader.submission import discover

TASK = Task(number=1, name="sums", title="Sums", checks={"adds": 2, "keeps": 3})
RUN = Run("tiny", seed=11, surroundings="the same")
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
        (folder / student / "sums.py").write_text(f"{text} for {student}", "utf-8")
    (folder / "eve.zip").write_bytes(b"PK\3\4 no zip")
    with zipfile.ZipFile(folder / "fay.zip", "w") as archive:
        archive.writestr("sums.py", "right for fay")
    return folder


@pytest.fixture
def grade(tmp_path, handed_in):
    """Grade the class, into the same place each time."""
    store = ResultStore(tmp_path / "out")

    def grade_once(seen=lambda result, origin: None, run=RUN, **more):
        with store.held(), Gradebook(f"sqlite:///{tmp_path / 'out' / 'gradebook.db'}") as gradebook:
            gradebook.prepare(TINY)
            entries = discover(handed_in, TINY)
            grade_class(entries, TINY, FakeEngine(), store, gradebook, seen, run=run, **more)
            results = list(store.results_of(entry.student for entry in entries))
            return results, gradebook.scores("tiny"), store

    return grade_once


def test_everyone_has_exactly_one_result(grade):
    seen = []
    results, recorded, store = grade(lambda result, origin: seen.append(result.student))
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
    with store.held():
        store.write(graded("ada", True))

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(GraderFault, match=r"ada\.json cannot be written \(No space left on device\)"):
        store.write(graded("ada", False))
    assert [result.score for result in store.read()] == [5]
    assert [path.name for path in store.folder.iterdir()] == ["ada.json"]


def test_unusable_places_are_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot use"), ResultStore(tmp_path / "file").held():
        pass
    with pytest.raises(UsageError, match="found none"):
        ResultStore(tmp_path / "nothing").read()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "ada.json").write_text("{}")
    with pytest.raises(UsageError, match=r"ada\.json is not a result"):
        ResultStore(tmp_path).read()


class CountingEngine(FakeEngine):
    """Remembers whom it was asked to grade."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def submit(self, submission):
        self.asked.append(submission.student)
        future = super().submit(submission)
        if future.exception() is None:
            future = Future()
            result = graded(submission.student, b"right" in submission.files["sums.py"])
            future.set_result(replace(result, digest=submission.digest, seed=RUN.seed))
        return future


@pytest.fixture
def go_on(tmp_path, handed_in):
    """Grade the class again into the same place; gives whom it graded, and what the gradebook has then."""
    store = ResultStore(tmp_path / "out")

    def grade_again(run=RUN, **more):
        engine = CountingEngine()
        with store.held(), Gradebook(f"sqlite:///{tmp_path / 'out' / 'gradebook.db'}") as gradebook:
            gradebook.prepare(TINY)
            grade_class(discover(handed_in, TINY), TINY, engine, store, gradebook, run=run, **more)
            return sorted(engine.asked), {name: score.score for name, score in gradebook.scores("tiny").items()}

    return grade_again


class TestGoingOn:
    def test_what_has_a_result_is_kept_and_a_fault_is_not(self, go_on):
        asked, recorded = go_on()
        assert asked == ["Zoë 'Z' Ω", "ada", "bob", "fay", "kim"]
        assert go_on() == (["kim"], recorded)

    def test_changed_files_are_graded_again(self, go_on, handed_in):
        go_on()
        (handed_in / "bob" / "sums.py").write_text("right after all")
        asked, recorded = go_on()
        assert asked == ["bob", "kim"]
        assert recorded["bob"] == 5

    def test_all_are_graded_again_when_what_they_depend_on_has_changed(self, go_on):
        go_on()
        for run in (structs.replace(RUN, seed=12), structs.replace(RUN, surroundings="another suite")):
            assert len(go_on(run)[0]) == 5
        assert len(go_on(force=True)[0]) == 5

    def test_the_same_files_are_graded_once_whoever_hands_them_in(self, go_on, handed_in, tmp_path):
        for student in ("amy", "zed"):
            shutil.copytree(handed_in / "ada", handed_in / student)
        asked, recorded = go_on()
        assert asked == ["Zoë 'Z' Ω", "ada", "bob", "fay", "kim"]
        assert recorded["amy"] == recorded["zed"] == recorded["ada"] == 5
        shutil.copytree(handed_in / "bob", handed_in / "rob")
        (handed_in / "ada" / "sums.py").write_text("wrong after all")
        asked, recorded = go_on()
        assert asked == ["ada", "kim"]
        assert (recorded["rob"], recorded["ada"], recorded["amy"]) == (0, 0, 5)
        store = ResultStore(tmp_path / "out")
        assert store.result_of("rob").digest == store.result_of("bob").digest

    def test_copies_of_what_the_grader_failed_on_are_no_zeros(self, go_on, handed_in):
        shutil.copytree(handed_in / "kim", handed_in / "tim")
        asked, recorded = go_on()
        assert asked == ["Zoë 'Z' Ω", "ada", "bob", "fay", "kim", "tim"]
        assert not {"kim", "tim"} & set(recorded)

    def test_the_slowest_come_first_and_those_that_nothing_is_known_of_before_them(self, tmp_path, handed_in):
        store, entries = ResultStore(tmp_path / "out"), discover(handed_in, TINY)
        with store.held():
            for student, seconds in {"ada": 1.0, "bob": 9.0, "fay": 4.0}.items():
                store.write(replace(graded(student, True), seconds=seconds))
            order = Known(store, RUN).slowest_first(entries)
        assert [entry.student for entry in order] == ["eve", "kim", "Zoë 'Z' Ω", "bob", "fay", "ada"]

    def test_a_result_that_is_no_record_is_graded_again(self, go_on, tmp_path):
        go_on()
        (tmp_path / "out" / "results" / "ada.json").write_text('{"student": "ada", "status": "gra')
        assert go_on()[0] == ["ada", "kim"]

    def test_what_was_written_but_not_recorded_is_recorded(self, go_on, tmp_path):
        _, recorded = go_on()
        (tmp_path / "out" / "gradebook.db").unlink()
        assert go_on() == (["kim"], recorded)

    def test_remains_of_a_killed_run_are_removed(self, go_on, tmp_path):
        go_on()
        (tmp_path / "out" / "results" / ".x1.part").write_text('{"half')
        go_on()
        assert not list((tmp_path / "out" / "results").glob(".*"))

    def test_two_runs_do_not_write_to_one_place(self, tmp_path):
        store = ResultStore(tmp_path)
        with store.held(), pytest.raises(UsageError, match="another run"), store.held():
            pass


class Moody:
    """A gradebook that fails when told to."""

    def __init__(self) -> None:
        self.fails, self.rows, self.prepared = 0, {}, 0

    def prepare(self, assignment):
        self.prepared += 1

    def record(self, result):
        if self.fails:
            self.fails -= 1
            raise GraderFault("database is locked")
        self.rows[result.student] = result.score

    def reopen(self):
        pass

    def students(self, assignment):
        return set(self.rows)


class TestRecorder:
    @pytest.fixture(autouse=True)
    def _no_pauses(self, monkeypatch):
        monkeypatch.setattr("grader.batch.PAUSE_SECONDS", 0)

    @pytest.fixture
    def recorder_of(self, tmp_path):
        """A recorder, and what stores a result and has it recorded."""
        store = ResultStore(tmp_path)

        def make(book):
            recorder = Recorder(book, TINY, store)
            return recorder, lambda result: (store.write(result), recorder.record(result))

        with store.held():
            yield make

    def test_what_a_locked_gradebook_did_not_take_is_taken_to_it_later(self, recorder_of):
        book = Moody()
        recorder, record = recorder_of(book)
        record(graded("ada", True))
        book.fails = 2
        for student in ("bob", "eve", "kim"):
            record(graded(student, True))
        recorder.finish()
        assert book.rows == dict.fromkeys(("ada", "bob", "eve", "kim"), 5)

    def test_one_that_stays_locked_is_a_fault_that_counts_what_is_missing(self, recorder_of):
        book = Moody()
        recorder, record = recorder_of(book)
        record(graded("ada", True))
        book.fails = 1000
        record(graded("bob", True))
        with pytest.raises(GraderFault, match=r"1 of 2 results are not in the gradebook .*locked"):
            recorder.finish()

    def test_one_that_was_exchanged_gets_all_again(self, recorder_of):
        book = Moody()
        recorder, record = recorder_of(book)
        record(graded("ada", True))
        book.rows.clear()
        record(graded("bob", True))
        recorder.finish()
        assert book.rows == {"ada": 5, "bob": 5}
        assert book.prepared == 1
