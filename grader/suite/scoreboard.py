"""What the terminal shows of checks: one readable message for each failure, and a scoreboard for each task."""

import re
import shutil
import textwrap

import pytest

from grader.results import CheckResult, CheckStatus
from grader.suite.checks import Check
from grader.suite.runner import Desk

DESKS = pytest.StashKey[dict]()
LABEL = 10  # width of "Expected: " and its like
NARROWEST, WIDEST = 60, 110
TO_DO = "NotImplementedError: "

UNREADABLE = "Python cannot import this file: that comes first, whatever the check asks."

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
        report.outcome, report.to_do = "skipped", True
        report.longrepr = (str(report.location[0]), report.location[1] or 0, f"to do: {check.title}")
        return report
    report.said_in_words = True
    report.longrepr = _message(result, check)
    return report


def _message(result: CheckResult, check: Check) -> str:
    """Title, facts and hint, wrapped to the terminal with the facts beside their labels."""
    detail = result.detail
    for pattern, words in IN_WORDS.items():
        detail = re.sub(pattern, words, detail)
    hint = [f"{'Hint:':<{LABEL}}{UNREADABLE if detail.startswith('importing ') else check.hint}"]
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
    """A mark for each check, a line for each task, and what to do next."""
    if not desk.results:
        return
    _leave_out_of_short_summary(reporter)
    tasks = desk.rubric.assignment.task
    by_task = {task.name: [result for result in desk.results.values() if result.task == task.name] for task in tasks}
    width = max(map(len, by_task.values()))
    reporter.write_sep("=", desk.rubric.assignment.title, bold=True)
    for task in tasks:
        results = by_task[task.name]
        if not results:
            continue
        reporter.write(f"{task.label:<7} {task.file:<14} ")
        for result in results:
            mark, colour = _mark(result.status)
            reporter.write(mark, **{colour: True})
        passed = sum(result.status is CheckStatus.PASSED for result in results)
        to_do = all(result.status is CheckStatus.NOT_IMPLEMENTED for result in results)
        state = "to do" if to_do else f"{passed} of {len(results)}"
        gap = " " * (width - len(results))
        reporter.write_line(f"{gap}  {state:<8} worth {task.points:g} points: {task.title}")
    reporter.write_line("✓ passes   ✗ does not   · is not written yet", light=True)
    reporter.write_line(_next_step([result for results in by_task.values() for result in results]), bold=True)


def _mark(status: CheckStatus) -> tuple[str, str]:
    match status:
        case CheckStatus.PASSED:
            return "✓", "green"
        case CheckStatus.NOT_IMPLEMENTED:
            return "·", "light"
    return "✗", "red"


def _next_step(results: list[CheckResult]) -> str:
    for result in results:
        if result.status is CheckStatus.NOT_IMPLEMENTED:
            return f"Next: {result.detail.partition(TO_DO)[2] or result.title}"
        if result.status is not CheckStatus.PASSED:
            return f"Next: {result.task}.py: {result.title} (pytest -k {result.name.partition('.')[2]})"
    return "All of these checks pass. The hidden ones look closer: read the handout once more."


def _leave_out_of_short_summary(reporter: pytest.TerminalReporter) -> None:
    """The scoreboard says which checks fail; pytest still counts them in its last line, under a name of their own."""
    failed = reporter.stats.get("failed", [])
    ours = [report for report in failed if getattr(report, "said_in_words", False)]
    if ours:
        reporter.stats["failed"] = [report for report in failed if report not in ours]
        reporter.stats["to fix"] = ours
