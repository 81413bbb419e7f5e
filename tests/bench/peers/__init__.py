"""The ways of marking that are compared: the limit, the grader, and what else people use, each by the same checks."""
