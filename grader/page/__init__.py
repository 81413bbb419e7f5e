"""What a project's main.py leaves behind: files, figures, words on the terminal, and all of it as one page.

Given to the students as part of the course's package, and used by their main.py alone: nothing here marks anything.
"""

from grader.page.document import Page, Section
from grader.page.results import Results, Unusable, conduct

__all__ = ["Page", "Results", "Section", "Unusable", "conduct"]
