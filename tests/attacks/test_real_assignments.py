"""Cheating submissions to the real assignments, by the real command: a wrong answer keeps no point."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from attacks.cheats import ASSIGNMENTS, CHEATS, Cheat, as_files, points_of, solution
from attacks.field import GRADER, ROOT, write_files

from grader.results import CheckStatus, SubmissionResult, SubmissionStatus

NEIGHBOUR = "honest-neighbour"
SEED, LONGEST_RUN_SECONDS = 1907, 1800
EVERY = [
    *(pytest.param(name, cheat, id=f"{name}-{cheat.name}") for name in ASSIGNMENTS for cheat in CHEATS[name]),
    *(pytest.param(name, None, id=f"{name}-{NEIGHBOUR}") for name in ASSIGNMENTS),
]

Results = Mapping[str, SubmissionResult]


@pytest.fixture(scope="module")
def results(request, tmp_path_factory) -> Callable[[str], Results]:
    """What the cheats that were asked for got; one run for each assignment."""
    asked, known = [item.callspec.params for item in request.session.items if "cheat" in _parameters(item)], {}

    def of(assignment: str) -> Results:
        if assignment not in known:
            cheats = [params["cheat"] for params in asked if params["assignment"] == assignment]
            known[assignment] = graded(assignment, cheats, tmp_path_factory.mktemp(assignment))
        return known[assignment]

    return of


def _parameters(item: pytest.Item) -> Mapping[str, object]:
    return getattr(getattr(item, "callspec", None), "params", {})


def graded(assignment: str, cheats: list[Cheat | None], folder: Path) -> Results:
    """The cheats and an honest neighbour, graded by the real command."""
    write_files(folder / "class" / NEIGHBOUR, as_files(solution(assignment)))
    for cheat in filter(None, cheats):
        write_files(folder / "class" / cheat.name, cheat.files)
    command = [GRADER, "grade", assignment, "class", "--course", str(ROOT), "--out", "out", "--seed", str(SEED)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_RUN_SECONDS, cwd=folder)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    records = [SubmissionResult.from_json(path.read_bytes()) for path in (folder / "out" / "results").glob("*.json")]
    return {record.student: record for record in records}


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(LONGEST_RUN_SECONDS)
@pytest.mark.parametrize(("assignment", "cheat"), EVERY)
def test_a_wrong_answer_keeps_no_point(results, assignment: str, cheat: Cheat | None) -> None:
    """A cheat gets what its honest part is worth; its neighbour gets everything."""
    result, worth = results(assignment)[cheat.name if cheat else NEIGHBOUR], points_of(assignment)
    deserved = cheat.honest if cheat else set(worth)
    passed = {check.name for check in result.checks if check.status is CheckStatus.PASSED}
    assert result.status is SubmissionStatus.GRADED, result.message
    assert sorted(passed - deserved) == [], "passed, and not deserved"
    assert {check.name: check.detail for check in result.checks if check.name in deserved - passed} == {}
    assert result.score + result.bonus == sum(worth[name] for name in deserved)
