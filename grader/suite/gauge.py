"""`gauge`: compares what a check measured with a line, and keeps both, so that the distance between them can be told.

A line that is drawn between right and wrong work should be far from either. Readings go into the result, where an
instructor sees by how much a check failed, and where `grader verify` sees how near right work comes to a line.
"""

import math

from grader.results import Reading
from grader.suite.assertions import require


class Gauge:
    """Requires numbers to lie between limits, and keeps what it was given."""

    def __init__(self, readings: list[Reading]) -> None:
        self._readings = readings

    def __call__(
        self,
        value: float,
        rule: str,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        unit: str = "",
        case: str = "",
    ) -> None:
        """`at_least` ≤ `value` ≤ `at_most`, where None is no limit; `rule` says in words what must hold.

        Lines should not move with what is drawn: of a value that is judged by another one, gauge the ratio of both.
        """
        value = float(value)
        self._readings.append(Reading(rule, value if math.isfinite(value) else None, at_least, at_most))
        least = -math.inf if at_least is None else at_least
        most = math.inf if at_most is None else at_most
        expected = " and ".join(
            f"{words} {limit:g}" for words, limit in (("at least", at_least), ("at most", at_most)) if limit is not None
        )
        require(least <= value <= most, rule, expected=f"{expected}{unit}", got=f"{value:.4g}{unit}", case=case)
