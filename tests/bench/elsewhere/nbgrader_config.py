"""nbgrader's course: its own defaults, as far as a submission's grade can depend on them, written out."""

c = get_config()  # noqa: F821  nbgrader's own
c.ExecutePreprocessor.interrupt_on_timeout = True
c.ClearSolutions.enforce_metadata = True
