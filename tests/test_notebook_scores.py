"""The same work has the same score, handed in as files or in the notebook."""

from pathlib import Path

import pytest
from notebooks import REAL, filled_in

from grader.executor import LocalEngine
from grader.notebook_source import as_text
from grader.submission import Entry, Submission, load

CLASSES = Path(__file__).parents[1] / "fixtures" / "submissions"
WORKS = {  # of the example classes: whole, untouched, half done, and with one mistake
    "house_prices": ("ada", "ben", "chloe", "kofi"),
    "image_classification": ("amara", "bao", "carlos", "ivo", "kira", "luis"),
    "stock_forecasting": ("aino", "bilal", "chiara", "ida", "keiko", "lars"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKS)
def test_a_notebook_gets_what_its_files_get(name, tmp_path):
    assignment = REAL.assignment(name)
    works = {}
    for student in WORKS[name]:
        folder = CLASSES / name / student
        texts = {file: (folder / file).read_text("utf-8") for file in assignment.files}
        handed_in = tmp_path / f"{student}.ipynb"
        handed_in.write_text(as_text(filled_in(name, texts)), "utf-8")
        as_notebook = load(Entry(student, handed_in), assignment)
        assert as_notebook.notes == ()
        works[student] = (
            Submission(student, {file: text.encode() for file, text in texts.items()}, student),
            as_notebook,
        )
    with LocalEngine(REAL, assignment, seed=5, jobs=2) as engine:
        engine.wait_ready()
        jobs = {student: [engine.submit(work) for work in both] for student, both in works.items()}
        results = {student: [job.result() for job in both] for student, both in jobs.items()}
    scores = {}
    for student, (as_files, as_notebook) in results.items():
        told = [[(check.name, check.status, check.points) for check in r.checks] for r in (as_files, as_notebook)]
        assert told[0] == told[1], student
        scores[student] = as_files.score + as_files.bonus
    whole, untouched, half, *mistaken = scores.values()
    assert (whole, untouched) == (110, 0)
    assert 0 < half < 100
    assert all(0 < score < 110 for score in mistaken)
