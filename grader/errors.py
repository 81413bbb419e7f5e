"""Everything that can go wrong, by whose fault it was.

`StudentFault` costs the student points and is a result; `GraderFault` is ours, is never a zero and can be graded again;
`UsageError` is the caller's and ends the command with one line and exit code 2.
"""


class GraderError(Exception):
    """Root of the tree; its text is one line that says what was expected, what was found and what to do."""


class UsageError(GraderError):
    """The command, a configuration file or a path was wrong. Exit code 2."""


class StudentFault(GraderError):
    """What was handed in is at fault: a result, not an accident."""


class InvalidSubmission(StudentFault):
    """An entry that cannot be read as a submission (a broken zip, no task file, …)."""


class ProtocolError(StudentFault):
    """The worker sent something that is not a well-formed frame of plain data."""


class LimitExceeded(StudentFault):
    """A check, or the whole submission, used more time or memory than the assignment allows."""


class NotAskedAgain(LimitExceeded):
    """A function that has used too much in earlier checks, and is not called in this one."""


class WorkerDied(StudentFault):
    """The student's process ended while it was being asked something."""


class TaskMissing(StudentFault):
    """The file of the task that a check asks for was not handed in."""


class GraderFault(GraderError):
    """The grader failed; the submission keeps no score and is to be graded again. Exit code 1."""


class SandboxError(GraderFault):
    """The sandbox could not be set up or kept; nothing untrusted may run."""
