"""From Canvas' download to Canvas' gradebook: intake, grade, export, by the real commands; only the marking is made up."""

import csv
import io
from pathlib import Path

import pytest
from downloads import TRAIN, zipped
from test_cli import FakeEngine
from typer.testing import CliRunner

import grader.executor
from grader.cli import app

ROOT = Path(__file__).parents[1]


@pytest.fixture
def command(monkeypatch):
    """Run a command inside the repository; gives exit code, output and errors together."""
    monkeypatch.setattr(grader.executor, "LocalEngine", FakeEngine)
    monkeypatch.chdir(ROOT)

    def run(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert "Traceback" not in done.output
        return done.exit_code, done.output

    return run


def test_from_canvas_to_canvas(command, tmp_path):
    download = zipped(
        tmp_path / "submissions.zip",
        {
            "lovelaceada_4711_99001_train-1.py": TRAIN,
            "kimben_LATE_4712_99002_train.py": TRAIN,
            "gone_4713_99003_train.py": TRAIN,
            "wronglynamed_4714_99004_x.txt": b"",
        },
    )
    out, results, roster = tmp_path / "class", tmp_path / "results", tmp_path / "Grades.csv"
    roster.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,House prices: a linear model through Accelerate (77)\n"
        "    Points Possible,,,,,100\n"
        '"Lovelace, Ada",4711,s1,ada,A,\n"Kim, Ben",4712,s2,ben,A,50\n'
        '"Named, Wrongly",4714,s3,w,A,\n"Nothing, Eve",4715,s4,eve,A,\n'
    )
    assert command("intake", download, "--out", out)[0] == 0
    assert command("grade", "house_prices", out, "--out", results)[0] == 0
    students = tmp_path / "class.students.csv"
    code, words = command("export", "canvas", results, "--roster", roster, "--students", students)
    assert code == 1, "gone's mark goes nowhere"
    assert "gone_4713 (gone) is in no row of the roster" in words
    assert "1 student handed in late as the platform says, and nothing is taken off for it: kimben_4712" in words
    assert "without a mark, an empty cell: 1 of 4 in the roster: Nothing, Eve" in words
    text = (results / "exports" / "house_prices-canvas.csv").read_text()
    rows = {row["ID"]: row for row in csv.DictReader(io.StringIO(text))}
    column = "House prices: a linear model through Accelerate (77)"
    assert {number: row[column] for number, row in rows.items()} == {
        "": "100",
        "4711": "2",
        "4712": "2",
        "4714": "0",
        "4715": "",
    }
    assert "are they one?" not in words
