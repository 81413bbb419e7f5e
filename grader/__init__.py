"""The grader: marks a class of submissions without trusting a line of what was handed in.

Floors, imports run downwards only (`tests/test_floors.py` proves it):
    5  cli                                             the only place that prints
    4  batch, executor, host, unconfined, terminal     many submissions, warm processes, what the terminal shows
    3  grading, watch, wire, gradebook, release, expectations     one submission, and what becomes of it
    2  suite/                                          the language of hidden suites and self-checks
    1  course, submission, archive, notebook, cells, sandbox/     what is declared, what was handed in, what confines it
    0  errors, results                                 whose fault it was; the record that crosses every boundary
"""

__version__ = "0.1.0"
