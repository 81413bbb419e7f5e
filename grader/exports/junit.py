"""JUnit's XML: a suite for each student, a case for each check, for whatever shows the results of tests.

A check that did not pass is a failure; one that came to no proper end (out of time, ended, unusable) is an error; one that
could not be run is skipped. An entry that is no submission, and one that the grader failed on, has one more case that says
so, as an error: nobody should take it for green.

Source: https://github.com/testmoapp/junitxml
"""

from collections import Counter
from xml.etree import ElementTree as ET

from grader.exports.gradescope import OUTCOMES
from grader.exports.marks import Mark, Marks
from grader.exports.texts import line, plain, points
from grader.results import CheckResult, CheckStatus, SubmissionStatus

ENDS = {
    CheckStatus.FAILED: "failure",
    CheckStatus.NOT_IMPLEMENTED: "failure",
    CheckStatus.UNUSABLE: "error",
    CheckStatus.TIMEOUT: "error",
    CheckStatus.CRASHED: "error",
    CheckStatus.NOT_RUN: "skipped",
}
COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def junit(marks: Marks) -> bytes:
    """The XML of a class; times are in seconds."""
    root = ET.Element("testsuites", name=line(marks.assignment))
    for mark in marks.marks:
        root.append(_suite(mark))
    _count(root, [suite.attrib for suite in root])
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _suite(mark: Mark) -> ET.Element:
    result = mark.result
    suite = ET.Element("testsuite", name=line(mark.student) or "-")
    facts = {"status": result.status.value, "final": points(mark.final), "max_score": points(result.max_score)}
    properties = ET.SubElement(suite, "properties")
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=value)
    if result.status is not SubmissionStatus.GRADED:
        case = ET.SubElement(suite, "testcase", classname=line(result.assignment), name="submission", time="0")
        _end(case, "error", result.status.value, result.message)
    for check in result.checks:
        suite.append(_case(check, result.assignment))
    cases = suite.findall("testcase")
    counts = Counter(COUNTED[end.tag] for case in cases for end in case)
    _count(
        suite, [{"tests": str(len(cases)), "time": f"{result.seconds:.3f}", **{k: str(v) for k, v in counts.items()}}]
    )
    return suite


def _case(check: CheckResult, assignment: str) -> ET.Element:
    where = line(f"{assignment}.{check.task}")
    name = line(f"{check.name.removeprefix(f'{check.task}.')}: {check.title}")
    case = ET.Element("testcase", classname=where, name=name, time=f"{check.seconds:.3f}")
    if check.status is not CheckStatus.PASSED:
        _end(case, ENDS[check.status], check.status.value, check.message or OUTCOMES[check.status])
    return case


def _end(case: ET.Element, tag: str, kind: str, message: str) -> None:
    told = {"message": line(message)}
    end = ET.SubElement(case, tag, told if tag == "skipped" else {**told, "type": kind})
    end.text = plain(message)


def _count(element: ET.Element, parts: list[dict[str, str]]) -> None:
    for name in ("tests", "failures", "errors", "skipped"):
        element.set(name, str(sum(int(part.get(name, 0)) for part in parts)))
    element.set("time", f"{sum(float(part.get('time', 0)) for part in parts):.3f}")
