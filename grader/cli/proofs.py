"""What the terminal shows of the proof that suites are sound."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from grader.soundness.cases import Kind
from grader.soundness.hints import NEAR
from grader.soundness.margins import Margin
from grader.soundness.verdicts import Proof, Verdict
from grader.terminal import Live, wide_table

COLUMNS = ("starter", "solution", "again", "other hands", "mutants", "precise", "new")


class ProofProgress(Live):
    """Live progress of proving a suite sound; what is found wrong is said at once."""

    def __init__(self, assignment: str) -> None:
        super().__init__(None, what=f"{assignment}: warming up")
        self._assignment = assignment

    def judged(self, verdict: Verdict, done: int, total: int) -> None:
        """A verdict more."""
        if verdict.problem:
            line = f"{self._assignment}: {verdict.kind} {verdict.name}: {verdict.problem}"
            self._progress.print(escape(line), highlight=False, soft_wrap=True)
        description = f"{self._assignment}: {escape(verdict.name)}"
        self._progress.update(self._task, completed=done, total=total, description=description)


def proof_table(proofs: Sequence[Proof]) -> RenderableType:
    """A row for each suite: how many cases got what they must; below, imprecise mutants and slow checks."""
    table = wide_table()
    table.caption = "cases that got what they must, of all: starter 0, correct work in full, each mutant's check failed"
    table.caption_justify = "left"
    table.add_column("assignment", no_wrap=True, min_width=20)
    for column in COLUMNS:
        table.add_column(column, justify="right")
    below = []
    for proof in proofs:
        counts = ("{}/{}".format(*proof.right(kind)) for kind in Kind)
        table.add_row(proof.assignment, *counts, f"{proof.precision:.1%}", str(proof.new))
        below += [f"{proof.assignment}: {line}" for line in _remarks(proof)]
    return Group(table, *map(Text, below))


def _remarks(proof: Proof) -> list[str]:
    lines = [*proof.imprecise]
    lines += [f"slow: {check} takes {seconds:.1f} s of {proof.check_seconds:g}" for check, seconds in proof.slow]
    if proof.slowest:
        longest = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in proof.slowest[:3])
        lines.append(f"right work takes longest in {longest}")
    if proof.hints:
        first, near = proof.told_by(1), proof.told_by(NEAR)
        lines.append(
            f"hints: of {len(proof.hints)} mistakes, {first} are told by the text nearest to the reason, "
            f"{near} by one of the {NEAR} nearest"
        )
    return lines


def margin_table(proofs: Sequence[Proof]) -> RenderableType:
    """A row for each line that a check draws: right work on its one side, wrong work on the other."""
    table = wide_table()
    table.title, table.title_justify = "Distances from the lines, in standard deviations", "left"
    for column in ("check", "line", "solution", "nearest", "mutants"):
        table.add_column(column, justify="left" if column == "check" else "right", no_wrap=column == "check")
    for proof in proofs:
        for margin in proof.margins:
            solution = f"{margin.mean:.3g} ± {margin.spread:.1g}"
            table.add_row(margin.check, margin.line, solution, _distance(margin.nearest), _beyond(margin))
    table.caption = (
        "nearest: of all runs of the solution; mutants: how many lie beyond the line, and the nearest's mean"
    )
    table.caption_justify = "left"
    return table


def _beyond(margin: Margin) -> str:
    """How many mutants the line catches, and the distance of the nearest."""
    return f"{len(margin.missed)}, {_distance(margin.missed[0].distance)}" if margin.missed else "–"


def _distance(spreads: float) -> str:
    return "far" if spreads == float("inf") else f"{spreads:.1f}"
