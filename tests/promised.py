"""A handout taken apart into promises, and the file that says which checks tell whether they are kept."""

import tomllib
from collections.abc import Iterator

import msgspec
from markdown_it import MarkdownIt

from grader.course import Course

EASILY_WRONG = "Easily wrong:"


class Promise(msgspec.Struct, forbid_unknown_fields=True):
    """Words of a handout, and the checks that tell whether they are kept, or why none can."""

    text: str
    checks: list[str] = []
    unchecked: str = ""


class Promises(msgspec.Struct, forbid_unknown_fields=True):
    """Of one assignment."""

    promise: list[Promise]
    elsewhere: list[Promise] = []


def read_promises(course: Course, name: str) -> Promises:
    """The file of an assignment."""
    path = course.root / "tests" / "promises" / f"{name}.toml"
    return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Promises)


def words(text: str) -> str:
    """The text with single spaces."""
    return " ".join(text.split())


def blocks_of(handout: str) -> Iterator[str]:
    """Promises of the tasks' sections: cells below `Promise`, items of numbered lists, what is easily wrong."""
    tokens = MarkdownIt("commonmark").enable("table").parse(handout)
    in_task, column, columns = False, 0, []
    for at, token in enumerate(tokens):
        inside = tokens[at - 1].type if at else ""
        if token.type == "inline" and inside == "heading_open" and tokens[at - 1].tag == "h2":
            in_task = token.content.startswith(("Task ", "Bonus"))
        if token.type == "tr_open":
            column = 0
        if not in_task or token.type != "inline":
            continue
        if inside == "th_open":
            columns = [*columns, token.content] if column else [token.content]
            column += 1
        elif inside == "td_open":
            if columns[column : column + 1] == ["Promise"]:
                yield words(token.content)
            column += 1
        elif inside == "paragraph_open" and _in_numbered_list(tokens, at):
            yield words(token.content)
        elif token.content.startswith(EASILY_WRONG):
            yield from words(token.content.removeprefix(EASILY_WRONG)).split(" · ")


def _in_numbered_list(tokens, at: int) -> bool:
    """Whether the paragraph is the item's own, and not one of a list inside of it."""
    return tokens[at - 2].type == "list_item_open" and tokens[at - 2].markup in (".", ")")


def out_of_step(course: Course, name: str) -> str:
    """Where the file's quotes, put together, are not what the handout promises; nothing when they are."""
    quoted = [words(promise.text) for promise in read_promises(course, name).promise]
    for block in blocks_of((course.handout(name) / "README.md").read_text("utf-8")):
        rest = block
        while rest:
            if not quoted or not rest.startswith(quoted[0]):
                return f"the handout says {rest!r}, the file {quoted[0] if quoted else 'nothing more'!r}"
            rest = rest[len(quoted.pop(0)) :].lstrip()
    return f"not in the handout: {quoted[0]!r}" if quoted else ""


def checks_out_of_step(course: Course, name: str) -> tuple[set[str], set[str]]:
    """Checks that the file names and the rubric does not have, and checks of the rubric that it does not name."""
    assignment, found = course.assignment(name), read_promises(course, name)
    rubric = {f"{task.name}.{check}" for task in assignment.task for check in task.checks}
    named = {check for promise in found.promise + found.elsewhere for check in promise.checks}
    return named - rubric, rubric - named
