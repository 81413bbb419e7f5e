"""Mutants: realistic mistakes, each one edit of a solution's file, which a named check must find.

They stand in `tests/mutants/<assignment>.toml`:

    [[mutant]]
    name = "no_zero_grad"
    file = "train.py"
    find = "optimizer.zero_grad()"       # exactly once in the file
    replace = "pass"
    why = "Gradients add up from batch to batch."
    check = "train.adamw"
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from grader.course import Assignment
from grader.errors import UsageError


class Mutant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One mistake: an edit of a solution's file, why it is wrong, and the check that must fail."""

    name: str
    file: str
    find: str
    replace: str
    why: str
    check: str

    def edited(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The solution's files with this mistake in one of them.

        Raises:
            UsageError: the text to be replaced does not stand there exactly once.
        """
        text = files[self.file].decode()
        found = text.count(self.find)
        if found != 1:
            raise UsageError(
                f"mutant {self.name!r}: expected `find` exactly once in {self.file}, found it {found} times."
            )
        return {**files, self.file: text.replace(self.find, self.replace).encode()}


class _Mutants(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mutant: list[Mutant] = []


def read_mutants(path: Path, assignment: Assignment) -> list[Mutant]:
    """The mutants of an assignment; none where there is no such file.

    Raises:
        UsageError: not such a file, two mutants of one name, or one of a file or check that the assignment does not have.
    """
    if not path.exists():
        return []
    try:
        mutants = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _Mutants).mutant
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise UsageError(
            f"{path}: expected [[mutant]] tables with {', '.join(Mutant.__struct_fields__)}: {error}."
        ) from None
    checks = set(assignment.checks)
    names: set[str] = set()
    for mutant in mutants:
        if mutant.name in names:
            raise UsageError(f"{path}: expected each name once, found {mutant.name!r} twice.")
        names.add(mutant.name)
        if mutant.file not in assignment.files:
            raise UsageError(
                f"{path}: {mutant.name!r} edits {mutant.file!r}, not one of {', '.join(assignment.files)}."
            )
        if mutant.check not in checks:
            raise UsageError(
                f"{path}: {mutant.name!r} names the check {mutant.check!r}, which the rubric does not have."
            )
    return mutants
