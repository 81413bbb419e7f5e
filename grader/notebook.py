"""Notebooks as modules: what a student wrote in cells, as the task files that it stands for.

Which file a cell belongs to is said by a marker: a heading that names it (`## Task 3 · train.py`), a first line
`# train.py` or `# file: train.py`, or the cell's metadata `{"grader": {"file": "train.py"}}`; it holds up to the next
marker. A `%%writefile train.py` cell is that file, word for word; a `%%task train.py` cell is a part of it. Without markers
the notebook is every task file.

A file that has `%%task` cells is made of its own cells alone. Else, as a notebook has one namespace, each file gets the whole
notebook with its own cells last. It is as robust as Jupyter:
each statement stands in a `try` of its own, and a cell with a syntax error leaves functions behind that raise it when
they are called. Outputs, magics and shell lines are left out, and so is what only tries things out: bare expressions,
and calls of the notebook's own functions whose result no definition needs.
"""

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from grader.archive import member_path, quoted
from grader.cells import Cell, Kind, Statement, read_cell, stand_ins
from grader.course import Assignment
from grader.errors import InvalidSubmission
from grader.ipynb import Notebook, RawCell, parse, told_of
from grader.reading import read_apart

MOST_FILES = 50
COSTLY = "finally"  # which the compiler writes once for each way out: see `reading`

_HEADING = re.compile(r" {0,3}#{1,6}\s(.*)")
_FIRST_LINE = re.compile(r"#\s*(file:\s*)?([\w./-]+\.py)\s*")
_CELL_MAGIC = re.compile(r"%%(\w+)[ \t]*(.*)")
_BLANK = re.compile(rb'raise NotImplementedError\((?:["\'](?:Task \d+|Bonus): write |\)|["\']write this function)')
_PYTHON_MAGICS = frozenset(["capture", "prun", "time"])


class _Marker(msgspec.Struct, frozen=True):
    file: str = ""


class _Identity(msgspec.Struct, frozen=True):
    grade_id: str = ""


class _Contents(msgspec.Struct, frozen=True):
    """What a notebook of ours says of itself."""

    assignment: str = ""
    cells: list[str] = []


def read_notebook(data: bytes, assignment: Assignment) -> dict[str, bytes]:
    """Modules that a notebook stands for, by file name; one that may cost much to read is read in a process of its own.

    Raises:
        InvalidSubmission: not a notebook, another assignment's, not in Python, too much code, or without any function or
            class.
    """
    notebook = parse(data)
    costly = any(COSTLY in cell.text for cell in notebook.cells if cell.cell_type == "code")
    return read_apart(data, assignment) if costly else _modules(notebook, assignment)


def read_here(data: bytes, assignment: Assignment) -> dict[str, bytes]:
    """What `read_notebook` gives, in this process whatever it costs."""
    return _modules(parse(data), assignment)


def _modules(notebook: Notebook, assignment: Assignment) -> dict[str, bytes]:
    told = told_of(notebook.metadata.grader, _Contents) or _Contents()
    if told.assignment not in ("", assignment.name):
        raise InvalidSubmission(f"expected the notebook of {assignment.name}, found that of {quoted(told.assignment)}.")
    written, cells, parted = _code_cells(notebook, assignment.files)
    if any(statement.defines for cell in cells for statement in cell.statements) or any(cell.error for cell in cells):
        marked = {cell.file for cell in cells if cell.file}
        if len(marked) > MOST_FILES:
            raise InvalidSubmission(f"expected cells of at most {MOST_FILES} files in a notebook, found {len(marked)}.")
        for file in sorted(marked or set(assignment.files)):
            own = [cell for cell in cells if cell.file == file] if file in parted else cells
            written.setdefault(file, _module(own, file))
    if not written:
        raise InvalidSubmission("expected functions or classes in the notebook's code cells, found none.")
    return {file: text.encode(errors="backslashreplace") for file, text in written.items()}


def odd_cells(data: bytes) -> list[str]:
    """What became of the handed-out notebook's cells (nbgrader's `grade_id`), a clause for each that is there twice or gone.

    Only a notebook of ours can tell: it lists its cells of code in its own metadata. Of any other file nothing is said.
    """
    try:
        notebook = parse(data)
    except InvalidSubmission:
        return []
    told = [told_of(cell.metadata.nbgrader, _Identity) for cell in notebook.cells]
    counts = Counter(identity.grade_id for identity in told if identity and identity.grade_id)
    handed_out = told_of(notebook.metadata.grader, _Contents) or _Contents()
    twice = [f"has the cell {quoted(name)} more than once: the last one counts" for name, n in counts.items() if n > 1]
    gone = [f"lacks the cell {quoted(name)}, and what it defines" for name in handed_out.cells if name not in counts]
    return twice + gone


def _code_cells(notebook: Notebook, tasks: Sequence[str]) -> tuple[dict[str, str], list[Cell], set[str]]:
    """Files written by `%%writefile`, the code cells with the file that each belongs to ("" before any marker), and the files
    that have `%%task` cells."""
    written: dict[str, str] = {}
    cells: list[Cell] = []
    parted: set[str] = set()
    file = ""
    for number, raw in enumerate(notebook.cells, 1):
        file = _marker(raw, tasks) or file
        if raw.cell_type != "code":
            continue
        name, argument, body = _cell_magic(raw.text)
        if name in ("writefile", "file"):
            target, append = _target(argument)
            written[target] = written.get(target, "") + body if append else body
        elif name == "task":
            target, _ = _target(argument)
            parted.add(target)
            cells.append(read_cell(number, target, body))
        elif name == "" or name in _PYTHON_MAGICS:
            cells.append(read_cell(number, file, body))
    return written, cells, parted


def _marker(raw: RawCell, tasks: Sequence[str]) -> str:
    told = told_of(raw.metadata.grader, _Marker)
    if told and told.file:
        return member_path(told.file)
    if raw.cell_type == "code":
        match = _FIRST_LINE.fullmatch(raw.text.lstrip("\n").partition("\n")[0].strip())
        return member_path(match[2]) if match and (match[1] or match[2] in tasks) else ""
    if raw.cell_type != "markdown":
        return ""
    headings = [match[1] for match in map(_HEADING.match, raw.text.split("\n")) if match]
    named = [[task for task in tasks if re.search(rf"(?<![\w./-]){re.escape(task)}(?!\w)", text)] for text in headings]
    return next((found[0] for found in reversed(named) if len(found) == 1), "")


def _cell_magic(text: str) -> tuple[str, str, str]:
    """Name, argument and body of a cell that starts with `%%name`; the name is "" for one that does not."""
    match = _CELL_MAGIC.match(text.lstrip())
    if not match:
        return "", "", text
    return match[1], match[2].strip(), text.lstrip().partition("\n")[2]


def _target(argument: str) -> tuple[str, bool]:
    append = re.match(r"(-a|--append)\s+", argument)
    path = member_path((argument[append.end() :] if append else argument).strip().strip("\"'"))
    if not path:
        raise InvalidSubmission("expected a file name after %%writefile or %%task, found none.")
    return path, bool(append)


def _module(cells: Sequence[Cell], file: str) -> str:
    """The whole notebook as one module, the cells of `file` last."""
    ordered = [cell for cell in cells if cell.file != file] + [cell for cell in cells if cell.file == file]
    statements = [statement for cell in ordered for statement in cell.statements]
    defined = {name for statement in statements for name in statement.defines}
    assigned = {name for statement in statements for name in statement.assigns}
    kept = _worth_running(statements, defined, assigned, {name for cell in ordered for name in cell.reads})
    future = [statement.text for statement in statements if statement.kind is Kind.FUTURE]
    parts = list(dict.fromkeys(future))
    for cell in ordered:
        parts.append(f"# cell {cell.number}")
        parts.extend(statement.guarded for statement in cell.statements if statement in kept)
        if cell.error:
            parts.extend(stand_ins(cell, defined | assigned))
    return "\n".join(parts) + "\n"


def _worth_running(
    statements: Sequence[Statement], defined: set[str], assigned: set[str], read: set[str]
) -> set[Statement]:
    """Definitions, imports, what gives a definition its values, and plain assignments; no trial runs.

    `defined` are the notebook's own functions and classes, `assigned` its other names, `read` the global names that the
    functions and classes read.
    """
    needed, kept = set(read), set()
    for statement in reversed(statements):
        changes = statement.assigns | (statement.calls & assigned)
        if statement.kind in (Kind.DEFINITION, Kind.IMPORT) or changes & needed:
            needed |= statement.uses
        elif statement.kind is not Kind.ASSIGNMENT or statement.calls & defined:
            continue
        kept.add(statement)
    return kept


def with_notebook(files: dict[str, bytes], assignment: Assignment) -> dict[str, bytes]:
    """The files, and from notebooks among them the task files that are missing or less written; else .py files win.

    The handed-out folder holds stubs beside the notebook: who worked in the notebook hands in both.
    """
    missing = [file for file in assignment.files if file not in files]
    unwritten = [file for file in assignment.files if _blanks(files.get(file, b""))]
    notebooks = [path for path in files if path.endswith(".ipynb") and "/" not in path]
    supplied = {}
    for notebook in {
        name: None for file in [*missing, *unwritten] if (name := _notebook_of(file, notebooks, assignment))
    }:
        try:
            modules = read_notebook(files[notebook], assignment)
        except InvalidSubmission as error:
            if len(missing) == len(assignment.files):
                raise InvalidSubmission(f"{quoted(notebook)}: {error}") from None
            continue
        for file, content in modules.items():
            if file not in assignment.files or _notebook_of(file, notebooks, assignment) == notebook:
                supplied[file] = content
    less_written = [file for file in unwritten if file in supplied and _blanks(supplied[file]) < _blanks(files[file])]
    return {**supplied, **{name: content for name, content in files.items() if name not in less_written}}


def _blanks(content: bytes) -> int:
    """How many functions are still as the stub has them."""
    return len(_BLANK.findall(content))


def _notebook_of(file: str, notebooks: list[str], assignment: Assignment) -> str | None:
    """The notebook that a task file may come from: `train.ipynb`, the assignment's own, or the only other one."""
    for name in (file.removesuffix(".py"), assignment.name):
        if f"{name}.ipynb" in notebooks:
            return f"{name}.ipynb"
    others = [name for name in notebooks if name.removesuffix(".ipynb") + ".py" not in assignment.files]
    return others[0] if len(others) == 1 else None
