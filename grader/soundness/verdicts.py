"""What came of the cases, and what of it makes a suite unsound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from grader.results import Reading, SubmissionResult, SubmissionStatus
from grader.soundness.cases import Case, Kind
from grader.soundness.hints import rank_hints
from grader.soundness.margins import NARROW, Margin, margins_of

PRECISE = 0.95
"""The part of the mutants that should fail no check outside of their own task."""
SLOW = 0.25
"""The part of a check's time limit that right work should not need here, on a machine that may be faster than others."""


class Verdict(msgspec.Struct, frozen=True):
    """What came of a case; remembered from run to run."""

    kind: Kind
    name: str
    check: str
    lost: list[str]
    """Checks that did not get their points."""
    seconds: dict[str, float]
    """How long each check took."""
    fault: str = ""
    """Why there is no verdict: it was invalid, or the grader failed."""
    draw: int = 0
    seed: int = 0
    told: str = ""
    """Of a mutant: what a student reads of the check that must fail."""
    readings: dict[str, list[Reading]] = {}
    """Check -> what it measured, and the lines that it was compared with."""

    @classmethod
    def of(cls, case: Case, result: SubmissionResult) -> "Verdict":
        """The verdict in a result."""
        named = next((check for check in result.checks if check.name == case.check), None)
        return cls(
            kind=case.kind,
            name=case.name,
            check=case.check,
            lost=[check.name for check in result.checks if check.points < check.max_points],
            seconds={check.name: check.seconds for check in result.checks},
            fault="" if result.status is SubmissionStatus.GRADED else f"{result.status.value}: {result.message}",
            draw=case.draw,
            seed=result.seed,
            told=f"{named.title}. {named.message}" if named else "",
            readings={check.name: list(check.readings) for check in result.checks if check.readings},
        )

    @property
    def problem(self) -> str:
        """What makes the suite unsound, or nothing."""
        if self.fault:
            return self.fault
        if self.kind is Kind.MUTANT:
            return "" if self.check in self.lost else f"survives {self.check}"
        if self.kind is Kind.STARTER:
            kept = len(self.seconds) - len(self.lost)
            return f"has the points of {kept} checks, which ask for nothing" if kept else ""
        return f"loses {', '.join(self.lost)}" if self.lost else ""

    @property
    def elsewhere(self) -> list[str]:
        """Checks that a mutant fails in tasks that are not its own."""
        task = self.check.partition(".")[0]
        return [name for name in self.lost if name.partition(".")[0] != task] if self.kind is Kind.MUTANT else []


@dataclass(frozen=True)
class Proof:
    """The verdicts on one assignment's suite, in the order of their cases."""

    assignment: str
    verdicts: Sequence[Verdict]
    new: int
    """How many of them were graded now; the others are remembered."""
    reasons: Mapping[str, str]
    """Of each mutant, why it is wrong."""
    check_seconds: float
    """The time limit of a check."""
    part: bool = False
    """Whether some mutants were left out."""

    def of(self, kind: Kind) -> list[Verdict]:
        """Verdicts of one kind."""
        return [verdict for verdict in self.verdicts if verdict.kind is kind]

    def right(self, kind: Kind) -> tuple[int, int]:
        """How many of the kind got what they must, and how many there are: draws of the solution; of what has names, names."""
        if kind is Kind.SOLUTION:
            return sum(not verdict.problem for verdict in self.of(kind)), len(self.of(kind))
        names = {verdict.name for verdict in self.of(kind)}
        wrong = {verdict.name for verdict in self.of(kind) if verdict.problem} | (set(self.unsteady) & names)
        return len(names - wrong), len(names)

    @property
    def problems(self) -> list[str]:
        """A line for each thing that makes the suite unsound."""
        lines = [
            line for name in dict.fromkeys(v.name for v in self.verdicts if v.problem) for line in self._told(name)
        ]
        lines += [
            f"{name}: {', '.join(checks)} measured otherwise than before" for name, checks in self.unsteady.items()
        ]
        if self.precision < PRECISE:
            lines.append(f"{self.precision:.1%} of the mutants fail their own task alone, expected {PRECISE:.0%}")
        lines += [f"{check} is named by no mutant: it may ask for nothing" for check in self.unguarded]
        return lines + [f"narrow: {margin.told}" for margin in self.margins if margin.nearest < NARROW]

    def _told(self, name: str) -> list[str]:
        """A line for each thing that goes wrong with one case, however many draws show it."""
        wrong: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            if verdict.name == name and verdict.problem:
                wrong.setdefault(f"{verdict.kind} {name}: {verdict.problem}", []).append(verdict)
        lines = []
        for line, seen in wrong.items():
            seeds = ", ".join(str(verdict.seed) for verdict in seen[:3])
            draws = sum(verdict.name == name for verdict in self.verdicts)
            lines.append(line if draws == 1 else f"{line} on {len(seen)} of {draws} draws (seed {seeds})")
        return lines

    @property
    def unguarded(self) -> list[str]:
        """Checks that no mutant names; none where only some of the mutants were asked for."""
        if self.part:
            return []
        named = {verdict.check for verdict in self.of(Kind.MUTANT)}
        every = {check: None for verdict in self.of(Kind.SOLUTION) for check in verdict.seconds}
        return [check for check in every if check not in named]

    @cached_property
    def unsteady(self) -> dict[str, list[str]]:
        """Repeat -> checks that measured something else than the first time, on the same data."""
        sound = [verdict for verdict in self.of(Kind.REPEAT) if not verdict.fault]
        changed = {
            again.name: [check for check, found in again.readings.items() if found != sound[0].readings.get(check)]
            for again in sound[1:]
        }
        return {name: checks for name, checks in changed.items() if checks}

    @property
    def imprecise(self) -> list[str]:
        """A line for each mutant that fails checks of other tasks."""
        return [
            f"mutant {v.name} of {v.check}: also fails {', '.join(v.elsewhere)}" for v in self.verdicts if v.elsewhere
        ]

    @property
    def precision(self) -> float:
        """The part of the mutants that fail nothing outside of their own task; 1 where there are none."""
        mutants = {v.name for v in self.of(Kind.MUTANT)}
        imprecise = {v.name for v in self.verdicts if v.elsewhere}
        return 1 - len(imprecise) / len(mutants) if mutants else 1.0

    @cached_property
    def margins(self) -> list[Margin]:
        """How far right and wrong work are from each line, the narrowest first."""
        right = [v.readings for v in self.of(Kind.SOLUTION) if not v.fault]
        wrong: dict[str, list[Mapping[str, list[Reading]]]] = {}
        for verdict in self.of(Kind.MUTANT):
            own = {verdict.check: verdict.readings.get(verdict.check, [])}
            wrong.setdefault(verdict.name, []).append(own)
        return margins_of(right, wrong)

    @cached_property
    def hints(self) -> dict[str, int]:
        """Mutant -> how many checks' texts are nearer to its name and reason than that of the check it fails, plus 1."""
        mutants = {v.name: v for v in self.of(Kind.MUTANT) if v.told and v.draw == 0}
        return rank_hints(
            {name: f"{name.replace('_', ' ')}. {self.reasons.get(name, '')}" for name in mutants},
            {name: v.check for name, v in mutants.items()},
            {v.check: v.told for v in mutants.values()},
        )

    def told_by(self, nearest: int) -> int:
        """How many mistakes are told by one of so many texts that are nearest to what is said of them."""
        return sum(rank <= nearest for rank in self.hints.values())

    @cached_property
    def slowest(self) -> list[tuple[str, float]]:
        """Checks with the most seconds that right work took in them, the slowest first."""
        most: dict[str, float] = {}
        for verdict in self.of(Kind.SOLUTION) + self.of(Kind.ALTERNATIVE):
            for check, seconds in verdict.seconds.items():
                most[check] = max(seconds, most.get(check, 0.0))
        return sorted(most.items(), key=lambda item: -item[1])

    @property
    def slow(self) -> list[tuple[str, float]]:
        """Those of them that come too near to the time limit."""
        return [(check, seconds) for check, seconds in self.slowest if seconds > SLOW * self.check_seconds]
