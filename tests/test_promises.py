"""Every promise of a handout has a check, and every check a promise.

`tests/promises/<assignment>.toml` takes each handout apart: the `Promise` cells of its tasks' tables, their numbered lists
and what is `Easily wrong`, word for word and in order, so that a sentence that is changed or added fails here until
somebody has said which checks tell whether it is kept.

    [[promise]]
    text = "Disjoint, exhaustive, shuffled."
    checks = ["preprocess.split_parts", "preprocess.split_shuffles"]

    [[promise]]
    text = "Other names are up to you."
    unchecked = "A freedom, not a promise."

    [[elsewhere]]                            # stands in the handout's prose, or in a stub's docstring
    text = "the message names them"
    checks = ["explore.missing_columns"]
"""

from pathlib import Path

import pytest
from promised import blocks_of, checks_out_of_step, out_of_step, read_promises, words

from grader.course import Course

COURSE = Course(Path(__file__).resolve().parents[1])


@pytest.mark.parametrize("name", COURSE.names)
def test_the_handout_is_taken_apart_whole_and_in_order(name):
    """What the file quotes is, put together, what the handout promises."""
    assert out_of_step(COURSE, name) == ""


@pytest.mark.parametrize("name", COURSE.names)
def test_each_promise_has_checks_or_a_reason(name):
    found = read_promises(COURSE, name)
    for promise in found.promise + found.elsewhere:
        assert bool(promise.checks) != bool(promise.unchecked), promise.text
        assert promise.text.strip(), "words are quoted"
        assert "NO CHECK" not in promise.unchecked, f"a promise that nothing tells of: {promise.text}"


@pytest.mark.parametrize("name", COURSE.names)
def test_each_check_has_a_promise(name):
    unknown, unpromised = checks_out_of_step(COURSE, name)
    assert unknown == set(), "checks that there are not"
    assert unpromised == set(), "checks that ask for what nobody promised"


@pytest.mark.parametrize("name", COURSE.names)
def test_what_stands_elsewhere_stands_there(name):
    folder = COURSE.handout(name)
    stubs = [folder / task.file for task in COURSE.assignment(name).task]
    texts = [words(path.read_text("utf-8")) for path in (folder / "README.md", *stubs)]
    for promise in read_promises(COURSE, name).elsewhere:
        assert any(words(promise.text) in text for text in texts), promise.text


def test_the_parts_of_a_handout():
    text = """# Title
1. not a task
## Task 1 · `a.py`
Prose.

| Write | Promise |
|---|---|
| `f` | One. Two with `a \\| b`. |

| Other | Table |
|---|---|
| x | no promise |

1. **First.** More
   of it.
2. Second.

- a bullet

Easily wrong: this ·
that
## How it is marked
1. no promise
"""
    parts = ["One. Two with `a | b`.", "**First.** More of it.", "Second.", "this", "that"]
    assert list(blocks_of(text)) == parts
