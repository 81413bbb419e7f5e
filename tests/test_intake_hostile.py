"""Downloads that are broken, hostile, or not what they are taken for: a clear line each, and nothing outside of the class."""

import os
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from downloads import EXPLORE, TRAIN, folder, intake, read_class, zipped
from hypothesis import given
from hypothesis import strategies as st

from grader.attempts import dated
from grader.course import Limits
from grader.intake import writing
from grader.intake.names import entry_name, same

ADA = "Ada_1_assignsubmission_file"


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "class"


def moodle(tmp_path: Path, files: dict[str, bytes], name: str = "download.zip") -> Path:
    """A download of Moodle's with honest Ben beside whatever there is."""
    return zipped(tmp_path / name, {**files, "Ben_2_assignsubmission_file/train.py": TRAIN})


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize(
    "name",
    [
        "../../evil.py",
        "/etc/evil.py",
        "C:/evil.py",
        f"{ADA}/../../evil.py",
        f"{ADA}/a\x00b.py",
        f"{ADA}/a\x1b[2J.py",
        "..\\evil.py",
    ],
)
def test_names_that_point_outside_or_hide_are_left_alone(tmp_path, out, name):
    download = tmp_path / "download.zip"
    with zipfile.ZipFile(download, "w") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = info.orig_filename = name
        archive.writestr(info, TRAIN)
        archive.writestr("Ben_2_assignsubmission_file/train.py", TRAIN)
    code, _, errors = intake(download, "--out", out)
    assert code == 0
    assert "left alone: " in errors
    assert "\x1b" not in errors
    assert read_class(out) == {"Ben_2": {"train.py": TRAIN}}
    assert files_below(tmp_path) == {"download.zip", "class.students.csv", "class/Ben_2/train.py"}


def test_links_and_special_files_are_not_followed(tmp_path, out):
    secret = tmp_path / "secret.py"
    secret.write_text("SECRET")
    download = folder(tmp_path / "download", {f"{ADA}/train.py": TRAIN})
    (download / ADA / "explore.py").symlink_to(secret)
    (download / "Eve_3_assignsubmission_file").symlink_to(tmp_path)
    os.mkfifo(download / ADA / "pipe.py")
    code, _, errors = intake(download, "--out", out)
    assert code == 0
    assert read_class(out) == {"Ada_1": {"train.py": TRAIN}}
    lines = [text for text in errors.splitlines() if "left alone" in text]
    assert sum("a link, which is not followed" in text for text in lines) == 2
    assert sum("a special file" in text for text in lines) == 1


def test_links_in_a_zip_are_left_alone(tmp_path, out):
    download = tmp_path / "download.zip"
    with zipfile.ZipFile(download, "w") as archive:
        info = zipfile.ZipInfo(f"{ADA}/explore.py")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr(f"{ADA}/train.py", TRAIN)
    _, _, errors = intake(download, "--out", out)
    assert "found a link" in errors
    assert read_class(out) == {"Ada_1": {"train.py": TRAIN}}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_without_a_bound_are_not_unpacked(tmp_path, out, method):
    download = moodle(tmp_path, {})
    with zipfile.ZipFile(download, "a", method) as archive:
        archive.writestr(f"{ADA}/train.py", TRAIN)
    _, _, errors = intake(download, "--out", out)
    assert "packed with" in errors
    assert list(read_class(out)) == ["Ben_2"]


def test_what_is_too_large_is_no_entry_and_others_are(tmp_path, out, monkeypatch):
    monkeypatch.setattr(writing, "LIMITS", Limits(submission_mb=1, submission_files=3))
    many = {f"Eve_3_assignsubmission_file/{number}.py": b"" for number in range(4)}
    download = moodle(tmp_path, {f"{ADA}/train.py": bytes(2 << 20), **many})
    code, printed, errors = intake(download, "--out", out)
    assert code == 1
    assert "1 entry of 1 student" in printed
    assert any("Ada_1" in text and "at most 1 MB" in text for text in errors.splitlines())
    assert any("Eve_3" in text and "at most 3 files" in text for text in errors.splitlines())
    assert "2 works are no entries" in errors
    assert list(read_class(out)) == ["Ben_2"]


def test_a_file_that_unpacks_to_more_than_it_declares_is_no_entry(tmp_path, out):
    download = moodle(tmp_path, {f"{ADA}/train.py": bytes(100_000)})
    data = bytearray(download.read_bytes())
    data = data.replace(struct.pack("<L", 100_000), struct.pack("<L", 10))
    download.write_bytes(data)
    code, _, errors = intake(download, "--out", out)
    assert code == 1
    assert "damaged" in errors
    assert list(read_class(out)) == ["Ben_2"]


def test_overlapping_members_are_one_clear_line(tmp_path, out):
    download = moodle(tmp_path, {f"{ADA}/train.py": TRAIN})
    with zipfile.ZipFile(download, "a") as archive:
        first = archive.infolist()[0]
        twin = zipfile.ZipInfo("Eve_3_assignsubmission_file/train.py")
        for name in ("header_offset", "CRC", "compress_size", "file_size", "compress_type"):
            setattr(twin, name, getattr(first, name))
        archive.filelist.append(twin)
        archive._didModify = True
    code, _, errors = intake(download, "--out", out)
    assert code == 2
    assert "overlap" in errors
    assert not out.exists()


def test_a_download_that_declares_more_than_the_disk_has_is_refused(tmp_path, out, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    code, _, errors = intake(moodle(tmp_path, {}), "--out", out)
    assert code == 2
    assert "bytes, which are free" in errors


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04broken", b"%PDF-1.4"])
def test_no_zip_is_one_clear_line(tmp_path, out, content):
    (tmp_path / "x.zip").write_bytes(content)
    code, _, errors = intake(tmp_path / "x.zip", "--out", out)
    assert code == 2
    assert "no sound zip" in errors
    assert errors.count("\n") == 1


def test_a_cut_zip_is_one_clear_line(tmp_path, out):
    download = moodle(tmp_path, {f"{ADA}/train.py": TRAIN * 100})
    download.write_bytes(download.read_bytes()[:-30])
    assert intake(download, "--out", out)[0] == 2


@pytest.mark.parametrize(
    ("files", "arguments", "words"),
    [
        ({"train.py": TRAIN}, [], "expected a download of canvas, moodle"),
        ({"ada/train.py": TRAIN, "ben/train.py": TRAIN}, [], "none of them is named as there"),
        ({"ada/train.py": TRAIN}, ["--from", "moodle"], "expected a download of moodle"),
        ({f"{ADA}/train.py": TRAIN}, ["--from", "modle"], "did you mean 'moodle'?"),
        ({f"{ADA}/train.py": TRAIN}, ["--assignment", "x"], "--assignment with github or nbgrader"),
        ({f"{ADA}/train.py": TRAIN, "a_1_2_train.py": TRAIN}, [], "looks like a download of canvas and moodle"),
        ({}, [], "found none in"),
    ],
)
def test_wrong_use_is_one_clear_line(tmp_path, out, files, arguments, words):
    (tmp_path / "d").mkdir()
    code, _, errors = intake(folder(tmp_path / "d", files), "--out", out, *arguments)
    assert code == 2
    assert words in errors
    assert errors.count("\n") == 1
    assert not out.exists()


def test_which_of_two_can_be_said(tmp_path, out):
    download = folder(tmp_path / "d", {f"{ADA}/train.py": TRAIN, "a_1_2_train.py": TRAIN})
    assert intake(download, "--out", out, "--from", "moodle")[0] == 0
    assert list(read_class(out)) == ["Ada_1"]


def test_a_folder_of_something_else_is_not_written_to(tmp_path, out):
    folder(out, {"holiday.jpg": b"x"})
    code, _, errors = intake(moodle(tmp_path, {}), "--out", out)
    assert code == 2
    assert "found other things" in errors
    assert files_below(out) == {"holiday.jpg"}
    (tmp_path / "file").write_text("x")
    assert intake(tmp_path / "download.zip", "--out", tmp_path / "file")[0] == 2
    inside = folder(tmp_path / "d", {f"{ADA}/train.py": TRAIN})
    assert intake(inside, "--out", inside / "class")[0] == 2


def test_a_later_download_is_added(tmp_path, out):
    first = moodle(tmp_path, {f"{ADA}/train.py": TRAIN, f"{ADA}/old.py": b""}, "one.zip")
    later = zipped(tmp_path / "two.zip", {f"{ADA}/train.py": EXPLORE, "Eve_3_assignsubmission_file/train.py": TRAIN})
    assert intake(first, "--out", out)[0] == 0
    code, printed, _ = intake(later, "--out", out)
    assert code == 0
    assert "1 in the place of earlier ones" in printed
    assert read_class(out) == {
        "Ada_1": {"train.py": EXPLORE},
        "Ben_2": {"train.py": TRAIN},
        "Eve_3": {"train.py": TRAIN},
    }
    table = (tmp_path / "class.students.csv").read_text()
    assert [row.partition(",")[0] for row in table.splitlines()] == ["student", "Ada_1", "Ben_2", "Eve_3"]
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_a_download_without_times_does_not_go_with_one_that_has_them(tmp_path, out):
    timed = folder(tmp_path / "a", {"ada/p/timestamp.txt": b"2026-04-30 18:02:11 UTC", "ada/p/train.py": TRAIN})
    untimed = folder(tmp_path / "b", {"ada/p/train.py": TRAIN, "ben/p/train.py": TRAIN})
    assert intake(timed, "--out", out)[0] == 0
    code, _, errors = intake(untimed, "--out", out, "--from", "nbgrader")
    assert code == 1
    assert "'ada' has an entry of an earlier download" in errors
    assert list(read_class(out)) == ["ada@2026-04-30T18:02:11Z", "ben"]


def submission(*submitters: str, created: str = "2026-05-01 10:00:00 Z") -> str:
    who = "".join(f"  - :name: {name}\n    :email: {name}@example.org\n" for name in submitters)
    return f"  :submitters:\n{who}  :created_at: {created}\n"


def test_a_student_twice_without_an_order_is_no_entry(tmp_path, out):
    metadata = f"submission_1:\n{submission('ada')}submission_2:\n{submission('ada', 'ben')}"
    files = {
        "submission_metadata.yml": metadata.encode(),
        "submission_1/train.py": TRAIN,
        "submission_2/train.py": EXPLORE,
    }
    code, _, errors = intake(folder(tmp_path / "d", files), "--out", out)
    assert code == 1
    assert "'ada@example.org' has 2 works that no time tells apart, 'submission_1' and 'submission_2'" in errors
    assert list(read_class(out)) == ["ben@example.org@2026-05-01T10:00:00Z"]


def test_two_students_whose_names_are_one_are_no_entries(tmp_path, out):
    files = {f"{name}/p/timestamp.txt": b"2026-04-30 18:02:11 UTC" for name in ("ada", "Ada", "ben")}
    code, _, errors = intake(zipped(tmp_path / "d.zip", files), "--out", out)
    assert code == 1
    assert "'Ada' and 'ada' are one name to the grader" in errors
    assert [path.name for path in out.iterdir()] == ["ben@2026-04-30T18-02-11Z"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../x",
            "/x",
            "a/b",
            "a\\b",
            ".hidden",
            "._x",
            "",
            "   ",
            "..",
            "a\x00b",
            "a\nb",
            "a\x1b[2J",
            "CON:x",
            "readme",
            "README.md",
        ),
        *(
            "expected.json",
            "venv",
            "__pycache__",
            "nbgrader_config.py",
            "ada@2026-04-30T18-02-11Z",
            "ada@2026-04-30",
            "é" * 300,
        ),
        *(
            "\ud800",
            "a\u202eb",
            "  a  ",
            "Ada Lovelace",
            "ada@example.org",
            "=cmd|'x'!A1",
            "Zoë O'N",
            "x" * 500,
            "名" * 100,
        ),
    ],
)
def test_any_name_is_an_entrys(tmp_path, name):
    """The grader takes the folder for that student's, whatever the platform calls them."""
    entry = entry_name(name)
    assert entry == entry_name(entry)
    assert same(entry) == same(entry_name(name))
    (tmp_path / entry).mkdir()
    (tmp_path / entry / "train.py").write_bytes(TRAIN)
    assert [path.name for path in tmp_path.iterdir()] == [entry]
    assert read_class(tmp_path) == {entry: {"train.py": TRAIN}}
    timed = tmp_path / f"{entry}@2026-04-30T18-02-11Z"
    (tmp_path / entry).rename(timed)
    assert read_class(tmp_path) == {f"{entry}@2026-04-30T18:02:11Z": {"train.py": TRAIN}}


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (b"- a\n- b\n", "found list"),
        (b"a: [", "expected YAML"),
        (b"\x00\xff", "expected YAML"),
        (b"{? [a]: b}", "expected YAML"),
        (b"submission_1: " + b"[" * 5000, "expected YAML"),
    ],
)
def test_metadata_that_are_none_are_one_clear_line(tmp_path, out, metadata, words):
    files = {"submission_metadata.yml": metadata, "submission_1/train.py": TRAIN}
    code, _, errors = intake(folder(tmp_path / "d", files), "--out", out)
    assert code == 2
    assert words in errors
    assert errors.count("\n") == 1


def test_yaml_makes_no_objects_and_its_copies_cost_nothing(tmp_path, out):
    bomb = "x0: &x0 [a,a,a,a,a,a,a,a,a,a]\n" + "".join(
        f"x{n}: &x{n} [{','.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 30)
    )
    mark = tmp_path / "mark"
    metadata = f"{bomb}submission_1:\n{submission('ada')}  :results: !!python/object/apply:os.system ['touch {mark}']\n"
    files = {"submission_metadata.yml": metadata.encode(), "submission_1/train.py": TRAIN}
    code, _, errors = intake(folder(tmp_path / "d", files), "--out", out)
    assert code == 2
    assert "expected YAML" in errors
    assert not mark.exists()
    ruby = metadata.replace("!!python/object/apply:os.system", "!ruby/object:Kernel")
    (tmp_path / "d" / "submission_metadata.yml").write_text(ruby)
    assert intake(tmp_path / "d", "--out", out)[0] == 0
    assert list(read_class(out)) == ["ada@example.org@2026-05-01T10:00:00Z"]


def test_words_of_students_are_cells_and_lines(tmp_path, out):
    evil = '=HYPERLINK("x")\x1b[2J'
    metadata = f"submission_1:\n  :submitters:\n  - :name: {evil!r}\n    :sid: '@SUM(1)'\n    :email: e@x.org\n"
    metadata = metadata.replace("'=", '"=').replace("2J'", '2J"').replace('("x")', "(x)")
    files = {"submission_metadata.yml": metadata.encode(), "submission_1/train.py": TRAIN}
    code, printed, errors = intake(folder(tmp_path / "d", files), "--out", out)
    assert code == 0
    assert "\x1b" not in printed + errors
    row = (tmp_path / "class.students.csv").read_text().splitlines()[1]
    assert row.startswith("e@x.org,'=HYPERLINK(x)")
    assert ",'@SUM(1)," in row


def test_what_is_killed_while_it_copies_leaves_no_half_class(tmp_path, out):
    """The class appears when all of it is there."""
    download = moodle(tmp_path, {f"S{number}_{number}_assignsubmission_file/train.py": TRAIN for number in range(3, 9)})
    program = (
        "import os, sys\nfrom grader.intake import writing\nown = writing._write_entry\ncount = []\n"
        "def write(*arguments):\n    count.append(1)\n    len(count) > 3 and os._exit(9)\n    own(*arguments)\n"
        "writing._write_entry = write\nfrom grader.cli import main\n"
        f"sys.argv = ['grader', 'intake', {str(download)!r}, '--out', {str(out)!r}]\nmain()\n"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 9
    assert not out.exists()
    assert intake(download, "--out", out)[0] == 0
    assert len(read_class(out)) == 7


@given(st.text(max_size=200))
def test_every_name_is_safe(name):
    entry = entry_name(name)
    assert entry
    assert entry[0] != "."
    assert not set(entry) & set('/\\:*?"<>|')
    assert len(f"{entry}@2026-04-30T18-02-11Z".encode()) < 255
    assert dated(entry) is None
    assert entry == entry_name(entry)
