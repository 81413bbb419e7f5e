"""docs/walkthrough.md as an instructor follows it: every command in its order, and what it leaves read back by others."""

import csv
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from test_readme import TEXTS, commands_in

ROOT = Path(__file__).parents[1]
COMMANDS = commands_in(TEXTS["docs/walkthrough.md"])
COLUMNS = {
    "house_prices": ("to_canvas_1.csv", "House prices (101)"),
    "image_classification": ("to_canvas_2.csv", "Image classification (102)"),
    "stock_forecasting": ("to_canvas_3.csv", "Stock forecasting (103)"),
}


def expected(name: str) -> dict[str, dict]:
    return json.loads((ROOT / "fixtures" / "submissions" / name / "expected.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """The results of all commands, in a folder of the test's own."""
    folder = tmp_path_factory.mktemp("walk") / "results"
    folder.mkdir()
    for command in COMMANDS:
        program, *words = shlex.split(command.removeprefix("uv run "))
        words = [f"{folder}/{word.removeprefix('results/')}" if word.startswith("results/") else word for word in words]
        ended = subprocess.run(
            [Path(sys.executable).with_name(program), *words],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "160"},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", COLUMNS)
def test_canvas_gets_the_mark_of_everybody_who_has_one(out, name):
    file, column = COLUMNS[name]
    with (out / file).open(encoding="utf-8", newline="") as opened:
        rows = {row["SIS Login ID"]: row[column] for row in csv.DictReader(opened) if row["ID"]}
    everybody = {student for one in COLUMNS for student in expected(one)}
    assert rows.keys() == everybody
    wanted = {who: one["score"] + one["bonus"] for who, one in expected(name).items() if one["status"] == "graded"}
    assert {who: float(rows[who]) for who in wanted} == wanted
    invalid = [who for who, one in expected(name).items() if one["status"] == "invalid"]
    assert {rows[who] for who in invalid} == {"0"}
    assert {rows[who] for who in everybody - expected(name).keys()} == {""}


@pytest.mark.slow
@pytest.mark.parametrize("name", COLUMNS)
def test_there_is_a_page_of_the_class_and_one_for_each_student_with_figures_of_their_own(out, name):
    report = out / name / "report"
    table = BeautifulSoup((report / "index.html").read_text("utf-8"), "html.parser").get_text(" ")
    for student in expected(name):
        assert student in table
    pages = {
        path.stem: BeautifulSoup(path.read_text("utf-8"), "html.parser") for path in report.glob("students/*.html")
    }
    assert len(pages) == len(expected(name))
    solved = [who for who, one in expected(name).items() if one["score"] == 100 and who in pages]
    assert solved
    for who in solved:
        assert len(pages[who].select("figure svg, figure img")) >= 2, who


@pytest.mark.slow
def test_one_mark_of_three_says_who_lacks_which(out):
    with (out / "totals.csv").open(encoding="utf-8", newline="") as opened:
        rows = {row["student"]: row for row in csv.DictReader(opened)}
    assert len(rows) == len({student for name in COLUMNS for student in expected(name)})
