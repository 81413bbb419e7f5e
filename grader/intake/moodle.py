"""Moodle's “Download all submissions”: `Ada Lovelace_1234567_assignsubmission_file/train.py`.

The number is the participant's in this assignment, as in the grading worksheet. Older versions end the folder's name with `_`;
without “Download submissions in folders” all is flat, `Ada Lovelace_1234567_assignsubmission_file_train.py`. In the zip, files
have the time of the download, or of the upload of whoever had the same file first: neither says when it was handed in. The
worksheet has that, as words in the reader's language and zone (`worksheet`).

Source: `mod/assign/classes/downloader.php` of https://github.com/moodle/moodle, and https://docs.moodle.org/en/Assignment_settings
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from grader.archive import quoted
from grader.exports.students import Student
from grader.exports.texts import named
from grader.intake.download import Download, Item
from grader.intake.work import Taken, Work

_FOLDER = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<plugin>[a-z0-9]+)_?", re.DOTALL)
_FLAT = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<plugin>[a-z0-9]+)_(?P<rest>.+)", re.DOTALL)
UNTIMED = (
    "Moodle's download does not tell when something was handed in, and the times in its zip are others: entries have no time; "
    "--worksheet takes the grading worksheet, which does, and --times of `grader grade` a table."
)


def is_moodle(download: Download) -> bool:
    """Whether folders, or files at the root, are named as Moodle names them."""
    folders = any(_FOLDER.fullmatch(folder) for folder in download.folders)
    return folders or any(_FLAT.fullmatch(item.path) for item in download.at_root)


def moodle(download: Download, submitted: Mapping[str, datetime] | None = None) -> Taken:
    """Files by student; online text and whatever else is no file of the student's is left alone.

    `submitted` are the times of the worksheet, by participant.
    """
    works: defaultdict[str, dict[str, Item]] = defaultdict(dict)
    students: dict[str, Student] = {}
    left = {}
    for item in download.items:
        found = _FOLDER.fullmatch(item.top) if item.rest else _FLAT.fullmatch(item.path)
        if found is None:
            left[item.top] = "not named as Moodle names what was handed in"
        elif found["plugin"] != "file":
            left[item.top] = (
                "online text, and no file" if found["plugin"] == "onlinetext" else f"of {found['plugin']}, no file"
            )
        else:
            path = item.rest or found["rest"]
            students.setdefault(found["id"], Student(f"{found['name']}_{found['id']}", found["name"], found["id"]))
            if path in works[found["id"]]:
                left[item.path] = "a second file of the same name"
                continue
            works[found["id"]][path] = item
    times = submitted or {}
    told = [Work(one := students[number], files, one.student, times.get(number)) for number, files in works.items()]
    untimed = [work.who.student for work in told if work.time is None]
    notes = [UNTIMED] if submitted is None else []
    if submitted is not None and untimed:
        notes.append(f"the worksheet does not say when they handed in, so they have no time: {named(untimed)}")
    return Taken(told, [f"{quoted(name)}: {why}" for name, why in left.items()], notes)
