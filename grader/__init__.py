"""The grader: marks a class of submissions without trusting a line of what was handed in.

Floors, imports run downwards only (`tests/test_floors.py` proves it):
    5  cli
    4  batch, executor
    3  grading, gradebook, release
    2  suite/
    1  course, submission, sandbox/
    0  errors, results
"""

__version__ = "0.1.0"
