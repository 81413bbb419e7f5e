"""Canvas' “Download Submissions”: flat files, `lovelaceada_LATE_4711_99001_train-1.py`.

That is the sortable name without all but letters and digits, `LATE` if it was, Canvas' number of the student, that of the
file, and its name; `anon_…` stands for name and number where grading is anonymous. Text entries and links are `…_text.html`
and `…_link.html`. Canvas adds `-1`, `-2` to names that a student has uploaded before. When something was handed in is not told.

Source: `lib/content_zipper.rb` of https://github.com/instructure/canvas-lms
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from grader.archive import quoted
from grader.exports.students import Student
from grader.exports.texts import counted, named
from grader.intake.download import Download, Item
from grader.intake.work import Taken, Work

_WHO = r"(?:(?P<late_anon>LATE_)?(?P<anon>anon_[0-9A-Za-z]{5})|(?P<name>[^/]+?)_(?P<late>LATE_)?(?P<user>\d+))"
_FILE = re.compile(rf"{_WHO}_(?P<file>\d+)_(?P<rest>[^/]+)", re.DOTALL)
_OTHER = re.compile(rf"{_WHO}_(?P<what>text|link)\.html", re.DOTALL)
_AGAIN = re.compile(r"(?P<stem>.+)-\d+(?P<suffix>\.(?:py|ipynb|zip))", re.IGNORECASE | re.DOTALL)
UNTIMED = (
    "Canvas does not tell when something was handed in: entries have no time; --times of `grader grade` takes a table."
)


def is_canvas(download: Download) -> bool:
    """Whether files at the root are named as Canvas names them."""
    return any(_FILE.fullmatch(item.path) for item in download.at_root)


def canvas(download: Download) -> Taken:
    """Files by student; a text entry or a link is left alone."""
    works: defaultdict[str, list[tuple[str, Item]]] = defaultdict(list)
    students: dict[str, Student] = {}
    left = []
    for item in download.items:
        found = _FILE.fullmatch(item.path)
        if found is None:
            left.append(f"{quoted(item.path)}: {_why(item)}")
            continue
        number = found["anon"] or found["user"]
        late = bool(found["late"] or found["late_anon"])
        before = students.get(
            number, Student(found["anon"] or f"{found['name']}_{number}", found["name"] or "", number)
        )
        students[number] = Student(before.student, before.name, number, late="yes" if late or before.late else "")
        works[number].append((found["rest"], item))
    told = [Work(students[number], _named(those, left), students[number].student) for number, those in works.items()]
    return Taken(told, left, [UNTIMED, *_late(students.values())])


def _late(students: Iterable[Student]) -> list[str]:
    """A line on whom Canvas calls late: it costs nobody anything until somebody says how late they were."""
    late = sorted(one.student for one in students if one.late)
    if not late:
        return []
    return [
        f"Canvas calls {counted(len(late), 'student')} LATE and does not say how late, so nothing is taken off until --times "
        f"does: {named(late)}"
    ]


def _why(item: Item) -> str:
    other = _OTHER.fullmatch(item.path)
    if other is None:
        return "not named as Canvas names files"
    return "a text entry, and no file" if other["what"] == "text" else "a link, and no file"


def _named(files: list[tuple[str, Item]], left: list[str]) -> dict[str, Item]:
    """The files under the names that the student gave them; Canvas' number goes where nothing else has that name."""
    names = [name for name, _ in files]
    given = [_AGAIN.sub(r"\g<stem>\g<suffix>", name) if _AGAIN.fullmatch(name) else name for name in names]
    found = {}
    for name, plain, item in zip(names, given, (item for _, item in files), strict=True):
        alone = given.count(plain) == 1
        wanted = plain if alone else name
        if wanted in found:
            left.append(f"{quoted(item.path)}: a second file of the same name")
            continue
        found[wanted] = item
    return found
