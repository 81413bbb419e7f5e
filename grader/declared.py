"""What people write, in a TOML file or for a name, checked against what there is, and refused in their words if it is not."""

import difflib
import re
from collections.abc import Collection, Iterable
from typing import Any, TypeVar

import msgspec

from grader.errors import UsageError

Kind = TypeVar("Kind", bound=msgspec.Struct)
WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "datetime": "a time with its zone, as in 2026-05-01T23:59:00+02:00",
    "date": "a date alone",
    "time": "a time of day alone",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}
"""msgspec's names of types -> what they are in TOML."""
_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?\$\.?(?P<place>.*)`)?", re.DOTALL)
_ITEM = re.compile(r"(\w+)\[(\d+)\]")
_TYPE = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<found>[^`]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]+)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")


def checked(table: dict[str, Any], kind: type[Kind], where: str, parts: Iterable[type[msgspec.Struct]] = ()) -> Kind:
    """A table of a TOML file as what it declares; `parts` are the kinds of the tables in it.

    Raises:
        UsageError: an unknown key (with the nearest known one), a missing one, or an impossible value. It begins with `where`.
    """
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        kinds: list[type[msgspec.Struct]] = [kind, *parts]
        known = {name for one in kinds for name in one.__struct_fields__}
        raise UsageError(f"{where}{_said(str(error), known)}.") from None


def one_of(what: str, name: str, known: Collection[str], where: str = "") -> str:
    """The name, which is one of those known; `what` it is of, and `where`, are for whoever mistypes it.

    Raises:
        UsageError: it is none of them, with the nearest, or all where none is near.
    """
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}."
    raise UsageError(f"no {what} {name!r}{where}: {hint}")


def _said(message: str, known: Collection[str]) -> str:
    found = _PLACE.fullmatch(message)
    assert found
    what, place = found["what"], found["place"]
    at = ", " + _ITEM.sub(lambda one: f"[[{one[1]}]] {int(one[2]) + 1}", place) if place else ""
    if unknown := _UNKNOWN.fullmatch(what):
        near = difflib.get_close_matches(unknown["name"], known, 1)
        return f"{at}: there is no {unknown['name']!r}" + (f" (did you mean {near[0]!r}?)" if near else "")
    if missing := _MISSING.fullmatch(what):
        return f"{at}: expected {missing['name']!r}, found none"
    if wrong := _TYPE.fullmatch(what):
        expected = " or ".join(WORDS.get(one, one) for one in wrong["expected"].split(" | ") if one != "null")
        return f"{at}: expected {expected}, found {WORDS.get(wrong['found'], wrong['found'])}"
    return f"{at if at and not at.endswith('...]') else ''}: {what}"
