"""What the terminal shows of checks: one readable message for each failure, and a scoreboard for each task."""

import re
import shutil
import textwrap
from collections.abc import Sequence
from math import floor

import pytest

from grader.course import Task
from grader.results import CheckResult, CheckStatus
from grader.suite.checks import Check
from grader.suite.runner import Desk

DESKS = pytest.StashKey[dict]()
LABEL = 10  # width of "Expected: " and its like
NARROWEST, WIDEST = 60, 110
MOST_FIGURES = 4
TO_DO = "NotImplementedError: "

UNREADABLE = "Python cannot import this file: that comes first, whatever the check asks."
SLOW_IMPORT = "Importing this file took too long: is the machine busy? An import must neither train nor load data."
BROKEN = re.compile(
    r"^importing .* raised \w*(?:Syntax|Indentation|Tab)Error: .*\((?P<file>\w+\.py), line (?P<line>\d+)\)"
)

# What reaches a student as the name of an exception of pytest's or of ours is said in words.
IN_WORDS = {
    r"raised Failed: Timeout \(>(\d+)(?:\.0)?s\) from pytest-timeout\.": r"was still running after \1 s: stopped",
    r" raised RankFailed: ": ": ",
}


def plain_report(report: pytest.TestReport, result: CheckResult | None, check: Check) -> pytest.TestReport:
    """Replace a traceback through the suite by the check's own words; an unwritten task is *to do*, not a failure."""
    if result is None or result.status is CheckStatus.PASSED:
        return report
    report.when = "call"  # a fixture that calls the student's code is a part of the check: no "error at setup"
    if result.status is CheckStatus.NOT_IMPLEMENTED:
        report.outcome = "skipped"
        vars(report).update(to_do=True)
        report.longrepr = (str(report.location[0]), report.location[1] or 0, f"to do: {check.title}")
        return report
    vars(report).update(said_in_words=True)
    report.longrepr = _message(result, check)
    return report


def _message(result: CheckResult, check: Check) -> str:
    """Title, facts and hint, wrapped to the terminal with the facts beside their labels."""
    detail = result.detail
    for pattern, words in IN_WORDS.items():
        detail = re.sub(pattern, words, detail)
    advice = check.hint
    if detail.startswith("importing "):
        advice = SLOW_IMPORT if "still running" in detail else UNREADABLE
    hint = [f"{'Hint:':<{LABEL}}{advice}"]
    if result.status is CheckStatus.NOT_RUN:
        hint = []
    facts = detail if detail.startswith("Rule:") else f"{'Got:':<{LABEL}}{detail}"
    width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)
    lines = [check.title, ""]
    for line in [*facts.splitlines(), *hint]:
        labelled = re.match(r"(Rule|Case|Expected|Got|Hint):\s", line)
        indent = "" if labelled else " " * LABEL
        lines += textwrap.wrap(
            line,
            width,
            initial_indent=indent,
            subsequent_indent=" " * LABEL,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines) + "\n"


def write_scoreboard(reporter: pytest.TerminalReporter, desk: Desk) -> None:
    """A mark for each check, a line and the points so far for each task, and what to do next."""
    if not desk.results:
        return
    _leave_out_of_short_summary(reporter)
    assignment = desk.rubric.assignment
    reporter.write_sep("=", assignment.title, bold=True)
    write_tasks(reporter, desk, assignment.task)
    reporter.write_line("✓ passes   ✗ does not   · is not written yet", light=True)
    if all(_is_whole(desk, task) for task in assignment.task):
        write_points(reporter, desk)
    in_order = [result for task in assignment.task for result in _results(desk, task)]
    if desk.fault is not None:
        name = str(desk.fault).partition(":")[0]
        reporter.write_line(f"{name} has no verdict: it was stopped, or failed by itself. Run it again.", bold=True)
    reporter.write_line(next_step(in_order, all_told=desk.fault is None), bold=True)
    if desk.album is not None:
        reporter.flush()  # drawing takes longer than many a round of checks
        saved = desk.album.save()
        if saved:
            reporter.write_line(f"Look at what your code drew: {_shortened(saved)}")


def write_tasks(reporter: pytest.TerminalReporter, desk: Desk, tasks: Sequence[Task]) -> None:
    """A line for each of these tasks that a check was run of."""
    width = max((len(_results(desk, task)) for task in desk.rubric.assignment.task), default=0)
    for task in tasks:
        results = _results(desk, task)
        if not results:
            continue
        reporter.write(f"{task.label:<7} {task.file:<14} ")
        for result in results:
            mark, colour = _mark(result.status)
            reporter.write(mark, **{colour: True})
        to_do = all(result.status is CheckStatus.NOT_IMPLEMENTED for result in results)
        state = "to do" if to_do else f"{_passed(results)} of {len(results)}"
        gap = " " * (width - len(results))
        reporter.write_line(f"{gap}  {state:<8} {_worth(desk, task)}: {task.title}")


def write_points(reporter: pytest.TerminalReporter, desk: Desk) -> None:
    """What the work would get if the hidden checks found what the self-checks found; these give no points themselves."""
    tasks = desk.rubric.assignment.task
    plain, bonus = (floor(sum(points_so_far(desk, t) for t in tasks if t.bonus is kind)) for kind in (False, True))
    extra = f" and {bonus} of {desk.rubric.assignment.bonus:g} bonus points" if desk.rubric.assignment.bonus else ""
    reporter.write_line(
        f"So far about {plain} of {desk.rubric.assignment.points:g} points{extra}, if the hidden checks, which alone give "
        "points, agree with these."
    )


def points_so_far(desk: Desk, task: Task) -> float:
    """The part of a task's points that its self-checks pass: an estimate."""
    results = _results(desk, task)
    return task.points * _passed(results) / len(results) if results else 0.0


def _worth(desk: Desk, task: Task) -> str:
    if not _is_whole(desk, task):
        return f"worth {task.points:g} points"
    return f"about {floor(points_so_far(desk, task))} of {task.points:g} points"


def _results(desk: Desk, task: Task) -> list[CheckResult]:
    return [desk.results[name] for name in desk.rubric.checks if name in desk.results and _is_of(name, task)]


def _is_whole(desk: Desk, task: Task) -> bool:
    """Whether all of its self-checks were run: a part of them says nothing of the task's points."""
    return len(_results(desk, task)) == sum(_is_of(name, task) for name in desk.rubric.checks)


def _is_of(check: str, task: Task) -> bool:
    return check.partition(".")[0] == task.name


def _passed(results: Sequence[CheckResult]) -> int:
    return sum(result.status is CheckStatus.PASSED for result in results)


def _shortened(saved: Sequence[str]) -> str:
    return ", ".join(saved[:MOST_FIGURES]) + (f" and {len(saved) - MOST_FIGURES} more" if saved[MOST_FIGURES:] else "")


def _mark(status: CheckStatus) -> tuple[str, str]:
    match status:
        case CheckStatus.PASSED:
            return "✓", "green"
        case CheckStatus.NOT_IMPLEMENTED:
            return "·", "light"
    return "✗", "red"


def next_step(results: Sequence[CheckResult], *, all_told: bool = True) -> str:
    """What to do first: mend what does not pass, then write what is not written yet; `all_told` if each has a verdict."""
    open_ends = [result for result in results if result.status is not CheckStatus.PASSED]
    for result in open_ends:
        if broken := BROKEN.search(result.detail):
            return (
                f"Next: mend {broken['file']}, line {broken['line']}: Python cannot read it, and what imports it waits."
            )
        if result.status is not CheckStatus.NOT_IMPLEMENTED:
            return f"Next: {result.task}.py: {result.title} (pytest -k {result.name.partition('.')[2]})"
    for result in open_ends:
        return f"Next: {result.detail.partition(TO_DO)[2] or result.title}"
    if not all_told:
        return "All other checks pass."
    return "All of these checks pass. The hidden ones look closer: read the handout once more."


def _leave_out_of_short_summary(reporter: pytest.TerminalReporter) -> None:
    """The scoreboard says which checks fail; pytest still counts them in its last line, under a name of their own."""
    failed = reporter.stats.get("failed", [])
    ours = [report for report in failed if getattr(report, "said_in_words", False)]
    if ours:
        reporter.stats["failed"] = [report for report in failed if report not in ours]
        reporter.stats["to fix"] = ours
