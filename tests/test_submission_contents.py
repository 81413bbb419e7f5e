"""What entries of a class folder hold: folders, zips and notebooks become files in memory, or one line."""

import json
import os
import socket
import zipfile
from pathlib import Path

import pytest

from grader.course import Assignment, Limits, Task
from grader.errors import GraderFault
from grader.submission import Entry, Invalid, Submission, discover, load


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


# Folders


def test_a_folder_comes_with_all_its_files_but_junk(tmp_path):
    files = {"train.py": b"x = 1", "lib/helper.py": b"y = 2", "data/train.csv": b"1,2", "report.pdf": b"%PDF"}
    junk = [
        "__pycache__/train.pyc",
        ".git/HEAD",
        ".venv/lib/x.py",
        ".ipynb_checkpoints/a.ipynb",
        ".DS_Store",
        "._train.py",
    ]
    for name, content in {**files, **dict.fromkeys(junk, b"x")}.items():
        path = tmp_path / "ada" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert load_one(tmp_path).files == files


@pytest.mark.parametrize("content", ["é".encode("latin-1"), b"a\0b", "x".encode("utf-16"), b"\xef\xbb\xbfx = 1", b""])
def test_bytes_stay_as_they_are_whatever_their_encoding(tmp_path, content):
    fill(tmp_path, ada__train_py=content, ada__explore_py="")
    assert load_one(tmp_path).files["train.py"] == content


def test_folders_around_the_task_files_are_unwrapped(tmp_path):
    fill(
        tmp_path, ada__project__project__train_py="x = 1", ada__project__project__lib__y_py="y", ada__project__notes="z"
    )
    assert load_one(tmp_path).files == {"train.py": b"x = 1", "lib/y.py": b"y", "notes": b"z"}


def test_files_beside_the_folder_stay(tmp_path):
    fill(tmp_path, ada__report="r", ada__project__train_py="x = 1", ada__project__report="mine")
    assert load_one(tmp_path).files == {"report": b"mine", "train.py": b"x = 1"}


def test_what_does_not_fit_together_once_unwrapped_is_refused(tmp_path):
    fill(tmp_path, ada__lib="a file", ada__project__train_py="x = 1", ada__project__lib__y_py="y")
    assert "found both around" in reason(tmp_path)


def test_a_folder_is_not_unwrapped_when_the_task_files_are_beside_it(tmp_path):
    fill(tmp_path, ada__train_py="x = 1", ada__old__explore_py="y")
    loaded = load_one(tmp_path)
    assert set(loaded.files) == {"train.py", "old/explore.py"}
    assert loaded.missing(PROJECT) == ["explore.py"]


def test_no_task_file_says_what_was_found(tmp_path):
    fill(tmp_path, ada__Train_py="", ada__lib__explore_txt="")
    expected = "expected at least one of explore.py, train.py, found"
    assert reason(tmp_path) == f"{expected} 'Train.py', 'lib/explore_txt'; mind upper and lower case."
    (tmp_path / "other" / "ben").mkdir(parents=True)
    assert reason(tmp_path / "other") == f"{expected} nothing."


def test_a_link_inside_is_refused_by_name(tmp_path):
    (tmp_path / "secret.py").write_text("secret")
    folder = fill(tmp_path / "class" / "ada", explore_py="")
    (folder / "train.py").symlink_to(tmp_path / "secret.py")
    assert "found a link, 'train.py'" in reason(tmp_path / "class")


def test_a_linked_folder_inside_is_refused_by_name(tmp_path):
    folder = fill(tmp_path / "class" / "ada", explore_py="")
    (folder / "lib").symlink_to("/etc")
    assert "found a link, 'lib'" in reason(tmp_path / "class")


def test_special_files_inside_are_refused(tmp_path, monkeypatch):
    fill(tmp_path, ada__train_py="")
    os.mkfifo(tmp_path / "ada" / "pipe")
    assert "a special file, 'pipe'" in reason(tmp_path)
    (tmp_path / "ada" / "pipe").unlink()
    monkeypatch.chdir(tmp_path / "ada")  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert "a special file, 'socket'" in reason(tmp_path)


def test_too_many_and_too_large_files_are_refused(tmp_path):
    fill(tmp_path, ada__train_py="", ben__train_py="", **{f"ada__f{number}": "" for number in range(10)})
    with (tmp_path / "ben" / "data.csv").open("wb") as file:
        file.truncate(5_000 * 1024 * 1024)
    loaded = load_all(tmp_path)
    assert "at most 10 files" in loaded["ada"].reason
    assert "at most 1 MB unpacked, found more, among it 'data.csv' (5,000.0 MB)" in loaded["ben"].reason


def test_a_flood_of_folders_is_refused(tmp_path):
    for number in range(201):
        (tmp_path / "ada" / str(number)).mkdir(parents=True)
    assert "far more" in reason(tmp_path)


def test_a_deep_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = fill(tmp_path / "ada", train_py="")
    top = os.getcwd()
    os.chdir(folder)
    for _ in range(700):
        os.mkdir("dd")
        os.chdir("dd")
    os.chdir(top)
    assert "at most 255 bytes" in reason(tmp_path, declare("train"))


def test_what_cannot_be_read_is_no_fault_of_the_students(tmp_path):
    entry = Entry("ada", tmp_path / "ada.zip")
    with pytest.raises(GraderFault, match=r"'ada.zip' cannot be read \(No such file or directory\)"):
        load(entry, PROJECT)


def test_a_mistake_of_ours_in_one_entry_is_a_fault_of_ours(tmp_path, monkeypatch):
    fill(tmp_path, ada__train_py="")
    monkeypatch.setattr("grader.submission._at_root", lambda files, assignment: 1 // 0)
    with pytest.raises(GraderFault, match="reading 'ada' failed: ZeroDivisionError"):
        load_one(tmp_path)


# Zips: what is in one is the business of test_archive.py


def test_a_zip_from_macos_is_unwrapped(tmp_path):
    files = {"project/train.py": b"x = 1", "__MACOSX/project/._train.py": b"junk", "project/.DS_Store": b"junk"}
    zipped(tmp_path / "ada.zip", files)
    assert load_one(tmp_path).files == {"train.py": b"x = 1"}


def test_a_bad_zip_is_that_students_alone(tmp_path):
    zipped(tmp_path / "ada.zip", {"train.py": b"x = 1"})
    (tmp_path / "ben.zip").write_bytes((tmp_path / "ada.zip").read_bytes()[:40])
    zipped(tmp_path / "cleo.zip", {"../train.py": b"x = 1"})
    loaded = load_all(tmp_path)
    assert isinstance(loaded["ada"], Submission)
    assert "damaged" in loaded["ben"].reason
    assert "points outside" in loaded["cleo"].reason


def test_the_zip_in_a_learning_platforms_folder_is_opened(tmp_path):
    folder = fill(tmp_path / "ada_123_assignsubmission_file_", comments="well done?")
    zipped(folder / "project.zip", {"project/train.py": b"x = 1"})
    assert load_one(tmp_path).files == {"train.py": b"x = 1", "comments": b"well done?"}


def test_a_zip_in_a_zip_stays_closed(tmp_path):
    zipped(tmp_path / "inner.zip", {"train.py": b"x = 1"})
    inner = (tmp_path / "inner.zip").read_bytes()
    zipped(tmp_path / "inner.zip", {"again.zip": inner})
    assert "found 'again.zip'" in reason(tmp_path)


# Notebooks: what is in one is the business of test_notebook_intake.py


def test_a_notebook_supplies_what_is_missing_and_nothing_else(tmp_path):
    fill(tmp_path, ada__explore_py="mine", ada__any_ipynb=NOTEBOOK)
    files = load_one(tmp_path).files
    assert files["explore.py"] == b"mine"
    assert b"def train" in files["train.py"]
    assert "any.ipynb" in files


def test_a_wrapped_notebook_is_found(tmp_path):
    zipped(tmp_path / "ada.zip", {"project/mine.ipynb": NOTEBOOK.encode(), "project/img/a.png": b""})
    assert b"def train" in load_one(tmp_path).files["train.py"]


def test_of_several_notebooks_only_one_that_is_meant_is_taken(tmp_path):
    other = NOTEBOOK.replace("def train", "def other")
    fill(tmp_path, ada__a_ipynb=NOTEBOOK, ada__b_ipynb=NOTEBOOK)
    fill(tmp_path, ben__a_ipynb=other, ben__project_ipynb=NOTEBOOK)
    fill(tmp_path, cleo__a_ipynb=other, cleo__train_ipynb=NOTEBOOK)
    loaded = load_all(tmp_path)
    assert "found 'a.ipynb', 'b.ipynb'" in loaded["ada"].reason
    assert all(b"def train" in loaded["ben"].files[name] for name in PROJECT.files)
    assert b"def train" in loaded["cleo"].files["train.py"]
    assert b"def other" in loaded["cleo"].files["explore.py"]


def test_a_broken_notebook_costs_only_what_it_would_have_supplied(tmp_path):
    fill(tmp_path, ada__train_py="x = 1", ada__any_ipynb="{", ben__any_ipynb="{", cleo_ipynb="{")
    loaded = load_all(tmp_path)
    assert loaded["ada"].missing(PROJECT) == ["explore.py"]
    assert loaded["ben"].reason.startswith("'any.ipynb': expected a Jupyter notebook")
    assert loaded["cleo"].reason.startswith("expected a Jupyter notebook")


def test_a_single_file_has_the_same_limit(tmp_path):
    fill(tmp_path, ada_train_py=b"#" * (1024 * 1024 + 1))
    assert "at most 1 MB" in reason(tmp_path)


def test_a_notebook_written_beside_untouched_stubs_is_what_counts(tmp_path):
    stub = 'def explore():\n    raise NotImplementedError("Task 1: write explore().")\n'
    cells = ["# file: explore.py\ndef explore():\n    return 42", "# file: train.py\ndef train():\n    return 0"]
    notebook = {"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    fill(tmp_path, ada__explore_py=stub, ada__train_py="# own work\n", ada__project_ipynb=json.dumps(notebook))
    files = load_one(tmp_path).files
    assert b"return 42" in files["explore.py"], "the stub gives way to the notebook"
    assert files["train.py"] == b"# own work\n", "a file that was worked on does not"
