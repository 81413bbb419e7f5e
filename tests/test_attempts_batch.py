"""Many attempts of a student in a class folder: each graded once, all kept, one counts, and a fault of ours costs nobody."""

import os
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from grader.attempts import Deadline, Policy, Rate, faults
from grader.batch import grade_class
from grader.course import Assignment, Course, Task
from grader.deadlines import penalty_by, read_extensions, unknown
from grader.entries import Times
from grader.errors import GraderFault, UsageError
from grader.gradebook import Gradebook
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.store import ResultStore, Run
from grader.submission import discover

nbgrader = pytest.importorskip("nbgrader.api")

DUE = datetime(2026, 5, 1, 21, 59, tzinfo=UTC)
TASKS = [
    Task(number=1, name="sums", title="Sums", checks={"adds": 80, "keeps": 20}),
    Task(number=2, name="more", title="More", checks={"extra": 10}, bonus=True),
]
RUN = Run("tiny", seed=11, surroundings="the same")


def declare(**deadline) -> Assignment:
    return Assignment(name="tiny", title="Tiny", difficulty="easy", task=TASKS, deadline=Deadline(**deadline))


class Engine:
    """Gives the points that a file names, for `adds`, `keeps` and the bonus; fails on the word `fault`."""

    def __init__(self) -> None:
        self.jobs, self.titles, self.asked = 2, {}, []

    def submit(self, submission):
        self.asked.append(f"{submission.student}@{submission.attempt}")
        future: Future[SubmissionResult] = Future()
        text = submission.files["sums.py"].decode()
        if "fault" in text:
            future.set_exception(GraderFault("the sandbox went away"))
            return future
        earned = dict(zip(("sums.adds", "sums.keeps", "more.extra"), map(float, text.split()), strict=True))
        checks = [
            CheckResult(
                f"{task.name}.{name}", task.name, name, CheckStatus.PASSED, earned[f"{task.name}.{name}"], points
            )
            for task in TASKS
            for name, points in task.checks.items()
        ]
        result = SubmissionResult("tiny", submission.student, SubmissionStatus.GRADED, checks, bonus_tasks=["more"])
        future.set_result(replace(result, digest=submission.digest, seed=RUN.seed))
        return future


class Class:
    """A class folder and what grading it has left."""

    def __init__(self, root: Path) -> None:
        self.folder, self.out = root / "class", root / "out"
        self.url = f"sqlite:///{self.out / 'gradebook.db'}"
        self.store = ResultStore(self.out)

    def hand_in(self, entry: str, text: str) -> Path:
        path = self.folder / entry
        path.mkdir(parents=True, exist_ok=True)
        (path / "sums.py").write_text(text)
        return path

    def grade(self, times: str = "", extensions=(), run: Run = RUN, force: bool = False, **deadline):
        """Whom it graded, and the results by student."""
        declared, engine = declare(**deadline), Engine()
        rate = declared.deadline.rate
        policy = Policy(declared.deadline, dict(extensions), lambda student, points, late: rate.of(points, late))
        entries = discover(self.folder, declared, Times.read(times))
        with self.store.held(), Gradebook(self.url, policy.penalty) as gradebook:
            gradebook.prepare(declared)
            grade_class(entries, declared, engine, self.store, gradebook, run=run, force=force, policy=policy)
            results = list(self.store.results_of(dict.fromkeys(entry.student for entry in entries)))
        assert [result.student for result in results] == list(dict.fromkeys(entry.student for entry in entries))
        return sorted(engine.asked), {result.student: result for result in results}

    def book(self, student: str = "ada"):
        """Time, extension, penalty and score that nbgrader reads."""
        with nbgrader.Gradebook(self.url) as theirs:
            found = theirs.find_submission("tiny", student)
            return found.timestamp, found.extension, found.late_submission_penalty, found.score


@pytest.fixture
def folder(tmp_path):
    return Class(tmp_path)


FIRST, SECOND, THIRD = "2026-05-01T20-00-00Z", "2026-05-02T20-00-00Z", "2026-05-03T23-00-00+0200"
LATE = {"due": DUE, "late": "20 points per day"}


class TestWhichCounts:
    def test_all_are_graded_and_kept_and_one_counts(self, folder):
        folder.hand_in(f"ada@{FIRST}", "60 10 5")
        folder.hand_in(f"ada@{SECOND}", "80 0 10")
        folder.hand_in("ben", "80 20 0")
        asked, results = folder.grade(counts="best", **LATE)
        assert asked == [f"ada@{FIRST}", f"ada@{SECOND}", "ben@"]
        assert results["ada"].score == 70
        assert results["ada"].standing.why == "the best of 2 after penalties"
        assert folder.book() == (datetime(2026, 5, 1, 20), None, 0, 75)
        assert folder.book("ben") == (None, None, 0, 100), "an unknown time is not the time of grading, which is late"
        assert {path.relative_to(folder.out).as_posix() for path in folder.out.rglob("*.json")} == {
            "results/ada.json",
            "results/ben.json",
            f"attempts/ada/{FIRST}.json",
            f"attempts/ada/{SECOND}.json",
        }
        assert folder.store.earlier("ada", SECOND).score == 80
        assert [result.student for result in folder.store.read()] == ["ada", "ben"]

    @pytest.mark.parametrize(("counts", "score", "penalty"), [("last", 90, 40), ("first", 70, 0), ("best", 80, 0)])
    def test_by_policy_with_an_extension(self, folder, counts, score, penalty):
        for time, text in ((FIRST, "60 10 0"), (SECOND, "80 0 0"), (THIRD, "80 10 0")):
            folder.hand_in(f"ada@{time}", text)
        more = {"ada": timedelta(hours=24)} if counts != "last" else {}
        _, results = folder.grade(counts=counts, extensions=more, **LATE)
        assert (results["ada"].score, results["ada"].standing.attempt.penalty) == (score, penalty)
        time, extension, off, raw = folder.book()
        assert (extension, off, raw) == (more.get("ada"), penalty, score)
        assert time == results["ada"].standing.attempt.time.replace(tzinfo=None)

    def test_another_policy_grades_nothing_again(self, folder):
        folder.hand_in(f"ada@{FIRST}", "60 10 0")
        folder.hand_in(f"ada@{SECOND}", "80 0 0")
        folder.grade(counts="last", **LATE)
        assert folder.book()[2:] == (20, 80)
        assert folder.grade(counts="first", **LATE)[0] == []
        assert folder.book()[2:] == (0, 70)
        assert folder.store.earlier("ada").score == 70
        assert folder.grade(counts="last", due=DUE + timedelta(days=9))[0] == []
        assert folder.book() == (datetime(2026, 5, 2, 20), None, 0, 80)

    def test_the_same_again_changes_no_byte(self, folder):
        folder.hand_in(f"ada@{FIRST}", "60 10 0")
        folder.hand_in(f"ada@{SECOND}", "80 0 0")
        folder.grade(**LATE)
        before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.out.rglob("*.json")}
        assert folder.grade(**LATE)[0] == []
        assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.out.rglob("*.json")} == before

    def test_a_new_attempt_alone_is_graded_and_the_same_files_never_twice(self, folder):
        folder.hand_in(f"ada@{FIRST}", "60 10 0")
        folder.grade()
        folder.hand_in(f"ada@{SECOND}", "80 0 0")
        assert folder.grade()[0] == [f"ada@{SECOND}"]
        folder.hand_in(f"ada@{THIRD}", "60 10 0")
        asked, results = folder.grade()
        assert asked == []
        assert results["ada"].score == 70
        assert folder.store.earlier("ada", THIRD).standing is None
        assert len(folder.grade(run=structs.replace(RUN, surroundings="another suite"))[0]) == 2, "the same files once"
        assert len(folder.grade(force=True)[0]) == 2

    def test_a_time_that_is_told_later_grades_nothing_again(self, folder):
        plain = folder.hand_in("ada", "60 10 0")
        folder.grade(**LATE)
        assert folder.store.earlier("ada").standing.attempt.time is None
        plain.rename(folder.folder / f"ada@{SECOND}")
        asked, results = folder.grade(**LATE)
        assert asked == []
        assert (results["ada"].standing.attempt.name, results["ada"].standing.attempt.penalty) == (SECOND, 20)
        assert folder.store.earlier("ada", SECOND).standing is None
        assert folder.book() == (datetime(2026, 5, 2, 20), None, 20, 70)

    @pytest.mark.parametrize("entry", ["ada", f"ada@{FIRST}"])
    def test_no_due_date_leaves_what_others_wrote(self, folder, entry):
        folder.hand_in(entry, "60 10 0")
        folder.grade()
        with nbgrader.Gradebook(folder.url) as theirs:
            theirs.update_or_create_assignment("tiny", duedate="2026-06-01 12:00:00 UTC")
            theirs.grant_extension("tiny", "ada", days=2)
            theirs.find_submission_notebook("tiny", "tiny", "ada").late_submission_penalty = 3
            theirs.db.commit()
        folder.grade(force=True)
        assert folder.book()[1:] == (timedelta(days=2), 3, 70)

    def test_an_attempt_that_cannot_be_read_is_one(self, folder):
        folder.hand_in(f"ada@{FIRST}", "60 10 0")
        (folder.folder / f"ada@{SECOND}.zip").write_bytes(b"PK\3\4 no zip")
        _, results = folder.grade()
        assert (results["ada"].status, results["ada"].score) == (SubmissionStatus.INVALID, 0)
        assert folder.book()[3] == 0
        assert folder.grade(counts="best")[1]["ada"].score == 70


class TestPenaltiesInTheGradebook:
    def test_more_than_there_is_leaves_zero(self, folder, tmp_path):
        folder.hand_in(f"ada@{THIRD}", "20 0 5")
        folder.grade(**LATE)
        assert folder.book()[2:] == (25, 25)

    def test_scores_by_hand_stay_and_the_penalty_is_on_them(self, folder):
        folder.hand_in(f"ada@{THIRD}", "80 20 10")
        late = {"due": DUE, "late": "10 percent per day"}
        folder.grade(**late)
        assert folder.book()[2:] == (22, 110)
        with nbgrader.Gradebook(folder.url) as theirs:
            theirs.find_grade("sums-adds", "tiny", "tiny", "ada").manual_score = 30
            theirs.find_grade("sums-keeps", "tiny", "tiny", "ada").extra_credit = 5
            theirs.db.commit()
        folder.grade(**late)
        assert folder.book()[2:] == (13, 65)
        with nbgrader.Gradebook(folder.url) as theirs:
            grade = theirs.find_grade("sums-adds", "tiny", "tiny", "ada")
            assert (grade.manual_score, grade.auto_score, grade.needs_manual_grade) == (30, 80, False)

    def test_nbgraders_own_arithmetic_agrees(self, folder):
        """Seconds late by nbgrader, and the penalty by its preprocessor's rule, from the columns that were written."""
        folder.hand_in(f"ada@{THIRD}", "80 20 10")
        folder.grade(extensions={"ada": timedelta(hours=30)}, **LATE)
        with nbgrader.Gradebook(folder.url) as theirs:
            found = theirs.find_submission("tiny", "ada")
            assert found.duedate == datetime(2026, 5, 3, 3, 59)
            late = (datetime(2026, 5, 3, 21) - found.duedate).total_seconds()
            assert found.total_seconds_late == late == folder.store.earlier("ada").standing.attempt.seconds_late
            assert found.late_submission_penalty == 20


class TestFaults:
    def test_the_record_before_stays_and_it_is_said(self, folder):
        folder.hand_in(f"ada@{FIRST}", "60 10 0")
        folder.grade(**LATE)
        folder.hand_in(f"ada@{SECOND}", "fault")
        asked, results = folder.grade(**LATE)
        assert asked == [f"ada@{SECOND}"]
        ada = results["ada"]
        assert ada.score == 70
        assert ada.has_faults
        assert faults(ada.standing) == [
            f"attempt {SECOND} could not be graded (the sandbox went away): until it is, it does not count"
        ]
        assert folder.book() == (datetime(2026, 5, 1, 20), None, 0, 70)
        assert folder.store.earlier("ada") == ada
        folder.hand_in(f"ada@{SECOND}", "80 0 0")
        assert not folder.grade(**LATE)[1]["ada"].has_faults
        assert folder.book()[3] == 80

    def test_grading_again_that_fails_leaves_what_was_known(self, folder):
        folder.hand_in(f"ada@{FIRST}", "60 10 0")
        path = folder.hand_in(f"ada@{SECOND}", "80 0 0")
        folder.grade()
        (path / "sums.py").write_text("fault")
        _, results = folder.grade(force=True)
        assert (results["ada"].score, results["ada"].standing.attempt.name) == (80, SECOND)
        assert "its earlier record stands" in faults(results["ada"].standing)[0]
        assert folder.store.earlier("ada", SECOND).score == 80
        assert folder.book()[3] == 80

    def test_where_older_attempts_are_no_longer_there(self, folder):
        old = folder.hand_in(f"ada@{FIRST}", "60 10 0")
        folder.grade()
        old.rename(folder.folder / f"ada@{SECOND}")
        folder.hand_in(f"ada@{SECOND}", "fault")
        for _ in range(2):
            _, results = folder.grade()
            assert (results["ada"].score, results["ada"].standing.why) == (70, "the record before")
            assert [one.name for one in results["ada"].standing.attempts] == [FIRST, SECOND]
            assert results["ada"].has_faults
        assert folder.book()[3] == 70

    def test_with_nothing_before_there_is_no_score(self, folder):
        folder.hand_in(f"ada@{FIRST}", "fault")
        folder.hand_in(f"ada@{SECOND}", "fault again")
        _, results = folder.grade()
        assert (results["ada"].status, results["ada"].score) == (SubmissionStatus.GRADER_ERROR, None)
        with nbgrader.Gradebook(folder.url) as theirs, pytest.raises(nbgrader.MissingEntry):
            theirs.find_submission("tiny", "ada")
        assert len(folder.grade()[0]) == 2


class TestEntries:
    def entries(self, folder, times=""):
        return [
            (one.student, one.attempt, one.time, one.problem)
            for one in discover(folder.folder, declare(), Times.read(str(times)))
        ]

    def test_every_kind_of_entry_may_have_a_time(self, folder):
        folder.hand_in(f"ada@example.org@{SECOND}", "")
        for name in (f"ada@example.org@{FIRST}.zip", f"ada@example.org@{THIRD}__sums.py", f"ben@{FIRST}.ipynb"):
            (folder.folder / name).write_text("")
        assert [(student, attempt) for student, attempt, *_ in self.entries(folder)] == [
            ("ada@example.org", FIRST),
            ("ada@example.org", SECOND),
            ("ada@example.org", THIRD),
            ("ben", FIRST),
        ]

    @pytest.mark.parametrize("name", ["ada@2026-05-01T20-00-00", "ada@2026-05-01", "ada@2026-13-01T20-00-00Z"])
    def test_half_a_time_is_refused(self, folder, name):
        folder.hand_in(name, "")
        with pytest.raises(UsageError, match=f"expected .*, found '{name}'; rename {name}"):
            self.entries(folder)

    def test_attempts_that_nothing_orders_are_a_problem_of_that_student(self, folder):
        for name in (f"ada@{FIRST}", "ada", f"ben@{FIRST}", f"Ben@{SECOND}", "eve"):
            folder.hand_in(name, "1 1 1")
        (folder.folder / f"kim@{FIRST}").mkdir()
        (folder.folder / f"kim@{FIRST}.zip").write_text("")
        found = self.entries(folder)
        assert [(student, bool(problem)) for student, _, _, problem in found] == [
            ("ada", True),
            ("Ben", True),
            ("eve", False),
            ("kim", True),
        ]
        assert "with a time each, found 'ada' and 'ada@2026-05-01T20-00-00Z'" in found[0][3]

    def test_the_newest_file_tells_when_it_is_asked_for(self, folder):
        path = folder.hand_in("ada", "")
        (path / "deeper" / "__pycache__").mkdir(parents=True)
        for name, seconds in (("sums.py", 100.9), ("deeper/notes.txt", 200.7), ("deeper/__pycache__/x.pyc", 900)):
            (path / name).write_text("")
            os.utime(path / name, (0, seconds))
        zipped = folder.folder / f"ben@{FIRST}.zip"
        zipped.write_text("")
        os.utime(zipped, (0, 50))
        assert [time for _, _, time, _ in self.entries(folder)] == [None, datetime(2026, 5, 1, 20, tzinfo=UTC)]
        found = self.entries(folder, "mtime")
        assert found[0] == ("ada", "1970-01-01T00-03-20Z", datetime.fromtimestamp(200, UTC), "")
        assert found[1][2] == datetime(2026, 5, 1, 20, tzinfo=UTC), "a name tells more than a clock"

    def test_two_plain_entries_are_no_attempts_because_a_clock_tells_them_apart(self, folder):
        folder.hand_in("ada", "")
        (folder.folder / "ada.zip").write_text("")
        (entry,) = self.entries(folder, "mtime")
        assert "found 2: 'ada' and 'ada.zip'" in entry[3]

    def test_a_table_of_times(self, folder, tmp_path):
        for name in ("ada@try 1", "ada@try 2", "ben", f"eve@{FIRST}", "kim@example.org"):
            folder.hand_in(name, "")
        table = tmp_path / "times.csv"
        table.write_text(
            "\ufefftime,student,attempt,note\n2026-05-02T10:00:00+02:00,ada,try 1,\n2026-05-01T10:00:00Z,ada,try 2,x\n"
            f'2026-05-01T10:00:00Z,ben,,"a, b"\n2026-05-01T10:00:01Z,eve,{FIRST},\n2026-05-01T10:00:00Z,zoe,3,\n'
        )
        assert [
            (student, attempt, time and f"{time:%d %H:%M:%S}")
            for student, attempt, time, _ in self.entries(folder, table)
        ] == [
            ("ada", "try 2", "01 10:00:00"),
            ("ada", "try 1", "02 08:00:00"),
            ("ben", "2026-05-01T10-00-00Z", "01 10:00:00"),
            ("eve", FIRST, "01 10:00:01"),
            ("kim@example.org", "", None),
        ]
        times = Times.read(str(table))
        assert times.unused(discover(folder.folder, declare(), times)) == ["zoe@3"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("student,time\nada,2026-05-01T10:00:00Z\n", "expected a table with the columns student,attempt,time"),
            ("student,attempt,time\nada,1,2026-05-01T10:00:00\n", "line 2: expected a time with its zone"),
            ("student,attempt,time\nada,1,\n", "line 2: expected a time such as"),
            ("student,attempt,time\nada,1\n", "line 2: expected a time such as"),
            ("student,attempt,time\n,1,2026-05-01T10:00:00Z\n", "line 2: expected a student"),
            ("student,attempt,time\n" + 2 * "ada,1,2026-05-01T10:00:00Z\n", "line 3: expected one time for 'ada@1'"),
            ("", "found nothing"),
        ],
    )
    def test_a_table_that_is_none_is_one_line(self, tmp_path, text, said):
        (tmp_path / "times.csv").write_text(text)
        with pytest.raises(UsageError, match=said):
            Times.read(str(tmp_path / "times.csv"))

    def test_a_table_that_is_not_there(self, tmp_path):
        with pytest.raises(UsageError, match="mtime or a table of times, found nothing at"):
            Times.read(str(tmp_path / "times.csv"))


@pytest.fixture
def course(tmp_path):
    place = tmp_path / "course" / "assignments" / "tiny"
    place.mkdir(parents=True)
    (place / "assignment.toml").write_text("")
    return Course(tmp_path / "course")


class TestExtensions:
    def test_spans_and_times(self, course):
        (course.root / "extensions.toml").write_text(
            'tiny.ada = {days = 3, hours = 12}\ntiny."ben@example.org" = 2026-05-02T23:59:00+02:00\n'
        )
        assert read_extensions(None, course, declare(due=DUE)) == {
            "ada": timedelta(days=3.5),
            "ben@example.org": timedelta(days=1),
        }
        (course.root / "extensions.toml").unlink()
        assert read_extensions(None, course, declare(due=DUE)) == {}

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("tiny.ada = 3", "tiny.ada: expected {days = 3}"),
            ("tiny.ada = {dais = 3}", "tiny.ada: expected {days = 3}"),
            ("tiny.ada = {days = -3}", "tiny.ada: expected more time than until 2026-05-01T21:59:00.00:00"),
            ("tiny.ada = 2026-05-01T23:59:00+02:00", "expected more time"),
            ("tiny.ada = 2026-05-08T23:59:00", "expected a time with its zone"),
            ("tiny.ada = {days = 1e300}", "expected {days = 3}"),
            ("tinny.ada = {days = 3}", r"found \[tinny\], which is none \(did you mean 'tiny'\?\)"),
            ("tiny = 3", r"expected a table \[tiny\]"),
            ("tiny.ada = ", "found a mistake"),
        ],
    )
    def test_what_is_none_is_one_line(self, course, tmp_path, text, said):
        (tmp_path / "more.toml").write_text(text)
        with pytest.raises(UsageError, match=said):
            read_extensions(tmp_path / "more.toml", course, declare(due=DUE))

    def test_there_must_be_something_to_extend(self, course, tmp_path):
        (tmp_path / "more.toml").write_text("tiny.ada = {days = 3}")
        with pytest.raises(UsageError, match=r"found none to extend: declare \[deadline\] due"):
            read_extensions(tmp_path / "more.toml", course, declare())
        with pytest.raises(UsageError, match="cannot read"):
            read_extensions(tmp_path / "nothing.toml", course, declare(due=DUE))

    def test_unknown_students_are_named_with_the_nearest(self):
        assert unknown("it", ["Adda", "ben"], {"ada", "ben"}) == [
            "it names 'Adda', of whom nothing was handed in (did you mean 'ada'?)."
        ]
        assert (
            unknown("it", [f"q{n}" for n in range(12)], ["zoe"])[-1] == "it names 2 more of whom nothing was handed in."
        )


class TestPlugins:
    def deadline(self, late: str) -> Deadline:
        return Deadline(due=DUE, late=late)

    def test_ours_is_nbgraders_and_takes_its_settings(self):
        from nbgrader.plugins import LateSubmissionPlugin
        from traitlets.config import Config

        from grader.late import LatePenalty

        settings = Config({"LatePenalty": {"penalty_method": "10 percent per day", "grace_minutes": 1.0}})
        plugin = LatePenalty(config=settings)
        assert isinstance(plugin, LateSubmissionPlugin)
        assert [plugin.late_submission_penalty("ada", 50, late) for late in (60, 61)] == [0, 5]
        with pytest.raises(Exception, match="found 'half'"):
            LatePenalty(penalty_method="half")

    def test_the_declared_rate_is_by_our_class(self, course, monkeypatch):
        from grader.late import LatePenalty

        seen = []
        whole = LatePenalty.late_submission_penalty
        monkeypatch.setattr(LatePenalty, "late_submission_penalty", lambda *args: seen.append(args[1:]) or whole(*args))
        assert penalty_by(self.deadline("20 points per day"), course)("ada", 15, 5.0) == 15
        assert seen == [("ada", 15, 5.0)]
        assert penalty_by(Deadline(), course)("ada", 15, 5.0) == 0

    @pytest.mark.parametrize("late", ["rules:Mine", "rules.Mine"])
    def test_an_own_class_is_found_in_the_course(self, course, late, monkeypatch):
        monkeypatch.delitem(__import__("sys").modules, "rules", raising=False)
        (course.root / "rules.py").write_text(
            "from nbgrader.plugins import LateSubmissionPlugin\n\n\nclass Mine(LateSubmissionPlugin):\n"
            "    def late_submission_penalty(self, student_id, score, total_seconds_late):\n"
            "        return {'ada': 7, 'ben': None, 'eve': -3, 'kim': 1000, 'zoe': 'much', 'nan': float('nan')}[student_id]\n"
        )
        penalty = penalty_by(self.deadline(late), course)
        assert [penalty(student, 50, 1) for student in ("ada", "ben", "eve", "kim")] == [7, 0, 0, 50]
        for student, said in (("zoe", "found 'much'"), ("nan", "found nan"), ("max", "KeyError: 'max'")):
            with pytest.raises(GraderFault, match=said):
                penalty(student, 50, 1)

    def test_nbgraders_own_class_may_be_named(self, course):
        assert penalty_by(self.deadline("nbgrader.plugins:LateSubmissionPlugin"), course)("ada", 50, 1) == 0

    @pytest.mark.parametrize(
        ("late", "said"),
        [
            ("no_such:Mine", "ModuleNotFoundError"),
            ("json:Mine", "AttributeError"),
            ("json.JSONDecoder", "expected a subclass of nbgrader.plugins.LateSubmissionPlugin"),
            ("nbgrader.plugins:CsvExportPlugin", "expected a subclass"),
        ],
    )
    def test_what_is_no_plugin_is_one_line(self, course, late, said):
        with pytest.raises(UsageError, match=said):
            penalty_by(self.deadline(late), course)


def test_ours_and_the_declared_rate_are_one():
    assert Deadline(due=DUE, late="5 points per day", grace_minutes=2).rate == Rate(5, False, 86400, 120)
