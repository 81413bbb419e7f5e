"""What the terminal shows of checks: one readable message for each failure, and a scoreboard for each task."""

import pytest

from grader.results import CheckResult, CheckStatus
from grader.suite.checks import Check
from grader.suite.runner import Desk

DESKS = pytest.StashKey[dict]()
BAR = 20


def plain_report(report: pytest.TestReport, result: CheckResult | None, check: Check) -> pytest.TestReport:
    """Replace a traceback through the suite by the check's own words; an unwritten task is *to do*, not a failure."""
    if result is None or result.status is CheckStatus.PASSED:
        return report
    if result.status is CheckStatus.NOT_IMPLEMENTED:
        report.outcome, report.to_do = "skipped", True
        report.longrepr = (str(report.location[0]), report.location[1] or 0, f"to do: {check.title}")
        return report
    detail = (
        result.detail
        if result.detail.startswith("Rule:")
        else f"{'Rule:':<10}{check.title}\n{'Got:':<10}{result.detail}"
    )
    report.longrepr = f"{check.title}\n\n{detail}\n{'Hint:':<10}{check.hint}\n"
    return report


def write_scoreboard(reporter: pytest.TerminalReporter, desk: Desk) -> None:
    """A line for each task: how many of its checks pass, and what to do next."""
    if not desk.results:
        return
    reporter.section(desk.rubric.assignment.title)
    next_step = ""
    for task in desk.rubric.assignment.task:
        results = [result for result in desk.results.values() if result.task == task.name]
        if not results:
            continue
        passed = sum(result.status is CheckStatus.PASSED for result in results)
        to_do = all(result.status is CheckStatus.NOT_IMPLEMENTED for result in results)
        bar = "█" * round(BAR * passed / len(results))
        state = "to do" if to_do else f"{passed} of {len(results)} checks"
        points = f"{task.points:g} points"
        reporter.write_line(f"{task.label:<7} {task.file:<15} {bar:<{BAR}} {state:<16} {points:>10}  {task.title}")
        if not next_step and passed < len(results):
            first = next(result for result in results if result.status is not CheckStatus.PASSED)
            next_step = f"Next: {task.file}: {first.title}"
    reporter.write_line(
        next_step or "All of these checks pass. The hidden ones look closer: read the handout once more."
    )
