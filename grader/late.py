"""What being late costs, by nbgrader's plugin interface: the default class, for the grader and for nbgrader alike.

In an `nbgrader_config.py`, where `assignment.toml` is not read:

    c.AssignLatePenalties.plugin_class = "grader.late.LatePenalty"
    c.LatePenalty.penalty_method = "10 percent per day"

Source: https://nbgrader.readthedocs.io/en/stable/plugins/late-plugin.html
"""

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float, TraitError, Unicode, validate

from grader.attempts import Rate


class LatePenalty(LateSubmissionPlugin):
    """Takes off points, or percent of the points earned, for each day or hour begun after the due date."""

    penalty_method = Unicode(
        "none", help="none, zero, or a rate such as '5 points per day' or '10 percent per hour'"
    ).tag(config=True)
    grace_minutes = Float(0, min=0, help="So late costs nothing yet.").tag(config=True)

    @validate("penalty_method")
    def _is_a_rate(self, proposal: dict) -> str:
        if Rate.read(proposal["value"]) is None:
            raise TraitError(f"expected none, zero or a rate such as '5 points per day', found {proposal['value']!r}")
        return proposal["value"]

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float:
        """Points taken off `score`, from 0 to all of them."""
        rate = Rate.read(self.penalty_method, self.grace_minutes * 60)
        assert rate is not None  # or the method would not have been taken
        return rate.of(score, total_seconds_late)
