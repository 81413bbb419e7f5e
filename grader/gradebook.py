"""The gradebook: nbgrader's own database, which `nbgrader export` and formgrader read.

An assignment of ours is an nbgrader assignment with one notebook of its name and a grade cell for each check, named
`task-check` (nbgrader allows no dot). nbgrader knows no bonus: a bonus check is a cell with a `max_score` of 0, so that the
assignment's maximum stays the rubric's and what it earns comes on top (110 of 100). To change it by hand there is
formgrader's extra credit.

What was entered by hand is never touched. As in nbgrader, a manual score comes first, and a regrade that gives another
`auto_score` beneath one asks for a new look at it (`needs_manual_grade`).

Where a due date is declared, it, extensions and penalties go into nbgrader's own columns; the penalty is computed from the
gradebook's score, manual scores included, as nbgrader does. Without one these columns are left alone.

nbgrader and its libraries take about six seconds to import: they are, when a gradebook is opened.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from grader.attempts import Penalty, no_penalty
from grader.course import Assignment
from grader.database import COURSE, checked, opened, reason
from grader.errors import GraderFault, UsageError
from grader.results import Standing, SubmissionResult, SubmissionStatus

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

LONGEST_ID = 128  # characters; SQLite would take more, other databases would not
_CELL_NAME = re.compile(r"\w+-\w+")


def cell_name(check: str) -> str:
    """The name of a check's grade cell: `train-adamw` for `train.adamw`."""
    return check.replace(".", "-")


def student_id(student: str) -> str:
    """A student's id in the gradebook: the name itself; one that is longer than the column is cut to a digest."""
    if len(student) <= LONGEST_ID:
        return student
    return f"{student[: LONGEST_ID - 33]}~{hashlib.sha256(student.encode(errors='surrogatepass')).hexdigest()[:32]}"


@dataclass(frozen=True)
class Score:
    """What the gradebook has for one student: manual scores and extra credit included, the bonus on top."""

    score: float
    max_score: float
    needs_manual_grade: bool
    checks: Mapping[str, float]
    by_hand: frozenset[str] = frozenset()
    """Checks with a manual score or extra credit."""
    penalty: float = 0.0
    """For late work, as it was when a result was last recorded."""


@dataclass(frozen=True)
class _Rubric:
    """Ids of an assignment's rows: its own, its notebook's, those of cells of checks, of former checks, of answers."""

    assignment: str
    notebook: str
    cells: Mapping[str, str]
    retired: frozenset[str]
    answers: frozenset[str]
    """Cells that students write in, where nbgrader's own commands have made them."""


class Gradebook:
    """One open database, for one thread; a context manager.

    Raises:
        GraderFault: from any method, when the database fails; what it was writing is then not written at all.
    """

    def __init__(self, url: str, penalty: Penalty = no_penalty) -> None:
        """Open the database at an SQLAlchemy URL, and make it nbgrader's where it is empty; `penalty` is for late work.

        Raises:
            UsageError: not a URL, not to be opened for writing, or a database of something else.
        """
        self._url = checked(url)
        self._shown, self._book = str(self._url), opened(self._url)
        from nbgrader import api

        self._api = api
        self._rubrics: dict[str, _Rubric] = {}
        self._penalty = penalty

    def __enter__(self) -> "Gradebook":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._book.close()

    def reopen(self) -> None:
        """Let go of the database and open it anew, as another program would find it."""
        self._book.close()
        try:
            self._book = opened(self._url)
        except UsageError as error:
            raise GraderFault(str(error)) from None

    def students(self, assignment: str) -> set[str]:
        """Ids of those who have a submission of an assignment here."""
        api = self._api
        with self._transaction() as db:
            rows = db.query(api.SubmittedAssignment.student_id).join(api.Assignment).filter_by(name=assignment)
            return {student for (student,) in rows}

    def prepare(self, assignment: Assignment) -> None:
        """Bring the rubric into the database; cells of former checks stay where they have grades, worth 0."""
        wanted = {
            cell_name(f"{task.name}.{check}"): 0.0 if task.bonus else points
            for task in assignment.task
            for check, points in task.checks.items()
        }
        api = self._api
        with self._transaction() as db:
            own = self._id_of(db, api.Assignment, {"name": assignment.name}, course_id=COURSE)
            if assignment.deadline.due:
                due = {"duedate": _naive(assignment.deadline.due)}
                db.query(api.Assignment).filter_by(id=own).update(due)
            notebook = self._id_of(db, api.Notebook, {"name": assignment.name, "assignment_id": own})
            found = {cell.name: cell for cell in db.query(api.GradeCell).filter_by(notebook_id=notebook)}
            for name, points in wanted.items():
                if name not in found:
                    found[name] = api.GradeCell(name=name, notebook_id=notebook, cell_type="code", max_score=points)
                    db.add(found[name])
                elif found[name].max_score != points:
                    found[name].max_score = points
            former = [cell for name, cell in found.items() if name not in wanted and _CELL_NAME.fullmatch(name)]
            graded = {cell.id for cell in former if db.query(api.Grade.id).filter_by(cell_id=cell.id).first()}
            for cell in former:
                if cell.id in graded:
                    cell.max_score = 0.0
                else:
                    db.delete(cell)
            db.flush()
            cells = {name: found[name].id for name in wanted}
            answers = frozenset(id for (id,) in db.query(api.SolutionCell.id).filter_by(notebook_id=notebook))
            self._rubrics[assignment.name] = _Rubric(own, notebook, cells, frozenset(graded), answers)

    def record(self, result: SubmissionResult, handed_in: datetime | None = None) -> None:
        """Write one result in one transaction; a record of a fault of the grader's changes nothing.

        A check without a result earns 0. `handed_in` (with a time zone) is when the student did, if the result's standing does
        not say; where nobody does, the first record takes the present time, or none where that could be taken for late, and
        later ones keep it. Writing the same result twice changes nothing.
        """
        if result.status is SubmissionStatus.GRADER_ERROR:
            return
        rubric = self._rubrics.get(result.assignment)
        unknown = [check.name for check in result.checks if not rubric or cell_name(check.name) not in rubric.cells]
        if rubric is None or unknown:
            what = f"the checks {', '.join(unknown)}" if rubric else "the assignment"
            raise GraderFault(f"the gradebook has no place for {what} of {result.assignment}: prepare() it first.")
        points = dict.fromkeys(rubric.cells.values(), 0.0) | dict.fromkeys(rubric.retired, 0.0)
        points |= {rubric.cells[cell_name(check.name)]: check.points for check in result.checks}
        api, standing = self._api, result.standing
        handed_in = standing.attempt.time if standing and standing.attempt.time else handed_in
        with self._transaction() as db:
            student = student_id(result.student)
            self._id_of(db, api.Student, {"id": student})
            who = {"assignment_id": rubric.assignment, "student_id": student}
            first = handed_in or (None if standing and standing.due else datetime.now(UTC))
            submission = self._id_of(db, api.SubmittedAssignment, who, timestamp=first and _naive(first))
            if handed_in:
                db.query(api.SubmittedAssignment).filter_by(id=submission).update({"timestamp": _naive(handed_in)})
            place = {"assignment_id": submission, "notebook_id": rubric.notebook}
            notebook = self._id_of(db, api.SubmittedNotebook, place)
            self._write_grades(db, notebook, points, rubric.retired)
            self._leave_room_for_comments(db, notebook, rubric.answers)
            if standing and standing.due:
                self._write_lateness(db, submission, notebook, result.student, standing)

    def scores(self, assignment: str) -> dict[str, Score]:
        """What is recorded for an assignment, by student: nbgrader's own sums, not what `record` was given."""
        api = self._api
        with self._transaction() as db:
            maximum = sum(
                cell.max_score
                for cell in db.query(api.GradeCell).join(api.Notebook).join(api.Assignment).filter_by(name=assignment)
            )
            columns = (
                api.SubmittedAssignment.student_id,
                api.BaseCell.name,
                api.Grade.score,
                api.Grade.needs_manual_grade,
                (api.Grade.manual_score.isnot(None) | (api.Grade.extra_credit != 0)).label("by_hand"),
                api.SubmittedNotebook.id.label("notebook"),
                api.SubmittedNotebook.late_submission_penalty.label("penalty"),
            )
            rows = (
                db.query(*columns)
                .select_from(api.Grade)
                .join(api.BaseCell)
                .join(api.SubmittedNotebook)
                .join(api.SubmittedAssignment)
                .join(api.Assignment)
                .filter_by(name=assignment)
                .order_by(api.SubmittedAssignment.student_id, api.BaseCell.name)
                .all()
            )
        students: dict[str, list[Any]] = {}
        for row in rows:
            students.setdefault(row.student_id, []).append(row)
        return {
            student: Score(
                sum(row.score for row in grades),
                maximum,
                any(row.needs_manual_grade for row in grades),
                {row.name.replace("-", "."): row.score for row in grades},
                frozenset(row.name.replace("-", ".") for row in grades if row.by_hand),
                sum({row.notebook: row.penalty or 0.0 for row in grades}.values()),
            )
            for student, grades in students.items()
        }

    def _write_grades(self, db: "Session", notebook: str, points: Mapping[str, float], retired: frozenset[str]) -> None:
        """Give each cell of a submitted notebook its `auto_score`, leaving all that a person entered."""
        grade = self._api.Grade
        columns = db.query(grade.id, grade.cell_id, grade.auto_score, grade.manual_score, grade.needs_manual_grade)
        changes, there = [], set()
        # Naming the cells lets the database use nbgrader's only index, which starts with them.
        for row in columns.filter(grade.cell_id.in_(points)).filter_by(notebook_id=notebook):
            there.add(row.cell_id)
            if row.auto_score != points[row.cell_id]:
                by_hand = row.manual_score is not None
                changes.append({"id": row.id, "auto_score": points[row.cell_id], "needs_manual_grade": by_hand})
            elif row.needs_manual_grade and row.manual_score is None:
                changes.append({"id": row.id, "needs_manual_grade": False})
        db.bulk_update_mappings(grade, changes)
        new = [cell for cell in points if cell not in there and cell not in retired]
        common = {"notebook_id": notebook, "needs_manual_grade": False}
        db.bulk_insert_mappings(grade, [{"cell_id": cell, "auto_score": points[cell], **common} for cell in new])

    def _write_lateness(self, db: "Session", submission: str, notebook: str, student: str, standing: Standing) -> None:
        """The extension, and the penalty for what the gradebook has by now, scores by hand and extra credit included."""
        api = self._api
        penalty: float | None = None
        extension = timedelta(seconds=standing.extension_seconds) or None
        db.query(api.SubmittedAssignment).filter_by(id=submission).update({"extension": extension})
        if standing.attempt.seconds_late:
            score = db.query(api.SubmittedNotebook.score).filter_by(id=notebook).scalar()
            penalty = self._penalty(student, score, standing.attempt.seconds_late) or None
        db.query(api.SubmittedNotebook).filter_by(id=notebook).update({"late_submission_penalty": penalty})

    def _leave_room_for_comments(self, db: "Session", notebook: str, answers: frozenset[str]) -> None:
        """A row for a comment on each answer: formgrader has a place for comments where there is one."""
        comment = self._api.Comment
        there = {cell for (cell,) in db.query(comment.cell_id).filter_by(notebook_id=notebook)} if answers else set()
        db.bulk_insert_mappings(comment, [{"cell_id": cell, "notebook_id": notebook} for cell in answers - there])

    def _id_of(self, db: "Session", table: Any, key: Mapping[str, str], **new: object) -> str:
        """The id of the row with `key`, which is made with the values of `new` where there is none."""
        row = db.query(table.id).filter_by(**key).first()
        if row is None:
            new_id = key.get("id", uuid4().hex)
            db.bulk_insert_mappings(table, [{**key, **new, "id": new_id}])
            return new_id
        return row.id

    @contextmanager
    def _transaction(self) -> Iterator["Session"]:
        from sqlalchemy.exc import SQLAlchemyError

        db = self._book.db
        try:
            yield db
            db.commit()
        except SQLAlchemyError as error:
            db.rollback()
            raise GraderFault(
                f"the gradebook {self._shown} cannot be used: {reason(error)}; nothing was recorded, grade again."
            ) from error
        except BaseException:
            db.rollback()
            raise


def _naive(moment: datetime) -> datetime:
    """nbgrader keeps UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
