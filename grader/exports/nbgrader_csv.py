"""What `nbgrader export` gives: by nbgrader's own exporter, over the gradebook.

That exporter gives a zero to whoever has no submission; here only those who have a mark are asked of it. It quotes nothing
either: a student whose id would break the table, or be a formula in it, is left out and named.

Source: https://nbgrader.readthedocs.io/en/stable/plugins/export-plugin.html
"""

import tempfile
from pathlib import Path

from grader.database import checked, opened
from grader.errors import UsageError
from grader.exports.marks import Marks
from grader.exports.texts import cell, line
from grader.gradebook import student_id


def nbgrader_csv(marks: Marks) -> tuple[bytes, list[str]]:
    """nbgrader's CSV of an assignment, and a line for each who is not in it.

    Raises:
        UsageError: there is no gradebook, or nobody in it who has a mark.
    """
    if not marks.gradebook:
        raise UsageError("expected a gradebook for nbgrader's export, found none; name it with --db.")
    from nbgrader.plugins import CsvExportPlugin

    known = {student_id(mark.student) for mark in marks.marks if not mark.failed}
    book = opened(checked(marks.gradebook))
    try:
        recorded = {one.student.id for one in book.assignment_submissions(marks.assignment)}
        unfit = {one for one in known & recorded if cell(one) != one or any(letter in one for letter in ',"')}
        students = sorted(known & recorded - unfit)
        if not students:
            raise UsageError(
                f"expected students with a mark of {marks.assignment} in the gradebook, found none; see --db."
            )
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "grades.csv"
            CsvExportPlugin(to=str(place), student=students, assignment=[marks.assignment]).export(book)
            content = place.read_bytes()
    finally:
        book.close()
    lines = [
        f"{line(one)} is left out: nbgrader's exporter quotes nothing, and would write a broken row"
        for one in sorted(unfit)
    ]
    missing = sorted(known - recorded)
    return content, lines + (
        [f"not in the gradebook, and so not in the file: {', '.join(map(line, missing))}"] if missing else []
    )
