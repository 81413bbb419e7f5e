"""Names of entries: a student's, safe as a folder's on every system, and one that `grader grade` takes for nobody else's."""

import re
import unicodedata

from grader.archive import JUNK_FILES, JUNK_FOLDERS

_LONGEST = 150  # bytes: room for the time of an attempt, and for the names of results
_UNSAFE = re.compile(r'[/\\:*?"<>|\u202a-\u202e\u2066-\u2069]')
_TIME = re.compile(r"@(?=\d{4}-\d\d-\d\d)")
_NO_ENTRY = re.compile(r"expected\.json|readme(\.\w+)?|nbgrader_config\.py", re.IGNORECASE)


def entry_name(student: str) -> str:
    """A student's name as that of an entry: `_` for what file systems or terminals would obey, never hidden, never empty.

    A time in it would make it another student's attempt: its `@` goes, too.
    """
    text = unicodedata.normalize("NFC", student.encode("utf-8", "replace").decode("utf-8"))
    text = "".join("_" if unicodedata.category(letter) in ("Cc", "Cs", "Cn") else letter for letter in text)
    text = _TIME.sub("_", _UNSAFE.sub("_", " ".join(text.split())))
    while len(text.encode()) > _LONGEST:
        text = text[:-1]
    text = text.strip().rstrip(".").strip()
    taken = text in JUNK_FOLDERS | JUNK_FILES or _NO_ENTRY.fullmatch(text)
    return f"_{text}" if taken or not text or text.startswith(".") else text


def same(name: str) -> str:
    """What two names have in common that are one student's to `grader grade`."""
    return unicodedata.normalize("NFC", " ".join(name.casefold().split()))
