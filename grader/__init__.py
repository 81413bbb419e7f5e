"""The grader: marks a class of submissions without trusting a line of what was handed in.

Floors, imports run downwards only (`tests/test_floors.py` proves it):
    5  cli/, jupyter                                   the only places that print: the terminal's, the notebook's
    4  batch, regrading, executor, pace, renewal, host, trusting, unconfined     many submissions, warm processes
       terminal, doctor                                what a terminal shows of results, and of the machine
       cluster, cluster_connection, cluster_worker     the same on a cluster by Dask
       autograder                                      one submission, in Gradescope's container
    3  grading, watch, wire, surroundings              one submission, and what its marks depend on
       store, known, gradebook, database, expectations     what becomes of results
       exports/                                        marks as Canvas, Moodle, Gradescope, nbgrader and others take them
       report/                                         pages of them: the class's, and one for each student to be handed out
       intake/                                         a class folder from what these give
       stubs, notebook_source, release, scaffold, bundle, leaks, nbgrader_course     from solutions to what others receive
       gradescope                                      the autograder that Gradescope receives
       soundness/                                      the proof that a suite is sound: known work gets what it must
       similarity/                                     who wrote what somebody else wrote, too
       desk/, page/                                    the student's: self-checks at each save, main.py's report
    2  suite/                                          the language of hidden suites and self-checks
    1  course, settings, declared, submission, archive, ipynb, notebook, cells, reading     what is declared and handed in
       sandbox/                                        where code that was handed in runs
    0  errors, results, exhibits, aside                whose fault it was; the record that crosses every boundary
"""

__version__ = "0.1.0"
