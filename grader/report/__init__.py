"""What a class's results look like: a page for whoever teaches, and a page for each student that can be handed out.

Results are read one at a time, pages are written one at a time, and every page needs nothing beside it.
"""

from grader.report.folder import Written, write_report

__all__ = ["Written", "write_report"]
