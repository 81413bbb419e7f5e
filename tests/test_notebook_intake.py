"""Notebooks as students write them, run as the modules that they stand for."""

import json
import resource
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import reading
from grader.course import Assignment, Task
from grader.errors import InvalidSubmission
from grader.ipynb import MOST_CELLS, MOST_CODE
from grader.notebook import MOST_FILES, odd_cells, read_notebook

PROJECT = Assignment(
    name="project",
    title="Project",
    difficulty="easy",
    task=[
        Task(number=n, name=name, title=name, checks={"one": 1.0})
        for n, name in enumerate(("explore", "train", "evaluate"), 1)
    ],
)


def code(*lines: str, **metadata: object) -> dict:
    return {"cell_type": "code", "metadata": metadata, "source": "\n".join(lines), "outputs": [{"output_type": "x"}]}


def text(*lines: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": "\n".join(lines)}


def notebook(*cells: dict, **extra: object) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **extra}).encode()


def modules(*cells: dict) -> dict[str, str]:
    return {name: content.decode() for name, content in read_notebook(notebook(*cells), PROJECT).items()}


def run(source: str) -> types.SimpleNamespace:
    """What importing a module of this source leaves behind."""
    names: dict[str, object] = {"__name__": "train"}
    exec(compile(source, "train.py", "exec", dont_inherit=True), names)
    return types.SimpleNamespace(**names)


def run_train(*cells: dict) -> types.SimpleNamespace:
    return run(modules(*cells)["train.py"])


# Which cell belongs to which file


def test_without_markers_every_task_file_is_the_whole_notebook():
    found = modules(code("import math"), code("def train(): return math.pi"), code("def explore(): return train()"))
    assert set(found) == {"explore.py", "train.py", "evaluate.py"}
    assert all(run(source).explore() == pytest.approx(3.14159265) for source in found.values())


@pytest.mark.parametrize(
    "marker",
    [
        [text("## Task 2 · `train.py`"), code("def train(): return 2")],
        [text("Intro", "", "# train.py: the loop", "Text"), code("def train(): return 2")],
        [code("# train.py", "def train(): return 2")],
        [code("", "#file: train.py ", "def train(): return 2")],
        [code("def train(): return 2", grader={"file": "train.py"})],
        [{**text("Now the loop"), "metadata": {"grader": {"file": "train.py"}}}, code("def train(): return 2")],
    ],
)
def test_a_marker_names_the_file_of_the_cells_below(marker):
    found = modules(code("one = 1"), text("# explore.py"), code("def explore(): return one"), *marker)
    assert set(found) == {"explore.py", "train.py"}
    assert run(found["train.py"]).train() == 2
    assert run(found["explore.py"]).explore() == 1


@pytest.mark.parametrize(
    "line",
    ["train.py", "# retrain.py", "# src/train.py", "# train.python", "# from explore.py to train.py", "#train.py"],
)
def test_what_only_looks_like_a_heading_is_no_marker(line):
    assert set(modules(text(line), code("def f(): pass"))) == {"explore.py", "train.py", "evaluate.py"}


def test_a_name_means_in_each_file_what_it_means_below_its_heading():
    cells = [
        *(code("# explore.py", "def plot(): return 'explore'", "def explore(): return plot()"),),
        *(code("# train.py", "def plot(): return 'train'", "def train(): return plot()"),),
    ]
    found = modules(*cells)
    assert run(found["explore.py"]).explore() == "explore"
    assert run(found["train.py"]).train() == "train"


def test_a_section_uses_what_others_define_without_importing_it():
    found = modules(
        text("# train.py"),
        code("class Model: depth = 3"),
        text("# evaluate.py"),
        code("def evaluate(): return Model.depth"),
    )
    assert run(found["evaluate.py"]).evaluate() == 3


def test_other_files_may_be_named_explicitly():
    found = modules(code("# file: lib/helper.py", "def h(): return 1"), code("# train.py", "def train(): pass"))
    assert set(found) == {"lib/helper.py", "train.py"}


def test_a_written_file_is_that_file_word_for_word():
    body = "def train():\n    print('x')  # kept\nprint('kept')"
    found = modules(
        code("def explore(): return 1"), code("%%writefile train.py", body), code("import train; train.train()")
    )
    assert found["train.py"] == body
    assert run(found["evaluate.py"]).explore() == 1
    assert "print" not in found["evaluate.py"]


def test_a_file_is_appended_to():
    cells = [code("%%writefile train.py", "a = 1", ""), code("%%writefile -a 'train.py'", "b = 2")]
    assert modules(*cells) == {"train.py": "a = 1\nb = 2"}


@pytest.mark.parametrize("path", ["../train.py", "/etc/passwd", ""])
def test_a_file_cannot_be_written_elsewhere(path):
    with pytest.raises(InvalidSubmission):
        modules(code(f"%%writefile {path}", "x = 1"))
    with pytest.raises(InvalidSubmission):
        modules(code("def f(): pass", grader={"file": "/../x.py"}))


# What runs


def test_trials_are_left_out():
    ran = run_train(
        code("import sys", "log = []", "def train(n): sys.intern('x'); return [n]", "log2 = train(3)"),
        code("train(1); print(train(2))", "train(5)"),
        code("for n in range(10**9):", "    train(n)"),
        code("if __name__ == '__main__':", "    train(7)"),
        code("sys.exit(3)"),
        code("history = train(10)", "best = max(history)"),
    )
    assert ran.train(4) == [4]
    assert not {"log2", "history", "best", "n"} & set(vars(ran))


def test_what_definitions_need_runs():
    ran = run_train(
        code("def ladder(): return {'Ex': 5}", "LADDER = ladder()", "LADDER['Gd'] = 4", "LADDER.update(TA=3)"),
        code("for grade in ['Fa', 'Po']:", "    LADDER[grade] = 1", "base = object"),
        code("import numpy as np", "np.random.seed(0)"),
        code("class Net(base): pass", "def train(depth=len(LADDER)): return sorted(LADDER), depth"),
    )
    assert ran.train() == (["Ex", "Fa", "Gd", "Po", "TA"], 5)
    assert issubclass(ran.Net, object)


def test_names_may_be_given_by_assignment():
    ran = run_train(
        code(
            "from functools import partial",
            "def run(a, b): return a + b",
            "train = partial(run, 1)",
            "evaluate = lambda: 2",
        )
    )
    assert (ran.train(2), ran.evaluate()) == (3, 2)


def test_a_cell_that_fails_takes_no_other_along():
    ran = run_train(
        code("import no_such_package as nsp", "from google.colab import drive"),
        code("df = open('no such file')", "columns = df.columns"),
        code("def plot(data=df): return data"),
        code("class Net(nsp.Module): pass"),
        code("def train(): return 1"),
    )
    assert ran.train() == 1
    assert not hasattr(ran, "Net")


def test_of_two_definitions_the_last_wins():
    assert run_train(code("def train(): return 1"), code("def train(): return 2")).train() == 2


def test_a_syntax_error_is_met_where_its_function_is_called():
    cells = [
        code("def explore(): return 1"),
        code("", "def train(x:", "    return 2"),
        code("class Net", "  pass"),
        code("oops("),
    ]
    ran = run_train(*cells)
    assert ran.explore() == 1
    with pytest.raises(SyntaxError, match=r"cell 2 of the notebook, line 2"):
        ran.train(1, epochs=3)
    with pytest.raises(SyntaxError, match=r"cell 3 of the notebook"):
        ran.Net()


def test_a_syntax_error_leaves_what_was_there_before():
    assert run_train(code("def train(): return 1"), code("def train(: return 2")).train() == 1
    assert run_train(code("train = lambda: 1", "def explore(): pass"), code("def train(: return 2")).train() == 1


# What is no notebook


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "expected a Jupyter notebook"),
        (b"{", "expected a Jupyter notebook"),
        (b"[]", "expected a Jupyter notebook"),
        (b"{}", "expected a Jupyter notebook"),
        (b"def train(): pass", "expected a Jupyter notebook"),
        (b"\xff\xfe{\0", "expected a Jupyter notebook"),
        (b"[" * 100_000, "expected a Jupyter notebook"),
        (b'{"nbformat": 4, "cells": [' + b"[" * 100_000, "expected a Jupyter notebook"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 5}]}', "expected a Jupyter notebook"),
        (b'{"nbformat": 4, "cells": 7}', "expected a Jupyter notebook"),
        (b'{"nbformat": "4", "cells": []}', "expected a Jupyter notebook"),
        (b'{"nbformat": 9, "cells": []}', "format 4, found 9"),
        (b'{"nbformat": 1}', "cannot be converted"),
        (b'{"nbformat": 3, "worksheets": [{"cells": 3}]}', "cannot be converted"),
        (notebook(), "found none"),
        (notebook(text("# train.py")), "found none"),
        (notebook(code("x = 1")), "found none"),
        (notebook(code("f <- 1"), metadata={"kernelspec": {"language": "R"}}), "found one in 'R'"),
        (notebook(code("x"), metadata={"language_info": {"name": "julia"}}), "found one in 'julia'"),
        (notebook(code("x = '\ud800'")), "surrogate"),
        (notebook(*[code()] * (MOST_CELLS + 1)), "2000 cells in a notebook, found 2001"),
        (notebook(code("#" * (MOST_CODE + 1))), "256 KB of code"),
    ],
)
def test_what_is_no_notebook_is_one_line(data, said):
    with pytest.raises(InvalidSubmission, match=said) as caught:
        read_notebook(data, PROJECT)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


def test_odd_notebooks_are_read():
    """A byte-order mark, sources as lists, Windows line ends, outputs of any size, metadata of any kind."""
    cell = {"cell_type": "code", "source": ["def train():\r\n", "    return 1"], "outputs": [{"data": "x" * 1_000_000}]}
    data = notebook(
        cell, code("x = 1", grader="yes"), metadata={"kernelspec": None, "language_info": {"name": "python"}}
    )
    assert run(read_notebook(b"\xef\xbb\xbf" + data, PROJECT)["train.py"].decode()).train() == 1


def test_notebooks_of_format_3_are_converted():
    cells = [
        {"cell_type": "heading", "level": 2, "source": "train.py"},
        {
            "cell_type": "code",
            "language": "python",
            "input": "def train(): return 3",
            "outputs": [],
            "collapsed": False,
        },
    ]
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": cells, "metadata": {}}],
    }
    found = read_notebook(json.dumps(old).encode(), PROJECT)
    assert set(found) == {"train.py"}
    assert run(found["train.py"].decode()).train() == 3


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.binary(max_size=60),
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
)
def test_any_file_is_read_or_refused(data, tree):
    for content in (
        data,
        notebook(*[tree]),
        json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": tree}]}).encode(),
    ):
        try:
            read_notebook(content, PROJECT)
        except InvalidSubmission:
            continue


def handed_out(*names: str, listed: tuple[str, ...] = ("write-train-fit", "given-train-1")) -> bytes:
    """A notebook of ours with cells of these names, which was handed out with those that are listed."""
    cells = [code("%%task train.py\ndef fit(): ...", nbgrader={"grade_id": name}) for name in names]
    return notebook(*cells, metadata={"grader": {"cells": list(listed)}})


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["write-train-fit", "given-train-1"], []),
        (["write-train-fit"], ["lacks the cell 'given-train-1', and what it defines"]),
        (
            ["given-train-1", "write-train-fit", "write-train-fit"],
            ["has the cell 'write-train-fit' more than once: the last one counts"],
        ),
        (
            [],
            [
                "lacks the cell 'write-train-fit', and what it defines",
                "lacks the cell 'given-train-1', and what it defines",
            ],
        ),
    ],
)
def test_cells_that_were_copied_or_deleted_are_named(names, said):
    assert odd_cells(handed_out(*names)) == said


@pytest.mark.parametrize(
    "data",
    [
        b"no notebook",
        notebook(code("x = 1")),
        notebook(metadata={"grader": {"cells": 3}}),
        notebook(code("x = 1", nbgrader={"grade_id": ["a"]}), metadata={"grader": "cells"}),
    ],
)
def test_of_other_notebooks_nothing_is_said(data):
    assert odd_cells(data) == []


def test_cells_of_a_task_make_its_file_alone():
    files = modules(
        text("## Task 2 · train.py"),
        code("%%task train.py", "import math", "def fit():", "    return math.pi"),
        code("def helper():", "    return 1"),
        text("## Task 3 · evaluate.py"),
        code("%%task evaluate.py", "def guess():", "    return 2"),
        code("%time guess()"),
    )
    assert run(files["train.py"]).fit() > 3
    assert run(files["train.py"]).helper() == 1  # below its heading, whoever forgot the first line
    assert run(files["evaluate.py"]).guess() == 2
    assert "guess" not in files["train.py"]
    assert "fit" not in files["evaluate.py"]
    assert set(files) == {"train.py", "evaluate.py"}


def test_of_two_cells_of_one_function_the_last_counts():
    cells = [code("%%task train.py", f"def fit():\n    return {number}") for number in (1, 2)]
    assert run(modules(*cells)["train.py"]).fit() == 2


def test_a_task_without_a_file_is_refused():
    with pytest.raises(InvalidSubmission, match="after %%writefile or %%task, found none"):
        modules(code("%%task", "def fit(): ..."))


def test_another_assignments_notebook_is_refused():
    cells = [code("%%task train.py", "def fit(): ...")]
    own, other = (notebook(*cells, metadata={"grader": {"assignment": name}}) for name in ("project", "essay"))
    assert set(read_notebook(own, PROJECT)) == {"train.py"}
    with pytest.raises(InvalidSubmission, match="expected the notebook of project, found that of 'essay'"):
        read_notebook(other, PROJECT)


def test_nested_finally_is_read_apart_and_costs_its_own_cell():
    """Each level is compiled twice: the innermost line of these forty exists a million million times."""
    bomb = "\n".join(f"{' ' * n}try: pass\n{' ' * n}finally:" for n in range(40)) + "\n" + " " * 40 + "f()"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = modules(code("def f():", "    return 1"), code(bomb))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB
    assert run(found["train.py"]).f() == 1
    assert "finally" not in found["train.py"]


def test_what_takes_too_long_to_read_is_refused(monkeypatch):
    monkeypatch.setattr(reading, "WALL_SECONDS", 0.01)
    with pytest.raises(InvalidSubmission, match="too many `finally`"):
        modules(code("def f():", "    try: pass", "    finally: pass"))


def test_an_honest_finally_is_kept():
    lines = ("def f():", "    try:", "        return 1", "    finally:", "        print('done')")
    apart, here = modules(code(*lines)), modules(code(*lines[:3], "    except OSError:", lines[4]))
    assert {name: content.replace("finally", "except OSError") for name, content in apart.items()} == here
    with pytest.raises(InvalidSubmission, match="expected the notebook of project"):
        read_notebook(notebook(code(*lines), metadata={"grader": {"assignment": "other"}}), PROJECT)


def test_a_notebook_does_not_become_a_thousand_files():
    cells = [code(f"# file: part_{n}.py", f"def f{n}(): pass") for n in range(MOST_FILES + 1)]
    assert len(modules(*cells[:-1])) == MOST_FILES
    with pytest.raises(InvalidSubmission, match="at most 50 files"):
        modules(*cells)
