"""The pytest plugin: finds checks, gives them their fixtures, and turns outcomes into results.

It stays out of the way of tests that are not declared with `@check`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # importing these takes seconds that other projects' tests should not pay
    import numpy as np

    from grader.suite.checks import Run
    from grader.suite.gauge import Gauge
    from grader.suite.student import Student


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of authors and students."""
    group = parser.getgroup("grader", "assignments")
    group.addoption("--in-process", action="store_true", help="run hidden suites on solutions/, without a sandbox")
    group.addoption("--submission", type=Path, help="run hidden suites on this folder instead of solutions/<name>")
    group.addoption("--draw", type=int, metavar="SEED", help="seed of what the checks draw at random (default: fresh)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every check its desk, and put checks into the order of their tasks."""
    marked = [item for item in items if isinstance(item, pytest.Function) and hasattr(item.function, "__check__")]
    if marked:
        from grader.results import new_seed
        from grader.suite.desks import seat_items

        seed = config.getoption("--draw")
        others = [item for item in items if item not in marked]
        seat_items(config, marked, new_seed() if seed is None else seed)
        items[:] = [*others, *marked]


@pytest.fixture
def run(request: pytest.FixtureRequest) -> "Run":
    """The grading run: seed, thresholds, fixture folder."""
    from grader.suite.runner import DESK

    return request.node.stash[DESK].run


@pytest.fixture
def thresholds(run: "Run") -> dict[str, float]:
    """The thresholds that `assignment.toml` declares."""
    return dict(run.thresholds)


@pytest.fixture
def gauge(request: pytest.FixtureRequest) -> "Gauge":
    """Compares what this check measured with a line, and keeps both for the result."""
    from grader.suite.gauge import Gauge
    from grader.suite.runner import DESK, NAME

    return Gauge(request.node.stash[DESK].readings[request.node.stash[NAME]])


@pytest.fixture
def rng(request: pytest.FixtureRequest, run: "Run") -> "np.random.Generator":
    """A random generator of this check's own."""
    from grader.suite.runner import NAME

    return run.rng(request.node.stash[NAME])


@pytest.fixture
def student(request: pytest.FixtureRequest, run: "Run") -> "Student":
    """The submission under test, with nothing left over from the check before."""
    from grader.suite.runner import DESK, NAME
    from grader.suite.scoreboard import DESKS

    desk = request.node.stash[DESK]
    for other in request.config.stash.get(DESKS, {}).values():
        if other is not desk:
            other.close()  # its modules have the same names: train, bonus, …
    sitting = desk.sit()
    if desk.album is not None:
        desk.album.begin(request.node.stash[NAME])
    sitting.fresh(int(run.rng(request.node.stash[NAME] + "/worker").integers(2**31)))
    return sitting


@pytest.fixture
def on_stand_ins(request: pytest.FixtureRequest, student: "Student") -> "Student":
    """The student, some of whose tasks are played by the suite's own `stand_ins/*.py`: a later task loses nothing for an
    earlier one."""
    from grader.suite.recipes import stand_in

    for path in sorted((request.path.parent / "stand_ins").glob("*.py")):
        student.make(stand_in(path.stem, path.read_text("utf-8")))
    return student


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> "pytest.TestReport | None":
    """A check's own report: pytest's would spend longer on a traceback through the suite than the check took."""
    from grader.suite.reports import report_of
    from grader.suite.runner import DESK, NAME

    desk = item.stash.get(DESK, None)
    if desk is None:
        return None
    error = call.excinfo.value if call.excinfo else None
    result = None
    if call.when == "call" or (call.when == "setup" and error is not None):
        result = desk.note(item.stash[NAME], error, call.duration)
    if error is not None and result is None:
        return None  # the suite's own mistake deserves its traceback
    return report_of(item, call, result, desk.rubric.checks[item.stash[NAME]])


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """An unwritten task is *to do*, in a letter, a word and the closing count."""
    if getattr(report, "to_do", False) and report.when != "teardown":
        return "to do", "-", "TO DO"
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The scoreboard of each folder of checks."""
    from grader.suite.scoreboard import DESKS, write_scoreboard

    for desk in config.stash.get(DESKS, {}).values():
        write_scoreboard(terminalreporter, desk)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of the students' modules."""
    from grader.suite.scoreboard import DESKS

    for desk in config.stash.get(DESKS, {}).values():
        desk.close()
