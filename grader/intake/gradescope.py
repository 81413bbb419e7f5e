"""Gradescope's “Export submissions”: `submission_123456/`, and who and when in `submission_metadata.yml`.

The file is Ruby's YAML: keys are symbols, `:submitters:`, which are text here; a tag of whatever kind makes no object.
Of a group, each submitter gets the same files. Earlier submissions of a `:history:` are attempts where their files are there.

Source: https://guides.gradescope.com (Exporting submissions), and exports as they come
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from grader.archive import MB, quoted
from grader.attempts import moment
from grader.errors import InvalidSubmission, UsageError
from grader.exports.students import Student
from grader.intake.download import Download, Item
from grader.intake.work import Taken, Work

METADATA = "submission_metadata.yml"
_MOST_MB = 64


def is_gradescope(download: Download) -> bool:
    """Whether the metadata lie at the root."""
    return any(item.path == METADATA for item in download.at_root)


def gradescope(download: Download) -> Taken:
    """Files by submitter and time.

    Raises:
        UsageError: the metadata are missing, or cannot be read.
    """
    files: dict[str, dict[str, Item]] = {}
    for item in download.items:
        if item.path != METADATA:
            files.setdefault(item.top, {})[item.rest or item.path] = item
    works: list[Work] = []
    notes: list[str] = []
    told: set[str] = set()
    absent: Counter[tuple[bool, str]] = Counter()
    for one in _submissions(_metadata(download), notes):
        if one.key not in files:
            absent[one.earlier, _names(one.submitters)] += 1
            continue
        time, why = _time(one.created)
        notes += [f"{quoted(one.key)} has no time: {why}"] if why else []
        told |= {one.key} if one.submitters else set()
        works += [Work(who, files[one.key], one.key, time) for who in one.submitters]
    for (earlier, names), count in absent.items():
        what = f"{count} earlier submissions of {names} are" if earlier else f"a submission of {names} is"
        notes.append(f"{what} in {METADATA}, without files in the download")
    left = [f"{quoted(key)}: {METADATA} names no submitter of it" for key in files if key not in told]
    return Taken(works, left, notes)


@dataclass(frozen=True)
class _Submission:
    """What the metadata tell of one: its folder, who, when, and whether there is a later one."""

    key: str
    submitters: list[Student]
    created: object
    earlier: bool = False


def _submissions(metadata: Mapping[str, Any], notes: list[str]) -> Iterator[_Submission]:
    for key, about in metadata.items():
        if not isinstance(about, Mapping):
            notes.append(f"{quoted(str(key))} in {METADATA} is no submission")
            continue
        submitters = _submitters(about)
        yield _Submission(str(key), submitters, about.get(":created_at"))
        history = about.get(":history")
        for one in history if isinstance(history, list) else ():
            if isinstance(one, Mapping):
                who = _submitters(one) or submitters
                yield _Submission(f"submission_{one.get(':id')}", who, one.get(":created_at"), earlier=True)


def _submitters(about: Mapping[str, Any]) -> list[Student]:
    """Who handed something in; known by the address, or else by the student id or the name."""
    students = []
    given = about.get(":submitters")
    for one in given if isinstance(given, list) else ():
        if not isinstance(one, Mapping):
            continue
        name, sid, email = (_text(one.get(key)) for key in (":name", ":sid", ":email"))
        email = email.lower()
        if email or sid or name:
            students.append(Student(email or sid or name, name, sid, email))
    return students


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _names(submitters: Iterable[Student]) -> str:
    return ", ".join(one.name or one.student for one in submitters) or "nobody"


def _time(created: object) -> tuple[datetime | None, str]:
    """A time in UTC, or why there is none."""
    if isinstance(created, datetime) and created.tzinfo:
        return created.astimezone(UTC), ""
    if isinstance(created, str):
        try:
            return moment(created.replace(" UTC", "+00:00").replace(" +", "+").replace(" -", "-")), ""
        except ValueError as error:
            return None, str(error)
    if isinstance(created, date):
        return None, f"expected a time with its zone, found {created}"
    return None, "there is none in the metadata"


def _metadata(download: Download) -> Mapping[str, Any]:
    item = next((item for item in download.items if item.path == METADATA), None)
    if item is None:
        raise UsageError(f"expected {METADATA} in an export of Gradescope's, found none in {download.name}.")
    if item.size > _MOST_MB * MB:
        raise UsageError(f"expected {METADATA} of at most {_MOST_MB} MB, found {item.size / MB:,.0f} MB.")
    try:
        found = _loaded(download.read(item))
    except (InvalidSubmission, ValueError, RecursionError) as error:
        raise UsageError(
            f"expected YAML in {METADATA}, found a mistake: {' '.join(str(error).split())[:200]}."
        ) from None
    if not isinstance(found, Mapping):
        raise UsageError(f"expected submissions in {METADATA}, found {type(found).__name__}.")
    return found


def _loaded(data: bytes) -> object:
    """YAML as plain values; what has a tag of Ruby's is read as if it had none.

    Raises:
        ValueError: it is no YAML.
    """
    import yaml

    safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the faster one is not everywhere

    class Loader(safe):
        """Plain values alone."""

    def plain(loader: Any, tag: str, node: Any) -> object:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("!", plain)
    Loader.add_multi_constructor("tag:ruby", plain)
    for kind in ("int", "float"):  # a student id is text: 0100 is not 64
        Loader.add_constructor(f"tag:yaml.org,2002:{kind}", Loader.construct_scalar)
    try:
        return yaml.load(data, Loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
