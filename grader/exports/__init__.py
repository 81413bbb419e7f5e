"""Marks as others take them: Canvas, Moodle, Gradescope, nbgrader, a plain table, JUnit.

`marks` is the one record that all formats render; what students may not see of a hidden check (`detail`, `readings`, what
was printed) is in none of them.
"""
