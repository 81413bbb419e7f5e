"""A class that the command grades into PostgreSQL, killed in between, has the same gradebook as one in SQLite."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_course
from sqlalchemy import create_engine, text

GRADER = Path(sys.executable).with_name("grader")
PATIENCE = 120
SIZE = 9
GRADES = """
    select submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.manual_score, grade.needs_manual_grade,
           submitted_notebook.late_submission_penalty
    from grade
    join base_cell on base_cell.id = grade.cell_id
    join submitted_notebook on submitted_notebook.id = grade.notebook_id
    join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
"""
CELLS = """
    select base_cell.name, grade_cells.max_score, grade_cells.cell_type from grade_cells
    join base_cell on base_cell.id = grade_cells.id
"""


def submissions() -> Iterator[tuple[str, dict[str, str]]]:
    """Right, wrong, slow and broken ones."""
    right, sums = tiny_course.RIGHT, tiny_course.RIGHT["sums.py"]
    kinds = [
        right,
        {**right, "sums.py": sums.replace("float(sum(values))", "1.0")},
        {**right, "draws.py": "import os\nos._exit(3)\n"},
        {"sums.py": f"import time\ntime.sleep(0.5)\n{sums}"},
    ]
    for number in range(SIZE):
        files = kinds[number % len(kinds)]
        yield f"student-{number}", {**files, "sums.py": f"{files['sums.py']}\n# number {number}\n"}


def content(url: str) -> tuple[list, list]:
    """All grades and what they are of, without the ids that are drawn."""
    engine = create_engine(url)
    with engine.connect() as database:
        found = tuple(sorted(map(tuple, database.execute(text(query)))) for query in (GRADES, CELLS))
    engine.dispose()
    return found


@pytest.mark.slow
def test_a_class_has_the_same_gradebook_there(postgresql, tmp_path):
    course = tiny_course.write_course(tmp_path / "course")
    for student, files in submissions():
        (tmp_path / "class" / student).mkdir(parents=True)
        for name, code in files.items():
            (tmp_path / "class" / student / name).write_text(code)

    def command(out: Path, url: str) -> list[str | Path]:
        where = ["--course", course, "--out", out, "--db", url, "--seed", "7"]
        return [GRADER, "grade", "tiny", tmp_path / "class", *where]

    plain, there = f"sqlite:///{tmp_path / 'plain.db'}", postgresql()
    ended = subprocess.run(command(tmp_path / "plain", plain), capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr
    killed = subprocess.Popen(command(tmp_path / "there", there), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until = time.monotonic() + PATIENCE
    while len(list((tmp_path / "there" / "results").glob("*.json"))) < 2:
        assert killed.poll() is None, killed.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    assert len(list((tmp_path / "there" / "results").glob("*.json"))) < SIZE
    ended = subprocess.run(command(tmp_path / "there", there), capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr
    grades, cells = content(there)
    assert (grades, cells) == content(plain)
    assert len({student for student, *_ in grades}) == SIZE
    assert len(grades) == SIZE * len(cells)
