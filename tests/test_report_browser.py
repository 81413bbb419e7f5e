"""Pages of results in a real browser: fit for a phone, for paper, and deaf to what names and messages would have it do."""

import re
from dataclasses import replace

import numpy as np
import pytest
from chromium import CHROMIUM, POLICY, browse, seen_at
from made_up_class import assignment_of, drawn, graded, store_of

from grader.exhibits import Exhibit, ExhibitKind, Series
from grader.report import write_report
from grader.results import SubmissionResult, SubmissionStatus
from grader.submission import file_name

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)")
ASSIGNMENT = assignment_of()
OWNED = "owned"
PAYLOADS = (
    f"<script>document.title='{OWNED}'</script>",
    f'"><img src=x onerror="document.title=\'{OWNED}\'">',
    f"</title></style></script><svg onload=\"document.title='{OWNED}'\">",
    f"' autofocus onfocus='document.title=\"{OWNED}\"",
)
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 12


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of a report on a class with payloads for names, titles and messages."""
    folder, rng = tmp_path_factory.mktemp("browser"), np.random.default_rng(4)
    results = [drawn(ASSIGNMENT, f"student {number}", rng) for number in range(8)]
    loss = Exhibit("train", "Loss", ExhibitKind.LINES, (Series("training", (3.0, 2.0, 1.5)),), "epoch", "loss")
    results[0] = replace(results[0], exhibits=(loss, loss))
    for number, payload in enumerate((*PAYLOADS, LONG)):
        result = graded(ASSIGNMENT, payload, [False] * len(ASSIGNMENT.checks), message=payload)
        checks = [replace(check, title=payload, message=payload) for check in result.checks]
        results.append(replace(result, checks=checks))
        results.append(
            SubmissionResult(ASSIGNMENT.name, f"{number}{payload}", SubmissionStatus.INVALID, message=payload)
        )
    write_report(store_of(folder / "out", results, ASSIGNMENT), ASSIGNMENT, folder / "report")
    return folder / "report"


def page_of(report, student: str):
    return report / "students" / f"{file_name(student)}.html"


@pytest.mark.parametrize("student", [None, "student 0", LONG, PAYLOADS[0]], ids=["class", "student", "long", "payload"])
def test_a_phone_need_not_scroll_sideways(report, tmp_path, student):
    page = report / "index.html" if student is None else page_of(report, student)
    width, of, height = seen_at(390, page, "page.scrollWidth, page.clientWidth, page.scrollHeight", tmp_path)
    assert 370 <= of <= 390
    assert width <= of
    assert height > 1000, "the page was there"


RIGHTS = "all('{}').map((one) => one.getBoundingClientRect().right)"


@pytest.mark.parametrize("student", [None, "student 0"], ids=["class", "student"])
@pytest.mark.parametrize("width", [390, 1280])
def test_text_tiles_tables_and_rules_end_at_one_edge(report, tmp_path, student, width):
    """What is wider than the page scrolls within a box that ends there, too."""
    page = report / "index.html" if student is None else page_of(report, student)
    parts = ("h2", ".headlines", "header p, section > p", ".histogram, .plot", ".table", "table")
    of, *lists = seen_at(width, page, ", ".join(["page.clientWidth", *map(RIGHTS.format, parts)]), tmp_path)
    edge = lists[0][0]
    assert width > 390 or edge == of - 16
    for part, rights in zip(parts, lists, strict=True):
        assert rights or student is not None, part
        assert all(right > edge - 1 for right in rights), part
        assert all(right < edge + 1 for right in rights) or part == "table", part


def test_on_a_phone_points_stand_above_the_rule_of_their_heading(report, tmp_path):
    below = "all('.task h2').map((one) => one.querySelector('.tally').getBoundingClientRect().bottom"
    (beyond,) = seen_at(390, page_of(report, "student 0"), f"{below} - one.getBoundingClientRect().bottom)", tmp_path)
    assert len(beyond) == len(ASSIGNMENT.task)
    assert max(beyond) <= 0


def test_on_a_phone_titles_of_checks_have_room_and_captions_are_whole(report, tmp_path):
    widths = "all('#checks .rule').map((one) => one.clientWidth)"
    titles, captions = seen_at(390, report / "index.html", f"{widths}, {RIGHTS.format('caption')}", tmp_path)
    assert min(titles) >= 200
    assert len(captions) > 5
    assert max(captions) <= 390


@pytest.mark.parametrize("student", [None, *PAYLOADS], ids=["class", "script", "image", "svg", "focus"])
def test_no_payload_runs_even_without_the_policy(report, tmp_path, student):
    page = report / "index.html" if student is None else page_of(report, student)
    (tmp_path / "page.html").write_text(POLICY.sub("", page.read_text("utf-8")), "utf-8")
    seen = browse(tmp_path / "page.html", "--dump-dom", "--virtual-time-budget=2000", home=tmp_path / "home")
    title = re.search(r"<title>(.*?)</title>", seen, re.DOTALL)[1]
    assert title != OWNED
    assert title.endswith(ASSIGNMENT.title) or title.startswith(ASSIGNMENT.title)


@pytest.mark.parametrize("name", ["index.html", "students/student%200.html"])
def test_the_policy_alone_stops_what_would_get_in(report, tmp_path, name):
    text = (report / name).read_text("utf-8")
    through = text.replace("</body>", "".join(PAYLOADS[:3]) + "</body>")
    for policy, expected in ((False, OWNED), (True, None)):
        (tmp_path / "page.html").write_text(through if policy else POLICY.sub("", through), "utf-8")
        seen = browse(tmp_path / "page.html", "--dump-dom", "--virtual-time-budget=2000", home=tmp_path / "home")
        assert (re.search(r"<title>(.*?)</title>", seen, re.DOTALL)[1] == OWNED) is (expected == OWNED)


def test_tables_sort_and_names_are_found_under_the_policy(report, tmp_path):
    seen = browse(report / "index.html", "--dump-dom", home=tmp_path / "home")
    assert seen.count('<button type="button">') >= 20, "the policy lets the page's own script run"
    assert 'type="search"' in seen
    click = """<script>
    const head = [...document.querySelectorAll("#students thead th")];
    head.find((cell) => cell.textContent === "score").querySelector("button").click();
    const rows = [...document.querySelectorAll("#students tbody tr")];
    const scores = rows.map((row) => row.cells[1].textContent.trim());
    const field = document.querySelector("input"); field.value = "STUDENT 3"; field.dispatchEvent(new Event("input"));
    const found = rows.filter((row) => !row.hidden).map((row) => row.cells[0].textContent.trim());
    document.title = JSON.stringify([scores, found, head[1].getAttribute("aria-sort")]);</script>"""
    text = POLICY.sub("", (report / "index.html").read_text("utf-8")).replace("</body>", f"{click}</body>")
    (tmp_path / "page.html").write_text(text, "utf-8")
    seen = browse(tmp_path / "page.html", "--dump-dom", home=tmp_path / "home")
    scores, found, direction = re.search(r"<title>\[\[(.*?)\],\[(.*?)\],(.*?)\]</title>", seen).groups()
    numbers = [float(one.strip('"')) for one in scores.split(",")]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) > 5
    assert (found, direction) == ('"student 3"', '"descending"')


@pytest.mark.parametrize("name", ["index.html", "students/student%200.html"])
def test_paper(report, tmp_path, name):
    browse(report / name, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'page.pdf'}", home=tmp_path / "home")
    printed = (tmp_path / "page.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") >= 2
