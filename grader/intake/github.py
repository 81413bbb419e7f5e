"""Repositories of GitHub Classroom, side by side: `house-prices-ada`, the assignment's name and the student's, or the team's.

The time of a commit is whatever its author's clock, or hand, says: it is read by leave alone.

Source: https://docs.github.com/en/education/manage-coursework-with-github-classroom
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from grader.archive import quoted
from grader.errors import UsageError
from grader.exports.students import Student
from grader.exports.texts import named
from grader.intake.commits import commit_times
from grader.intake.download import Download
from grader.intake.work import Taken, Work

SUBMISSIONS = "-submissions"
"""How `gh classroom clone student-repos` ends the name of the folder around all repositories."""
UNTIMED = (
    "the time of a commit is its author's word, and GitHub's own of the push is not in a repository: entries have no time; "
    "--times of `grader grade` takes a table, and --commit-times takes authors at their word."
)
BELIEVED = "times are those of the last commits, which are their authors' word"


def is_github(download: Download) -> bool:
    """Whether all folders are repositories whose names begin alike."""
    folders = download.folders
    are = set(folders) <= download.repositories or (
        download.name.endswith(SUBMISSIONS) and download.name not in folders
    )
    return bool(folders) and are and bool(_prefix(download))


def github(download: Download, assignment: str = "", *, by_commits: bool = False) -> Taken:
    """Files by student; `assignment` is what all names begin with, if it is not to be guessed. `by_commits` takes the time of
    the commit that is checked out for that of handing in.

    Raises:
        UsageError: names do not begin alike, or there is one alone; times are wanted of a zip, or of what is no repository.
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
    times = _times(download, list(works)) if by_commits else {}
    works = {folder: replace(work, time=times.get(folder)) for folder, work in works.items()}
    untimed = [folder for folder in works if by_commits and times[folder] is None]
    others = [f"{quoted(name)}: does not begin with {prefix}" for name in download.folders if name not in works]
    others += [f"{quoted(item.path)}: in no repository" for item in download.at_root]
    notes = [f"students are what follows {prefix!r} in the names of folders", BELIEVED if by_commits else UNTIMED]
    notes += [f"without a commit that can be read, and so without a time: {named(untimed)}"] if untimed else []
    return Taken(list(works.values()), others, notes)


def _times(download: Download, folders: Sequence[str]) -> dict[str, datetime | None]:
    """The time of the last commit of each repository, in UTC."""
    places: dict[str, Path] = {}
    for item in download.items:
        if item.top in folders and isinstance(item.source, Path):
            places.setdefault(item.top, item.source.parents[item.rest.count("/")])
    missing = [folder for folder in folders if folder not in places or folder not in download.repositories]
    if missing:
        raise UsageError(
            f"expected folders of clones for --commit-times, found no repository (.git) in {named(missing)}; a zip of GitHub's "
            "has no commits."
        )
    return dict(zip(folders, commit_times([places[folder] for folder in folders]), strict=True))


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
