"""Moodle's worksheet says when students handed in: read in the zone that is given, and refused where it cannot be."""

from pathlib import Path

import pytest
from downloads import TRAIN, folder, intake, read_class

HEAD = (
    '"Identifier","Full name","Status","Grade","Maximum grade","Last modified (submission)","Last modified (grade)"\n'
)


def row(number: int, when: str) -> str:
    return f'"Participant {number}","N","Submitted for grading - ","","100.00","{when}","-"\n'


@pytest.fixture
def download(tmp_path) -> Path:
    names = {1234567: "Ada Lovelace", 1234568: "Ben Kim", 1234569: "Eve Ash"}
    return folder(
        tmp_path / "moodle",
        {f"{name}_{number}_assignsubmission_file/train.py": TRAIN for number, name in names.items()},
    )


def sheet(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "Grades.csv"
    path.write_text("\ufeff" + HEAD + "".join(rows), "utf-8")  # as Moodle writes it, with a byte order mark
    return path


def test_times_are_read_in_the_zone_of_whoever_downloaded_them(download, tmp_path):
    worksheet = sheet(
        tmp_path,
        row(1234567, "Thursday, 30 April 2026, 8:02 PM"),
        row(1234568, "Friday, 1 May 2026, 00:05"),
        row(1234569, "-"),
        row(1234570, "Friday, 1 May 2026, 12:00 AM"),
    )
    code, _, errors = intake(download, "--out", tmp_path / "class", "--worksheet", worksheet, "--zone", "Europe/Rome")
    assert code == 0
    assert set(read_class(tmp_path / "class")) == {
        "Ada Lovelace_1234567@2026-04-30T18:02:00Z",
        "Ben Kim_1234568@2026-04-30T22:05:00Z",
        "Eve Ash_1234569",
    }
    assert "the worksheet does not say when they handed in, so they have no time: Eve Ash_1234569" in errors


def test_an_hour_that_comes_twice_is_the_first_of_them(download, tmp_path):
    worksheet = sheet(tmp_path, row(1234567, "Sunday, 25 October 2026, 2:30 AM"))
    assert intake(download, "--out", tmp_path / "class", "--worksheet", worksheet, "--zone", "Europe/Rome")[0] == 0
    assert "Ada Lovelace_1234567@2026-10-25T00:30:00Z" in read_class(tmp_path / "class")


def test_without_it_that_is_where_times_are_said_to_be(download, tmp_path):
    assert "--worksheet takes the grading worksheet" in intake(download, "--out", tmp_path / "class")[2]


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        (
            HEAD + row(1234567, "Donnerstag, 30. April 2026, 20:02"),
            "Europe/Rome",
            "expected times as in Moodle's English",
        ),
        (HEAD + row(1234567, "Thursday, 30 April 2026, 8:02 PM"), "", "expected --zone with --worksheet"),
        (HEAD + row(1234567, "Thursday, 30 April 2026, 8:02 PM"), "Rome", "expected --zone with --worksheet"),
        (
            HEAD + row(1234567, "Thursday, 30 April 2026, 8:02 PM"),
            "../../etc/passwd",
            "expected --zone with --worksheet",
        ),
        ("Student,ID\nada,1\n", "Europe/Rome", "Last modified (submission)"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_nothing_is_written(download, tmp_path, text, zone, words):
    worksheet = tmp_path / "Grades.csv"
    worksheet.write_text(text)
    code, _, errors = intake(
        download, "--out", tmp_path / "class", "--worksheet", worksheet, *(["--zone", zone] if zone else [])
    )
    assert code == 2
    assert words in errors
    assert errors.count("\n") == 1
    assert not (tmp_path / "class").exists()


def test_it_is_for_moodle(tmp_path):
    download = folder(tmp_path / "canvas", {"lovelaceada_4711_99001_train.py": TRAIN})
    worksheet = sheet(tmp_path, row(1234567, "-"))
    words = ["--worksheet", worksheet, "--zone", "Europe/Rome"]
    code, _, errors = intake(download, "--out", tmp_path / "class", *words)
    assert code == 2
    assert "expected --worksheet with moodle, found it with canvas" in errors
    code, _, errors = intake(download, "--out", tmp_path / "class", "--zone", "Europe/Rome")
    assert code == 2
    assert "expected --zone with --worksheet, found it alone" in errors
