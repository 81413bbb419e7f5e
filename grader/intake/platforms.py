"""Which platform a download is from, by what it looks like or by what is said, and what is in it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from grader.declared import one_of
from grader.errors import UsageError
from grader.intake.canvas import canvas, is_canvas
from grader.intake.download import Download
from grader.intake.github import github, is_github
from grader.intake.gradescope import gradescope, is_gradescope
from grader.intake.moodle import is_moodle, moodle
from grader.intake.nbgrader import is_nbgrader, nbgrader
from grader.intake.work import Taken

LOOKS: dict[str, Callable[[Download], bool]] = {
    "canvas": is_canvas,
    "moodle": is_moodle,
    "gradescope": is_gradescope,
    "github": is_github,
    "nbgrader": is_nbgrader,
}
WITH_ASSIGNMENT = ("github", "nbgrader")
_DEEPEST = 3
"""Folders around a download: whoever packs it anew adds one."""


def known_platform(name: str) -> str:
    """The name of a platform, or nothing.

    Raises:
        UsageError: there is none of this name.
    """
    return one_of("platform", name, LOOKS) if name else name


def take(
    download: Download,
    platform: str = "",
    assignment: str = "",
    *,
    by_commits: bool = False,
    submitted: Mapping[str, datetime] | None = None,
) -> tuple[str, Taken]:
    """The platform and all works of a download; `platform` and `assignment` are empty where they are to be found out.

    `by_commits` takes the times of commits for those of handing in; `submitted` are those of Moodle's worksheet.

    Raises:
        UsageError: it looks like no platform's, or like more than one's, or as of the platform.
    """
    found, inside = _recognised(download, platform)
    if assignment and found not in WITH_ASSIGNMENT:
        raise UsageError(f"expected --assignment with {' or '.join(WITH_ASSIGNMENT)}, found it with {found}.")
    if by_commits and found != "github":
        raise UsageError(f"expected --commit-times with github, found it with {found}.")
    if submitted is not None and found != "moodle":
        raise UsageError(f"expected --worksheet with moodle, found it with {found}.")
    if found == "github":
        return found, github(inside, assignment, by_commits=by_commits)
    if found == "nbgrader":
        return found, nbgrader(inside, assignment)
    if found == "moodle":
        return found, moodle(inside, submitted)
    return found, (canvas if found == "canvas" else gradescope)(inside)


def _recognised(download: Download, platform: str) -> tuple[str, Download]:
    """The platform, and the download without folders around it."""
    inside: Download | None = download
    for _ in range(_DEEPEST):
        if inside is None:
            break
        alike = [name for name, looks in LOOKS.items() if looks(inside) and platform in ("", name)]
        if len(alike) == 1:
            return alike[0], inside
        if alike:
            raise UsageError(f"{download.name} looks like a download of {' and '.join(alike)}: say which with --from.")
        inside = inside.inside()
    if (
        platform in WITH_ASSIGNMENT
    ):  # neither need be to be seen: of one repository what it begins with, of files a time
        return platform, download
    shown = ", ".join([*download.folders, *(item.path for item in download.at_root)][:5])
    who = f"of {platform}" if platform else f"of {', '.join(LOOKS)}"
    raise UsageError(
        f"expected a download {who}, found {shown} in {download.name}: none of them is named as there; see docs/intake.md."
    )
