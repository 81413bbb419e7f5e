"""The folder of an nbgrader course: its configuration, and each assignment as nbgrader's source.

`nbgrader generate_assignment`, `release_assignment`, `autograde`, `generate_feedback`, `export` and formgrader work in it as
they are. Its database has the cells that `grader.gradebook` records, so that `grader grade … --db` fills the same one.

Source: https://nbgrader.readthedocs.io/en/stable/user_guide/philosophy.html
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.aside import write_aside
from grader.bundle import handout
from grader.course import Course
from grader.errors import UsageError
from grader.notebook_source import as_text, source_notebook

CONFIG = "nbgrader_config.py"
_CONFIG_TEXT = '''"""The course for nbgrader: `nbgrader generate_assignment house_prices`, and so on, in this folder."""

import os

c = get_config()  # noqa: F821  nbgrader's own
c.ExecutePreprocessor.timeout = 900  # the first hidden check of a notebook marks all of them
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("write this function.")'}
# where the hidden suites are; kernels inherit it
'''
_WHERE = 'os.environ["GRADER_COURSE"] = {course!r}\n'


def write_course(course: Course, names: Sequence[str], out: Path) -> list[Path]:
    """Make an nbgrader course in `out`, or renew its `source/`; what else lies there (settings, submissions, gradebook) stays.

    `source/<name>/` holds the notebook with solutions and hidden lines, and beside it what students receive, but for the
    task files: the notebook is in their place.

    Returns:
        The notebooks' paths.

    Raises:
        UsageError: the folder is that of another course or cannot be written, or something of an assignment is missing or
            out of step with its solutions.
    """
    files: dict[str, bytes] = {}
    for name in names:
        assignment = course.assignment(name)
        beside = {file: data for file, data in handout(course, assignment).items() if file not in assignment.files}
        beside[f"{name}.ipynb"] = as_text(source_notebook(course, name)).encode()
        files |= {f"source/{name}/{file}": data for file, data in beside.items()}
    where = _WHERE.format(course=str(course.root.resolve()))
    if not (out / CONFIG).exists():
        files[CONFIG] = (_CONFIG_TEXT + where).encode()
    elif where.strip() not in (out / CONFIG).read_text("utf-8"):
        raise UsageError(
            f"expected a new folder or this course's own in {out}, found a {CONFIG} without {where.strip()!r}."
        )
    _write(out, files)
    return [out / "source" / name / f"{name}.ipynb" for name in names]


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    """Write files below `out`, each aside first, then renamed."""
    try:
        for name, content in files.items():
            write_aside(out / name, content)
    except OSError as error:
        raise UsageError(f"{out}: expected to write the nbgrader course there, cannot: {error.strerror}.") from None
