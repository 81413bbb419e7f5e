"""Repositories of GitHub Classroom, side by side: `house-prices-ada`, the assignment's name and the student's, or the team's.

The time of a commit is whatever its author's clock, or hand, says: it is not read.

Source: https://docs.github.com/en/education/manage-coursework-with-github-classroom
"""

from grader.archive import quoted
from grader.errors import UsageError
from grader.exports.students import Student
from grader.intake.download import Download
from grader.intake.work import Taken, Work

SUBMISSIONS = "-submissions"
"""How `gh classroom clone student-repos` ends the name of the folder around all repositories."""
UNTIMED = (
    "the time of a commit is its author's word, and GitHub's own of the push is not in a repository: entries have no time; "
    "--times of `grader grade` takes a table."
)


def is_github(download: Download) -> bool:
    """Whether all folders are repositories whose names begin alike."""
    folders = download.folders
    are = set(folders) <= download.repositories or (
        download.name.endswith(SUBMISSIONS) and download.name not in folders
    )
    return bool(folders) and are and bool(_prefix(download))


def github(download: Download, assignment: str = "") -> Taken:
    """Files by student; `assignment` is what all names begin with, if it is not to be guessed.

    Raises:
        UsageError: names do not begin alike, or there is one alone.
    """
    prefix = f"{assignment.removesuffix('-')}-" if assignment else _prefix(download)
    inside = [folder for folder in download.folders if folder.startswith(prefix) and folder != prefix]
    if not prefix or not inside:
        shown = ", ".join(download.folders[:5]) or "no folder"
        raise UsageError(
            f"expected repositories named assignment-student, found {shown}: name what stands before the student with "
            "--assignment."
        )
    works: dict[str, Work] = {}
    for folder in inside:
        login = folder.removeprefix(prefix)
        files = {item.rest: item for item in download.items if item.top == folder and item.rest}
        works[folder] = Work(Student(login, login=login), files, folder)
    others = [f"{quoted(name)}: does not begin with {prefix}" for name in download.folders if name not in works]
    others += [f"{quoted(item.path)}: in no repository" for item in download.at_root]
    return Taken(
        list(works.values()), others, [f"students are what follows {prefix!r} in the names of folders", UNTIMED]
    )


def _prefix(download: Download) -> str:
    """What the names of all folders begin with, up to a hyphen; empty where that is nothing."""
    folders = download.folders
    named = f"{download.name.removesuffix(SUBMISSIONS)}-"
    if download.name.endswith(SUBMISSIONS) and all(folder.startswith(named) for folder in folders):
        return named
    if len(folders) < 2:
        return ""
    first, last = min(folders), max(folders)  # what these two begin with, all between them do
    common = next((place for place, letter in enumerate(first) if letter != last[place : place + 1]), len(first))
    return first[: first.rfind("-", 0, common) + 1]
