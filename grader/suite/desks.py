"""Where collected checks belong: a hidden suite in `tests/hidden/<name>`, or the self-checks beside a student's files."""

import importlib
from pathlib import Path

import pytest

from grader.course import Assignment, Course, read_assignment
from grader.errors import UsageError
from grader.suite.album import Album
from grader.suite.checks import Check, Rubric, Run
from grader.suite.in_process import student_in
from grader.suite.runner import DESK, NAME, Desk
from grader.suite.scoreboard import DESKS

SECONDS_OF_A_HUNG_SELF_CHECK = 30


def seat_items(config: pytest.Config, items: list[pytest.Function], seed: int) -> None:
    """Give each check its desk; one desk for each folder."""
    desks = config.stash.setdefault(DESKS, {})
    if config.pluginmanager.hasplugin("timeout"):
        # On a busy machine these take many seconds, and the first check that needs them would be stopped for it: a check
        # stopped in the midst of an import leaves half a module behind, on which all later ones fail.
        for library in ("torch._dynamo", "accelerate", "matplotlib.pyplot", "pandas"):
            importlib.import_module(library)
    for folder in dict.fromkeys(item.path.parent for item in items):
        try:
            assignment = _assignment_of(folder)
            own = {_name(item, assignment): item for item in items if item.path.parent == folder}
            checks = {name: item.function.__check__ for name, item in own.items()}
            desk = _desk(config, folder, assignment, checks, seed)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        desks[folder] = desk
        for name, item in own.items():
            item.stash[DESK], item.stash[NAME] = desk, name
            item.add_marker(pytest.mark.timeout(SECONDS_OF_A_HUNG_SELF_CHECK))
        _in_rubric_order(items, own, desk)


def _in_rubric_order(items: list[pytest.Function], own: dict[str, pytest.Function], desk: Desk) -> None:
    """Tasks run in their order, in the places that the folder's checks had."""
    places = [items.index(item) for item in own.values()]
    tasks = [task.name for task in desk.rubric.assignment.task]
    ordered = sorted(own, key=lambda name: tasks.index(desk.rubric.task_of(name).name))
    for place, name in zip(places, ordered, strict=True):
        items[place] = own[name]


def _assignment_of(folder: Path) -> Assignment:
    """A student's folder has its declaration beside the self-checks, a hidden suite's is the course's."""
    if (folder / "assignment.toml").is_file():
        return read_assignment(folder / "assignment.toml")
    return Course.find(folder).assignment(folder.name)


def _name(item: pytest.Function, assignment: Assignment) -> str:
    stem = item.path.stem.removeprefix("test_").removeprefix("public_")
    task = item.function.__check__.task or _task_of(stem, assignment)
    return f"{task}.{item.originalname.removeprefix('test_')}"


def _task_of(stem: str, assignment: Assignment) -> str:
    """The task of `test_train.py`, `test_train_accelerate.py` and `test_public_train.py`: train, unless there is a task
    train_accelerate."""
    fitting = [task.name for task in assignment.task if f"{stem}_".startswith(f"{task.name}_")]
    return max(fitting, key=len, default=stem)


def _desk(config: pytest.Config, folder: Path, assignment: Assignment, checks: dict[str, Check], seed: int) -> Desk:
    if (folder / "assignment.toml").is_file():
        return _self_check_desk(folder, assignment, checks, seed)
    return hidden_desk(folder, assignment, checks, seed, config.getoption("--submission"))


def _self_check_desk(folder: Path, assignment: Assignment, checks: dict[str, Check], seed: int) -> Desk:
    """Public self-checks carry no points: the scoreboard counts them by task."""
    run, album = Run(seed, assignment, folder / "data"), Album(folder)
    modules = [task.name for task in assignment.task]
    rubric = SelfCheckRubric(assignment, checks)
    return Desk(rubric, run, lambda: student_in(folder, modules, looks=album.summarise), album=album)


def hidden_desk(
    folder: Path, assignment: Assignment, checks: dict[str, Check], seed: int, submission: Path | None = None
) -> Desk:
    """A desk for a hidden suite; tried in this process on `submission`, or on the course's solution."""
    course = Course.find(folder)
    run = Run(seed, assignment, course.fixtures(assignment.name))
    where = (submission or course.solution(assignment.name)).resolve()
    modules = [task.name for task in assignment.task]
    rubric = Rubric(assignment, {name: checks[name] for name in _rubric_order(assignment, checks)})
    return Desk(rubric, run, lambda: student_in(where, modules, shipped_recipes(folder)))


def shipped_recipes(suite: Path) -> str:
    """Source of the assignment's own recipes, of all files together, or nothing."""
    return "\n\n".join(path.read_text("utf-8") for path in sorted(suite.glob("recipes*.py")))


def _rubric_order(assignment: Assignment, checks: dict[str, Check]) -> list[str]:
    """Collected checks in the rubric's order; one without points is a mistake, one not collected was not asked for."""
    rubric = [f"{task.name}.{name}" for task in assignment.task for name in task.checks]
    unknown = sorted(set(checks) - set(rubric))
    if unknown:
        raise UsageError(f"{assignment.name}/assignment.toml gives no points to {', '.join(unknown)}: add them there.")
    return [name for name in rubric if name in checks]


class SelfCheckRubric(Rubric):
    """Every self-check counts one."""

    def points(self, name: str) -> float:
        return 1
