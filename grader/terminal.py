"""What the terminal shows: results as tables, live progress with the time left. Pure renderings; `cli` prints them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from grader.attempts import faults, lateness
from grader.known import Origin
from grader.results import Attempt, CheckResult, CheckStatus, Standing, SubmissionResult, SubmissionStatus, TaskScore

STYLES = {
    CheckStatus.PASSED: "green",
    CheckStatus.FAILED: "red",
    CheckStatus.NOT_IMPLEMENTED: "yellow",
    CheckStatus.UNUSABLE: "red",
    CheckStatus.TIMEOUT: "magenta",
    CheckStatus.CRASHED: "magenta",
    CheckStatus.NOT_RUN: "dim",
}
REMARKS = {
    CheckStatus.UNUSABLE: "unusable",
    CheckStatus.TIMEOUT: "timed out",
    CheckStatus.CRASHED: "crashed",
    CheckStatus.NOT_RUN: "not run",
    CheckStatus.NOT_IMPLEMENTED: "to do",
}


MOST_NAMES = 4
"""In the title of what several checks say."""


def console(*, stderr: bool = False) -> Console:
    """The terminal: results go to the output, progress to the error stream."""
    return Console(stderr=stderr)


class Live:
    """A line with a bar and the time left, on the error stream, while something goes on."""

    def __init__(self, total: int | None, *, quiet: bool = False, what: str = "warming up") -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console(stderr=True),
            disable=quiet,
        )
        self._task = self._progress.add_task(what, total=total)

    def advance(self) -> None:
        """One more is done."""
        self._progress.advance(self._task)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


class ClassProgress(Live):
    """Live progress of a class on the error stream; silent when `quiet`."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        super().__init__(total, quiet=quiet)
        self.failed: list[str] = []
        """On whom the grader failed."""

    def started(self, sandbox: str, jobs: int, seed: int, note: str = "") -> None:
        """Say once how student code is confined, the seed that reproduces this run, and what else there is to say."""
        facts = [f"Sandbox {sandbox}", f"{jobs} at a time", f"seed {seed}", *([note] if note else [])]
        self._progress.print(escape(" · ".join(facts)), highlight=False, soft_wrap=True)
        self._progress.reset(self._task, description="grading")

    def trying(self, seed: int) -> None:
        """Say that a term's seed and thresholds are tried before anybody is graded by them."""
        line = f"First trying what course.toml sets, with the seed {seed}, on work whose marks are known"
        self._progress.print(line, highlight=False, soft_wrap=True)
        self._progress.update(self._task, description="trying the seed")

    def graded(self, result: SubmissionResult, origin: Origin = Origin.MARKED) -> None:
        done = {Origin.MARKED: "graded", Origin.ALIKE: "same files", Origin.KEPT: "kept"}[origin]
        if result.status is SubmissionStatus.GRADER_ERROR:
            self.failed.append(result.student)
        self._progress.update(self._task, advance=1, description=f"{done} {escape(printable(result.student))}")


def printable(name: str) -> str:
    """A student's name without control characters, which a terminal would obey."""
    return "".join(letter if letter.isprintable() else "�" for letter in name)


def number(points: float | None) -> str:
    """Points as people write them: `7`, `7.5`, `–` where there are none."""
    return "–" if points is None else f"{points:g}"


def wide_table() -> Table:
    """A table without rules between columns: with seven tasks there is no room for them in 80 characters."""
    return Table(header_style="bold", box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)


def class_table(results: Iterable[SubmissionResult]) -> RenderableType:
    """A row for each submission: score, bonus, points by task; below, why some have no score. Results are not kept."""
    tasks: dict[str, TaskScore] = {}
    counts: Counter[SubmissionStatus] = Counter()
    rows, reasons = [], []
    for result in results:
        tasks = tasks or result.tasks
        counts[result.status] += 1
        points = {name: number(task.points) for name, task in result.tasks.items()}
        head = (Text(printable(result.student)), number(result.score), number(result.bonus))
        rows.append((head, points, (f"{result.seconds:.1f}", _remark(result))))
        if result.message:
            reasons.append(_reason(result))
        reasons += [Text(f"{printable(result.student)}: {printable(line)}") for line in faults(result.standing)]
    table = wide_table()
    table.add_column("student", overflow="fold", min_width=12)
    for column in ("score", "bonus", *(_number_of(name, tasks) for name in tasks), "s"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("remarks", overflow="fold")
    for head, points, tail in rows:
        table.add_row(*head, *(points.get(name, "–") for name in tasks), *tail)
    legend = " · ".join(f"{_number_of(name, tasks)} {name} /{task.max_points:g}" for name, task in tasks.items())
    graded, failed = counts[SubmissionStatus.GRADED], counts[SubmissionStatus.GRADER_ERROR]
    closing = f"{graded} graded, {counts.total() - graded - failed} invalid, {failed} failed in the grader"
    return Group(table, Text(legend, style="dim"), *reasons, Text(closing))


def _number_of(name: str, tasks: Mapping[str, TaskScore]) -> str:
    """A task's short heading: its number in the handout, or B for the bonus."""
    return "B" if tasks[name].bonus else str(tasks[name].number or list(tasks).index(name) + 1)


def _reason(result: SubmissionResult) -> Text:
    return Text(f"{printable(result.student)}: {result.status.value.replace('_', ' ')}: {printable(result.message)}")


def _of(points: float | None, out_of: float) -> str:
    return "–" if points is None else f"{points:g}/{out_of:g}"


def _remark(result: SubmissionResult) -> Text:
    """What went wrong beyond failed checks, in few words, and which attempt it is."""
    words = _attempt_in_words(result.standing)
    if result.status is not SubmissionStatus.GRADED:
        return Text(", ".join([result.status.value.replace("_", " "), *words]), style="red")
    counts = {status: sum(check.status is status for check in result.checks) for status in CheckStatus}
    remarks = [f"{counts[status]} {remark}" for status, remark in REMARKS.items() if counts[status]]
    return Text(", ".join([*remarks, *words]))


def _attempt_in_words(standing: Standing | None) -> list[str]:
    """Which of many attempts counts, how late it was, and what that costs; nothing where there is nothing to tell."""
    if standing is None:
        return []
    one, many = standing.attempt, len(standing.attempts)
    words = [f"attempt {standing.counting + 1} of {many}"] if many > 1 else []
    words += [f"{lateness(one.seconds_late)} late"] if one.seconds_late else []
    return words + ([f"penalty {one.penalty:g}"] if one.penalty else [])


def student_page(result: SubmissionResult, *, only_lost: bool = False) -> RenderableType:
    """Everything about one submission, for the instructor; with `only_lost` of the checks those without all points.

    What several checks have to say in the same words is said once, with their names.
    """
    score, bonus = _of(result.score, result.max_score), number(result.bonus)
    head = Text(f"{printable(result.student)}: {score}, bonus {bonus} ({result.status.value})", style="bold")
    facts = f"seed {result.seed} · sandbox {result.sandbox or '–'} · {result.seconds:g} s · files {result.digest[:12] or '–'}"
    parts: list[RenderableType] = [head, Text(facts, style="dim")]
    if result.message:
        parts.append(Text(printable(result.message), style="red"))
    if result.standing:
        parts += _attempts_shown(result.standing)
    parts.append(_checks_table([check for check in result.checks if not only_lost or check.points < check.max_points]))
    said: defaultdict[str, list[str]] = defaultdict(list)
    for check in result.checks:
        if check.detail and check.status not in (CheckStatus.NOT_IMPLEMENTED, CheckStatus.NOT_RUN):
            said[check.detail].append(check.name)
    for detail, names in said.items():
        parts.append(Panel(Text(_lines(detail)), title=escape(_shortened(names)), title_align="left"))
    if result.output:
        parts.append(Panel(Text(_lines(result.output[:2000])), title="printed", title_align="left"))
    return Group(*parts)


def _attempts_shown(standing: Standing) -> list[RenderableType]:
    """A table of all attempts, the one that counts with the reason, and the due date; times are in UTC."""
    table = Table(header_style="bold")
    for column in ("attempt", "handed in (UTC)", "points", "late", "penalty", "comes to", "counts"):
        table.add_column(column, justify="left" if column in ("attempt", "counts") else "right", overflow="fold")
    for place, one in enumerate(standing.attempts):
        table.add_row(*_attempt_row(one), Text(standing.why if place == standing.counting else ""))
    due = f"due {standing.due:%Y-%m-%d %H:%M:%S} UTC" if standing.due else "no due date"
    more = f", extended by {lateness(standing.extension_seconds)}" if standing.extension_seconds else ""
    return [table, Text(due + more, style="dim"), *(Text(printable(line), style="red") for line in faults(standing))]


def _attempt_row(one: Attempt) -> list[Text]:
    """What one attempt got; its status in the place of points where it is no plain mark."""
    points = number(one.points) if one.status is SubmissionStatus.GRADED else one.status.value.replace("_", " ")
    time = f"{one.time:%Y-%m-%d %H:%M:%S}" if one.time else "unknown"
    cells = (printable(one.name) or "–", time, points, lateness(one.seconds_late), f"{one.penalty:g}", number(one.net))
    return [Text(cell) for cell in cells]


def _shortened(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _checks_table(checks: Iterable[CheckResult]) -> Table:
    table = Table(header_style="bold")
    for column in ("check", "points", "status", "rule"):
        table.add_column(column, justify="right" if column == "points" else "left", overflow="fold")
    for check in checks:
        points = f"{check.points:g}/{check.max_points:g}"
        status = Text(check.status.value.replace("_", " "), style=STYLES[check.status])
        table.add_row(check.name, points, status, Text(check.title))
    return table


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.splitlines())


def summary_of(assignment: str, results: Iterable[SubmissionResult]) -> dict[str, Any]:
    """The run as the JSON of `grader grade --json`."""
    return {"assignment": assignment, "submissions": [_summary(result) for result in results]}


def _summary(result: SubmissionResult) -> dict[str, Any]:
    keys = ("name", "task", "status", "points", "max_points", "message")
    summary: dict[str, Any] = {
        "student": result.student,
        "status": result.status.value,
        "score": result.score,
        "max_score": result.max_score,
        "bonus": result.bonus,
        "tasks": {name: task.points for name, task in result.tasks.items()},
        "checks": [{key: getattr(check, key) for key in keys} for check in result.checks],
    }
    if result.standing:
        one = result.standing.attempt
        summary["attempt"] = {
            "name": one.name,
            "of": len(result.standing.attempts),
            "seconds_late": one.seconds_late,
            "penalty": one.penalty,
            "faults": faults(result.standing),
        }
    return {**summary, "message": result.message} if result.message else summary
