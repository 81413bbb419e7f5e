"""Gradescope's way with a submission, for real: the zip unpacked into its folders, and its own grader run there."""

import json
import re
import zipfile

import pytest
from gradescope_container import Container, write_gradescope_course
from tiny_course import RIGHT
from typer.testing import CliRunner

from grader.cli import app
from grader.gradescope import pack


@pytest.fixture(scope="module")
def container(tmp_path_factory) -> Container:
    course = write_gradescope_course(tmp_path_factory.mktemp("course"))
    archive = pack(course, "tiny").write(tmp_path_factory.mktemp("packed") / "autograder.zip")
    return Container(tmp_path_factory.mktemp("gradescope") / "autograder", archive)


def test_a_right_submission_gets_all_points(container):
    ended = container.run(RIGHT)
    assert ended.returncode == 0, ended.stderr
    found = container.results()
    assert found["score"] == 10
    assert [test["name"] for test in found["tests"]] == [
        "total adds",
        "a Counter counts",
        "an odd word is refused",
        "draws numbers",
    ]
    assert {test["status"] for test in found["tests"]} == {"passed"}
    assert {test["visibility"] for test in found["tests"]} == {"visible"}
    assert found["stdout_visibility"] == "hidden"
    assert re.match(r"seed \d+ · sandbox (namespaces|landlock)", ended.stdout)


@pytest.mark.slow
def test_a_terms_seed_is_tried_before_the_zip_is_written(tmp_path):
    course = write_gradescope_course(tmp_path / "course")
    (course.root / "course.toml").write_text("seed = 5\n")
    solution = course.solution("tiny") / "sums.py"
    right = solution.read_text()
    words = ["gradescope", "tiny", "--out", str(tmp_path / "a.zip"), "--course", str(course.root)]
    solution.write_text(right.replace("sum(values)", "sum(values) + 1"))
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 1
    assert "with the seed 5 of course.toml the solution itself does not pass sums.adds" in refused.stderr
    assert not (tmp_path / "a.zip").exists()
    solution.write_text(right)
    assert CliRunner().invoke(app, words).exit_code == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        assert opened.read("run_autograder").endswith(b" tiny --visibility visible --seed 5\n")


@pytest.mark.slow
def test_a_wrong_submission_loses_what_it_must_and_is_told_hints_alone(container):
    loud = "print('the student speaks')\n" + RIGHT["sums.py"].replace("float(sum(values))", "41.5")
    ended = container.run({"sums.py": loud})
    assert ended.returncode == 0, ended.stderr
    found = container.results()
    assert found["score"] == 4
    assert [test["status"] for test in found["tests"]] == ["failed", "passed", "passed", "failed"]
    told = json.dumps(found) + ended.stdout + ended.stderr
    assert "sum()" in told
    assert not [word for word in ("41.5", "the student speaks", "normal", "Lovelace") if word in told]


@pytest.mark.slow
def test_late_work_keeps_its_points(container):
    """METADATA says that it is late: what that costs is Gradescope's to settle."""
    container.run({"sums.py": RIGHT["sums.py"]})
    assert container.results()["score"] == 6


@pytest.mark.slow
def test_an_empty_submission_gets_a_zero_with_its_reason(container):
    ended = container.run({})
    assert ended.returncode == 0, ended.stderr
    found = container.results()
    assert found["score"] == 0
    assert "found nothing" in found["output"]
    assert found["tests"][0]["name"] == "total adds"


@pytest.mark.slow
def test_a_submission_cannot_read_the_suite_nor_write_its_result(container):
    prying = f"""
import os
seen = []
for root in ({str(container.root)!r}, {str(container.root / "source")!r}):
    for folder, _, names in os.walk(root):
        seen += [os.path.join(folder, name) for name in names if "hidden" in folder or name.startswith("test_")]
for path in [{str(container.root / "source/course/tests/hidden/tiny/test_sums.py")!r}, *seen]:
    try:
        raise SystemExit("found " + open(path).read())
    except OSError:
        pass
for path in ({str(container.root / "results/results.json")!r}, {str(container.root / "run_autograder")!r}):
    try:  # it may have a folder of that name to itself, on no disk
        open(path, "w").write('{{"score": 100}}')
    except OSError:
        pass
"""
    ended = container.run({"sums.py": prying + RIGHT["sums.py"]})
    assert ended.returncode == 0, ended.stderr
    assert container.results()["score"] == 6  # it came to its end: nothing was found
    assert (container.root / "run_autograder").read_bytes() == (container.root / "source/run_autograder").read_bytes()


@pytest.mark.slow
def test_a_fault_of_the_grader_is_no_zero(container):
    """No results.json and another exit code than 0, also where an earlier run left one: Gradescope shows a failure."""
    container.run(RIGHT)
    suite = container.root / "source/course/tests/hidden/tiny/test_sums.py"
    text = suite.read_text()
    try:
        suite.write_text("raise RuntimeError('the suite is broken')\n" + text)
        ended = container.run(RIGHT)
    finally:
        suite.write_text(text)
    assert ended.returncode == 1
    assert list((container.root / "results").iterdir()) == []
    assert "failed, which is no zero; run the autograder again" in ended.stderr


@pytest.mark.slow
def test_an_answer_that_a_check_cannot_use_costs_that_check(container):
    """The suite of the tiny course stumbles over this very answer, and that is no fault of ours."""
    breaking = RIGHT["sums.py"].replace(
        "return float(sum(values))", "return 'break the suite' if values == [7] else sum(values)"
    )
    ended = container.run({"sums.py": breaking, "draws.py": RIGHT["draws.py"]})
    assert ended.returncode == 0, ended.stderr
    found = container.results()
    breaks = found["tests"][2]
    assert (breaks["score"], breaks["status"]) == (0, "failed")
    assert breaks["output"].startswith("What came back could not be used.")
    assert [test["score"] for test in found["tests"][1::2]] == [3, 4]
    assert "KeyError" not in json.dumps(found) + ended.stdout + ended.stderr
