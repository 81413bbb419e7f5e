"""The proof as a page: what was tried, what is unsound, and what an author might look at though nothing is wrong."""

import math
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from grader.aside import write_aside
from grader.page import Page, Section
from grader.page.document import Cell, Picture, Table, Words
from grader.soundness.cases import Kind
from grader.soundness.hints import NEAR
from grader.soundness.margins import NARROW, Margin
from grader.soundness.verdicts import PRECISE, SLOW, Proof

FAR = 30.0  # deviations that the picture shows; what is farther stands at its edge
SHOWN_SLOWEST = 10


def write_report(proofs: Sequence[Proof], path: Path, *, seed: int) -> Path:
    """Write the page of these proofs; its path."""
    write_aside(path, report_of(proofs, seed=seed).html().encode())
    return path


def report_of(proofs: Sequence[Proof], *, seed: int) -> Page:
    """The page of these proofs."""
    problems = sum(len(proof.problems) for proof in proofs)
    page = Page("Are the hidden suites sound?", "Sound, as far as these cases tell." if not problems else "Not sound.")
    mutants = [proof.right(Kind.MUTANT) for proof in proofs]
    correct = [proof.right(kind) for proof in proofs for kind in (Kind.SOLUTION, Kind.ALTERNATIVE)]
    page.headlines = [
        ("problems", Cell.of(problems)),
        ("mistakes found", Cell("{} of {}".format(*map(sum, zip(*mutants, strict=True))))),
        ("right work in full", Cell("{} of {}".format(*map(sum, zip(*correct, strict=True))))),
        ("seed", Cell.of(seed)),
    ]
    sections = [Section(proof.assignment, list(_blocks(proof, number))) for number, proof in enumerate(proofs, 1)]
    page.sections = [Section("What was tried", [_overview(proofs)]), *sections]
    return page


def _overview(proofs: Sequence[Proof]) -> Table:
    columns = ["suite", "starter 0", "solution full", "the same again", "alternatives full", "mutants found", "precise"]
    rows = []
    for proof in proofs:
        counts = [Cell("{} of {}".format(*proof.right(kind))) for kind in Kind]
        rows.append([Cell(proof.assignment), *counts, Cell.of(proof.precision, "{:.1%}")])
    return Table("Cases that got what they must, of all", columns, rows)


def _blocks(proof: Proof, number: int) -> Iterator[Words | Table | Picture]:
    """What there is to say of one suite; what is in order takes a line. `number` is its picture's."""
    yield _list("Problems", proof.problems, "Nothing is unsound.")
    yield from _margins(proof, number)
    precise = f"A mistake should fail checks of its own task alone, for {PRECISE:.0%} of the mutants: {proof.precision:.1%} do."
    yield _list(f"{precise} Those that do not", proof.imprecise, precise)
    limit = f"{SLOW:.0%} of the {proof.check_seconds:g} s that a check may take"
    slow = [f"{check}: {seconds:.1f} s" for check, seconds in proof.slow]
    yield _list(f"Right work took more than {limit}", slow, f"Right work never took more than {limit}.")
    rows = [[Cell(check), Cell.of(seconds, "{:.2f}")] for check, seconds in proof.slowest[:SHOWN_SLOWEST]]
    yield Table("Seconds that right work took at most, wall clock, with all cores busy", ["check", "seconds"], rows)
    yield from _hints(proof)


def _list(caption: str, lines: Sequence[str], otherwise: str) -> Words | Table:
    return Table(caption, [], [[Cell(line)] for line in lines]) if lines else Words(otherwise)


def _hints(proof: Proof) -> Iterator[Words | Table]:
    """How well what students read fits the mistake, and the mistakes that are told least."""
    if not proof.hints:
        return
    first, near = proof.told_by(1), proof.told_by(NEAR)
    yield Words(
        f"Of {len(proof.hints)} mistakes, the text that a student reads is, among those of all checks, the nearest to the "
        f"reason why it is wrong for {first}, and one of the {NEAR} nearest for {near}."
    )
    told = {verdict.name: verdict for verdict in proof.of(Kind.MUTANT) if verdict.draw == 0}
    rows = [
        [Cell(name), Cell.of(rank), Cell(proof.reasons[name]), Cell(told[name].told)]
        for name, rank in sorted(proof.hints.items(), key=lambda item: (-item[1], item[0]))
        if rank > NEAR
    ]
    if rows:
        yield Table("The others: does the student learn what is wrong?", ["mutant", "rank", "why", "is told"], rows)


def _margins(proof: Proof, number: int) -> Iterator[Words | Table | Picture]:
    """The lines that checks draw, with right and wrong work on their sides."""
    margins = proof.margins
    if not margins:
        yield Words("No check compares a measured number with a line, or not often enough to tell.")
        return
    yield Words(
        f"{margins[0].runs} runs of the solution tell how near right work comes to the lines that checks draw. Distances are "
        f"in standard deviations of these runs, those of mutants in their own. No run should come nearer than {NARROW:g}."
    )
    columns = ["check", "rule", "line", "solution", "nearest", "mutants", "nearest of them"]
    yield Table("Lines, the narrowest first", columns, [_row(margin) for margin in margins])
    yield _picture(margins, number)


def _row(margin: Margin) -> list[Cell]:
    closest = margin.missed[0] if margin.missed else None
    return [
        Cell(margin.check),
        Cell(margin.rule),
        Cell(margin.line),
        Cell(f"{margin.mean:.3g} ± {margin.spread:.1g}"),
        _distance(margin.nearest),
        Cell.of(len(margin.missed)),
        Cell(f"{_distance(closest.distance).text} ({closest.name})") if closest else Cell.of(None),
    ]


def _distance(spreads: float) -> Cell:
    return Cell.of(spreads, "{:.1f}") if math.isfinite(spreads) else Cell("far")


def _picture(margins: Sequence[Margin], number: int) -> Picture:
    """A row for each line: runs of the solution to the right of 0, mutants to the left."""
    figure = Figure(figsize=(9, 1.2 + 0.32 * len(margins)), layout="constrained")
    axis = figure.add_subplot()
    for row, margin in enumerate(margins):
        right = [min(distance, FAR) for distance in margin.distances]
        wrong = [max(-one.in_right_spreads, -FAR) for one in margin.missed]
        names = (None, None) if row else ("solution", "mutants")
        axis.plot(right, [row] * len(right), "o", color="#2a7f62", alpha=0.35, markersize=5, label=names[0])
        axis.plot(wrong, [row] * len(wrong), "x", color="#b3392f", markersize=6, label=names[1])
    axis.axvline(0, color="black", linewidth=1)
    axis.axvspan(0, NARROW, color="#d8a03a", alpha=0.2, linewidth=0)
    axis.set(yticks=range(len(margins)), yticklabels=[margin.check for margin in margins], xlim=(-FAR - 1, FAR + 1))
    axis.set_xlabel("standard deviations of the solution's runs, from the line into what is right")
    axis.invert_yaxis()
    axis.grid(axis="x", alpha=0.3)
    axis.legend(loc="lower left")
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    caption = f"Distances from the lines; what is farther than {FAR:g} stands at the edge, the band is too near."
    return Picture(number, "Distances from the lines", caption, drawn.getvalue())
