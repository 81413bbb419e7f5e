"""Class folders as instructors have them, and every way in which an entry can be wrong."""

import os
import unicodedata
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course import Assignment, Limits, Task
from grader.errors import UsageError
from grader.submission import Invalid, Submission, discover, file_name, load


def declare(*names: str, **limits: int) -> Assignment:
    tasks = [Task(number=n, name=name, title=name, checks={"one": 1.0}) for n, name in enumerate(names, 1)]
    return Assignment(name="project", title="Project", difficulty="easy", task=tasks, limits=Limits(**limits))


PROJECT = declare("explore", "train", submission_mb=1, submission_files=10)
NOTEBOOK = '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "def train(): pass"}]}'


def fill(folder: Path, **files: str | bytes) -> Path:
    """Write files below `folder`; in the keyword names `__` stands for `/` and `_py` for `.py`."""
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py").replace("_ipynb", ".ipynb")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def zipped(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def load_all(folder: Path, assignment: Assignment = PROJECT) -> dict[str, Submission | Invalid]:
    return {entry.student: load(entry, assignment) for entry in discover(folder, assignment)}


def load_one(folder: Path, assignment: Assignment = PROJECT) -> Submission | Invalid:
    (loaded,) = load_all(folder, assignment).values()
    return loaded


def reason(folder: Path, assignment: Assignment = PROJECT) -> str:
    """Why the only entry of a class folder is invalid."""
    loaded = load_one(folder, assignment)
    assert isinstance(loaded, Invalid)
    assert loaded.reason.isprintable()
    assert len(loaded.reason) < 300
    return loaded.reason


# What is found in a class folder


def test_each_kind_of_entry_is_one_student(tmp_path):
    fill(tmp_path, ada__train_py="a = 1", cleo_ipynb=NOTEBOOK, dora_train_py="d = 1", emil__lib__x_py="")
    zipped(tmp_path / "ben.zip", {"train.py": b"b = 1"})
    loaded = load_all(tmp_path)
    assert list(loaded) == ["ada", "ben", "cleo", "dora", "emil"]
    assert loaded["ada"] == Submission("ada", {"train.py": b"a = 1"}, "ada")
    assert loaded["ben"] == Submission("ben", {"train.py": b"b = 1"}, "ben.zip")
    assert set(loaded["cleo"].files) == {"explore.py", "train.py"}
    assert loaded["dora"] == Submission("dora", {"train.py": b"d = 1"}, "dora_train.py")
    assert isinstance(loaded["emil"], Invalid)


def test_what_systems_leave_behind_is_no_entry(tmp_path):
    fill(tmp_path, ada__train_py="")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "expected.json", "README.md", "readme.txt", ".hidden.zip"):
        (tmp_path / name).write_text("x")
    for name in (".git", "__MACOSX", "__pycache__"):
        (tmp_path / name).mkdir()
    assert [entry.student for entry in discover(tmp_path, PROJECT)] == ["ada"]


def test_nothing_else_is_lost(tmp_path):
    fill(tmp_path, ada__train_py="")
    for name in ("ben.rar", "cleo.tar.gz", "dora", "readme lovelace.docx"):
        (tmp_path / name).write_text("x")
    loaded = load_all(tmp_path)
    assert list(loaded) == ["ada", "ben", "cleo", "dora", "readme lovelace"]
    assert "found a .rar file, 'ben.rar'" in loaded["ben"].reason
    assert "found a .gz file, 'cleo.tar.gz'" in loaded["cleo"].reason
    assert "a file without an extension, 'dora'" in loaded["dora"].reason


@pytest.mark.parametrize(
    "name",
    ["Ada Lovelace", "O'Brien", 'the "best"', "李小龙", "محمد", "Ünal", "🎉", "-rf", "a%2Fb", "$(reboot)", "x" * 200],
)
def test_names_stay_as_they_are(tmp_path, name):
    fill(tmp_path / name, train_py="x = 1")
    loaded = load_one(tmp_path)
    assert loaded.student == name
    assert loaded.files == {"train.py": b"x = 1"}


def test_names_are_composed_unicode(tmp_path):
    fill(tmp_path / unicodedata.normalize("NFD", "Zoé"), train_py="")
    assert load_one(tmp_path).student == unicodedata.normalize("NFC", "Zoé")


@pytest.mark.parametrize(("raw", "student"), [(b"caf\xe9", r"caf\xe9"), (b"a\nb", r"a\nb"), (b"a\x1bb", r"a\x1bb")])
def test_names_that_are_no_text_are_escaped(tmp_path, raw, student):
    folder = os.fsencode(tmp_path) + b"/" + raw
    os.mkdir(folder)
    Path(os.fsdecode(folder), "train.py").write_text("")
    assert load_one(tmp_path).student == student


@pytest.mark.parametrize(
    "names",
    [
        ("ada", "ada.zip"),
        ("ada.ipynb", "ada.zip"),
        ("Ada", "ada"),
        ("ada_train.py", "ada__explore.py"),
        ("ada ", "ada"),
        ("Zo\u00e9", "Zoe\u0301"),
        ("ada.rar", "ada.zip"),
    ],
)
def test_two_entries_of_one_student_are_one_invalid(tmp_path, names):
    fill(tmp_path, ben__train_py="")
    for name in names:
        if "." in name:
            zipped(tmp_path / name, {"train.py": b""})
        else:
            fill(tmp_path / name, train_py="")
    first, last = sorted(load_all(tmp_path).values(), key=lambda loaded: isinstance(loaded, Submission))
    assert isinstance(first, Invalid)
    assert all(repr(name) in first.reason for name in names)
    assert last.student == "ben"


def test_links_are_not_followed(tmp_path):
    fill(tmp_path / "elsewhere", train_py="secret")
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "ada").symlink_to(tmp_path / "elsewhere")
    (folder / "ben.zip").symlink_to(tmp_path / "nowhere")
    loaded = load_all(folder)
    assert all("found a link" in loaded[student].reason for student in ("ada", "ben"))


def test_pipes_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "ada.zip")
    assert "a pipe" in reason(tmp_path)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "found nothing at"),
        (lambda path: path.write_text(""), "found a file"),
        (lambda path: path.mkdir(), "found no entry"),
        (lambda path: fill(path, README="x"), "found no entry"),
        (lambda path: fill(path, train_py="", explore_py=""), "a single submission"),
        (lambda path: fill(path, train_py="", README="x"), "a single submission"),
    ],
)
def test_what_is_no_class_folder_is_wrong_use(tmp_path, make, said):
    make(tmp_path / "class")
    with pytest.raises(UsageError, match=said) as caught:
        discover(tmp_path / "class", PROJECT)
    assert "\n" not in str(caught.value)


def test_a_task_file_among_students_is_not_a_student(tmp_path):
    fill(tmp_path, ada__train_py="", train_py="")
    assert "<student>__<task>.py" in load_all(tmp_path)["train"].reason


# Single files


@pytest.mark.parametrize(
    ("name", "student"),
    [("ada__train.py", "ada"), ("ada_train.py", "ada"), ("ada_b_train.py", "ada_b"), ("a.b_train.PY", "a.b")],
)
def test_a_single_file_says_whose_and_which(tmp_path, name, student):
    (tmp_path / name).write_text("x = 1")
    assert load_one(tmp_path) == Submission(student, {"train.py": b"x = 1"}, name)


@pytest.mark.parametrize("name", ["ada.py", "train_ada.py", "adatrain.py", "_train.py"])
def test_a_single_file_that_does_not_is_invalid(tmp_path, name):
    (tmp_path / name).write_text("x = 1")
    text = reason(tmp_path)
    assert "<student>__<task>.py" in text
    assert "explore, train" in text


def test_the_longest_task_name_is_meant(tmp_path):
    (tmp_path / "ada_data_explore.py").write_text("x = 1")
    loaded = load_one(tmp_path, declare("explore", "data_explore"))
    assert (loaded.student, list(loaded.files)) == ("ada", ["data_explore.py"])


def test_with_a_single_task_the_students_name_is_enough(tmp_path):
    (tmp_path / "ada.py").write_text("x = 1")
    assert load_one(tmp_path, declare("train")) == Submission("ada", {"train.py": b"x = 1"}, "ada.py")


# What becomes of it


def test_the_digest_is_of_names_and_contents():
    digests = [
        Submission("ada", files, "").digest
        for files in ({"a": b"bc"}, {"ab": b"c"}, {"a": b"", "b": b"c"}, {"a": b"b", "c": b""}, {})
    ]
    assert len(set(digests)) == len(digests)
    assert (
        Submission("ben", {"b": b"1", "a": b"2"}, "x").digest == Submission("ada", {"a": b"2", "b": b"1"}, "y").digest
    )


@pytest.mark.parametrize(
    ("student", "name"),
    [("ada", "ada"), ("Ada Lovelace", "Ada%20Lovelace"), ("..", "%2E."), (".", "%2E"), ("a/b", "a%2Fb"), ("~", "%7E")],
)
def test_file_names_are_plain(student, name):
    assert file_name(student) == name


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=60), st.text(max_size=60))
def test_file_names_are_safe_and_tell_students_apart(one, other):
    names = [file_name(one), file_name(other)]
    for student, name in zip((one, other), names, strict=True):
        assert set(name) <= set("%-._~" + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        assert 0 < len(name) <= 160
        assert name[0] != "."
        assert "~" in name or unquote(name, errors="surrogatepass") == student
    assert (names[0] == names[1]) == (one == other)


def test_long_names_that_start_alike_stay_apart():
    names = {file_name("李" * 100 + end) for end in ("", "a", "b")}
    assert len(names) == 3
    assert max(map(len, names)) <= 160


def test_of_a_folder_for_each_assignment_this_ones_is_read(tmp_path):
    work = tmp_path / "ada"
    for folder, text in (("project", "right"), ("another", "wrong"), (".git", "junk")):
        (work / folder).mkdir(parents=True)
        (work / folder / "train.py").write_text(f"# {text}")
    assert load_one(tmp_path).files == {"train.py": b"# right"}
    (work / "train.py").write_text("# mine")  # at the root: then it is an ordinary folder
    assert load_one(tmp_path).files["train.py"] == b"# mine"


def test_a_link_named_like_the_assignment_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "train.py").write_text("secret = 1")
    entries = tmp_path / "class"
    (entries / "ada" / "another").mkdir(parents=True)
    (entries / "ada" / "more").mkdir()
    (entries / "ada" / "project").symlink_to(elsewhere)
    found = load_one(entries)
    assert isinstance(found, Invalid)


def test_nbgraders_course_is_told_from_its_submissions(tmp_path):
    (tmp_path / "submitted" / "ada").mkdir(parents=True)
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()")
    with pytest.raises(UsageError, match=r"found nbgrader's course; name .*submitted"):
        discover(tmp_path, PROJECT)
