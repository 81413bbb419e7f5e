"""How far right work stays from the suite's lines, and wrong work beyond them, in units of their own spread."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from grader.results import Reading

NARROW = 4.0
"""Standard deviations that every run of the solution should keep from every line."""
LEAST_RUNS = 10
"""Fewer tell no spread that one could rely on."""

Readings = Mapping[str, Sequence[Reading]]
"""Check -> what it measured, in the order in which it did."""


@dataclass(frozen=True)
class Missed:
    """A mutant whose readings lie beyond the line."""

    name: str
    mean: float
    spread: float
    distance: float
    """From the line to the mean, in its spread; infinite where there is none."""
    in_right_spreads: float
    """The same in the spread of the solution's runs."""


@dataclass(frozen=True)
class Margin:
    """One line of one check, the runs of the solution on its right side, and the mutants on its wrong one."""

    check: str
    rule: str
    at_least: float | None
    at_most: float | None
    runs: int
    mean: float
    spread: float
    """Standard deviation over the runs."""
    distances: Sequence[float]
    """Of each run from the limit that is nearer to it, in spreads; negative beyond it, infinite without spread."""
    missed: Sequence[Missed] = ()

    @property
    def nearest(self) -> float:
        """Distance of the run that comes nearest to a limit."""
        return min(self.distances)

    @property
    def line(self) -> str:
        """The limits in words."""
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least:.4g} to {self.at_most:.4g}"
        return f"≥ {self.at_least:.4g}" if self.at_most is None else f"≤ {self.at_most:.4g}"

    @property
    def told(self) -> str:
        """The whole in a line."""
        runs = f"{self.runs} runs of the solution have {self.mean:.4g} ± {self.spread:.2g}"
        return (
            f"{self.check}: {self.rule} ({self.line}): {runs}, the nearest {self.nearest:.1f} deviations from the line"
        )


def margins_of(right: Sequence[Readings], wrong: Mapping[str, Sequence[Readings]]) -> list[Margin]:
    """The margins of all lines that right work was compared with often enough, the narrowest first.

    A check may compare by one rule several times; the narrowest of these stands for the rule.

    Args:
        right: readings of each run of the solution.
        wrong: by mutant, those of each of its runs, of the check that it must fail alone.
    """
    narrowest: dict[tuple[str, str], Margin] = {}
    beyond = {name: dict(_by_place(runs)) for name, runs in wrong.items()}
    for place, found in _by_place(right):
        if len(found) < LEAST_RUNS:
            continue
        margin = _margin(place, found, beyond)
        known = narrowest.get(place[:2])
        if known is None or margin.nearest < known.nearest:
            narrowest[place[:2]] = margin
    return sorted(narrowest.values(), key=lambda margin: margin.nearest)


Place = tuple[str, str, int]
"""Check, rule, and how many-eth comparison by this rule."""


def _by_place(runs: Sequence[Readings]) -> Iterator[tuple[Place, list[Reading]]]:
    """What was compared at the same place in all runs."""
    places: defaultdict[Place, list[Reading]] = defaultdict(list)
    for run in runs:
        for check, readings in run.items():
            seen: defaultdict[str, int] = defaultdict(int)
            for reading in readings:
                places[check, reading.rule, seen[reading.rule]].append(reading)
                seen[reading.rule] += 1
    yield from places.items()


def _margin(place: Place, found: Sequence[Reading], beyond: Mapping[str, Mapping[Place, list[Reading]]]) -> Margin:
    limits = found[0]
    mean, spread = _mean_and_spread(found)
    missed = []
    for name, places in beyond.items():
        there = places.get(place, [])
        if there and all(_room(reading.value, reading) < 0 for reading in there):
            its_mean, its_spread = _mean_and_spread(there)
            gap = -_room(its_mean, limits)
            missed.append(Missed(name, its_mean, its_spread, _in_spreads(gap, its_spread), _in_spreads(gap, spread)))
    return Margin(
        check=place[0],
        rule=place[1],
        at_least=limits.at_least,
        at_most=limits.at_most,
        runs=len(found),
        mean=mean,
        spread=spread,
        distances=[_in_spreads(_room(reading.value, limits), spread) for reading in found],
        missed=tuple(sorted(missed, key=lambda one: one.distance)),
    )


def _mean_and_spread(readings: Sequence[Reading]) -> tuple[float, float]:
    """Mean and standard deviation of those that are numbers; NaN and 0 where there are none."""
    numbers = [reading.value for reading in readings if reading.value is not None]
    return fmean(numbers) if numbers else math.nan, stdev(numbers) if len(numbers) > 1 else 0.0


def _room(value: float | None, limits: Reading) -> float:
    """How far a value is inside of the limits; negative outside, and for what is no number."""
    if value is None or math.isnan(value):
        return -math.inf
    sides = [math.inf]
    if limits.at_least is not None:
        sides.append(value - limits.at_least)
    if limits.at_most is not None:
        sides.append(limits.at_most - value)
    return min(sides)


def _in_spreads(distance: float, spread: float) -> float:
    if spread > 0 and math.isfinite(distance):
        return distance / spread
    return math.copysign(math.inf, distance)
