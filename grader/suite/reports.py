"""pytest's reports of checks, made without the traceback that pytest would write of the suite's own code."""

import pytest

from grader.results import CheckResult
from grader.suite.checks import Check
from grader.suite.scoreboard import plain_report


def report_of(item: pytest.Item, call: pytest.CallInfo, result: CheckResult | None, check: Check) -> pytest.TestReport:
    """The report of one phase of a check; `result` is None for a phase that decides nothing."""
    assert call.when != "collect"  # a check is collected by now
    report = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=dict.fromkeys(item.keywords, 1),
        outcome="failed" if call.excinfo else "passed",
        longrepr=None,
        when=call.when,
        duration=call.duration,
        sections=[(f"Captured {key} {when}", text) for when, key, text in item._report_sections],
        start=call.start,
        stop=call.stop,
    )
    return plain_report(report, result, check)
