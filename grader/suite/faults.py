"""What the student's code did to a check by raising."""

import re

from grader.errors import StudentFault
from grader.sandbox.remote import Raised


class StudentError(StudentFault):
    """The student's code raised; `types` are the class names of what it raised, from its own to `BaseException`."""

    def __init__(self, call: str, raised: Raised) -> None:
        told = re.search(r"\(\w+\.py, line \d+\)$", raised.text)  # Python says itself where it cannot read a file
        place = f" ({raised.where[-1]})" if raised.where and not told else ""
        super().__init__(f"{call} raised {raised.types[0]}: {raised.text}{place}")
        self.types = raised.types
        self.text = raised.text
        self.where = raised.where
        self.importing = ""
        """The file whose import raised, if it was that: no answer to what was asked."""

    @property
    def not_implemented(self) -> bool:
        return "NotImplementedError" in self.types
