"""The grader: marks a class of submissions without trusting a line of what was handed in.

Floors, imports run downwards only (`tests/test_floors.py` proves it):
    5  cli/, jupyter                                   the only places that print: the terminal's, the notebook's
    4  batch, executor, host, trusting, unconfined, terminal     many submissions, warm processes, what is shown
    3  grading, watch, wire, gradebook, database, expectations     one submission, and what becomes of it
       stubs, notebook_source, release, scaffold, bundle, leaks, nbgrader_course     from solutions to what others receive
       soundness/                                      the proof that a suite is sound: known work gets what it must
       desk/, page/                                    the student's: self-checks at each save, main.py's report
    2  suite/                                          the language of hidden suites and self-checks
    1  course, submission, archive, notebook, cells, sandbox/     what is declared, what was handed in, what confines it
    0  errors, results                                 whose fault it was; the record that crosses every boundary
"""

__version__ = "0.1.0"
