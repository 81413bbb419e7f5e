"""Each platform's download, built as the platform makes it, taken by the command and read back as `grader grade` does."""

import csv
import io
from pathlib import Path

import pytest
from downloads import EXPLORE, TRAIN, folder, intake, read_class, small_zip, zipped

BOTH = {"train.py": TRAIN, "explore.py": EXPLORE}


@pytest.fixture(params=["folder", "zip", "zip with a folder around it"])
def made(request, tmp_path):
    """Makes a download of files, as a folder or as a zip."""

    def make(files: dict[str, bytes], name: str = "submissions") -> Path:
        if request.param == "folder":
            return folder(tmp_path / name, files)
        around = "" if request.param == "zip" else f"{name}/"
        return zipped(tmp_path / f"{name}.zip", {f"{around}{path}": content for path, content in files.items()})

    return make


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "class"


def students(out: Path) -> list[dict[str, str]]:
    text = out.with_name("class.students.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert set(rows[0]) == {"student", "name", "id", "email", "login", "late"}
    return rows


def test_canvas(made, out, tmp_path):
    download = made(
        {
            "lovelaceada_4711_99001_train.py": TRAIN,
            "lovelaceada_4711_99002_explore-2.py": EXPLORE,
            "kimben_LATE_4712_99003_house_prices-1.zip": small_zip(BOTH, tmp_path),
            "zoëashe_4713_99004_train-1.py": TRAIN,
            "zoëashe_4713_99005_train-2.py": EXPLORE,
            "team_x_4714_99006_12_notes_train.py": TRAIN,
            "anon_aB3xY_99007_train.py": TRAIN,
            "LATE_anon_12345_99008_train.py": TRAIN,
            "onlytext_4715_text.html": b"<p>hello</p>",
            "onlylink_LATE_4716_link.html": b"<p>hello</p>",
            "something.pdf": b"%PDF",
        }
    )
    code, printed, errors = intake(download, "--out", out)
    assert code == 0
    assert "6 entries of 6 students from canvas" in printed
    found = read_class(out)
    assert found["lovelaceada_4711"] == BOTH
    assert found["kimben_4712"] == BOTH
    assert "train-1.py" in found["zoëashe_4713"], "two of one name stay apart, and the reason is the grader's to give"
    assert "12_notes_train.py" in found["team_x_4714"]
    assert found["anon_aB3xY"] == found["anon_12345"] == {"train.py": TRAIN}
    assert len(found) == 6
    for left, why in (
        ("onlytext_4715_text.html", "a text entry"),
        ("onlylink_LATE_4716_link.html", "a link"),
        ("something.pdf", "not named as Canvas"),
    ):
        assert any(left in text and why in text for text in errors.splitlines())
    assert "does not tell when" in errors
    assert "Canvas calls 2 students LATE and does not say how late" in errors
    assert "anon_12345, kimben_4712" in errors
    rows = {row["student"]: row for row in students(out)}
    assert rows["kimben_4712"] == {
        "student": "kimben_4712",
        "name": "kimben",
        "id": "4712",
        "email": "",
        "login": "",
        "late": "yes",
    }
    assert [rows[name]["late"] for name in ("lovelaceada_4711", "anon_aB3xY", "anon_12345")] == ["", "", "yes"]


@pytest.mark.parametrize("ending", ["", "_"])
def test_moodle(made, out, tmp_path, ending):
    download = made(
        {
            f"Ada Lovelace_1234567_assignsubmission_file{ending}/train.py": TRAIN,
            f"Ada Lovelace_1234567_assignsubmission_file{ending}/explore.py": EXPLORE,
            f"Ada Lovelace_1234567_assignsubmission_onlinetext{ending}/onlinetext.html": b"<p>see file</p>",
            f"Ben Kim-Óg_1234568_assignsubmission_file{ending}/work.zip": small_zip(BOTH, tmp_path),
            f"Ada Lovelace_1234569_assignsubmission_file{ending}/deep/train.py": TRAIN,
            f"Participant_1234570_assignsubmission_file{ending}/train.py": TRAIN,
            "Default group_assignsubmission_file/train.py": TRAIN,
        }
    )
    code, printed, errors = intake(download, "--out", out)
    assert code == 0
    assert "4 entries of 4 students from moodle" in printed
    found = read_class(out)
    assert found == {
        "Ada Lovelace_1234567": BOTH,
        "Ada Lovelace_1234569": {"train.py": TRAIN},
        "Ben Kim-Óg_1234568": BOTH,
        "Participant_1234570": {"train.py": TRAIN},
    }
    assert "online text, and no file" in errors
    assert any("Default group" in text for text in errors.splitlines())
    assert "the times in its zip are others" in errors
    assert students(out)[0]["id"] == "1234567"
    assert students(out)[0]["name"] == "Ada Lovelace"


def test_moodle_without_folders(made, out):
    files = {"train.py": TRAIN, "explore.py": EXPLORE}
    download = made({f"Ada Lovelace_1234567_assignsubmission_file_{name}": text for name, text in files.items()})
    assert intake(download, "--out", out)[0] == 0
    assert read_class(out) == {"Ada Lovelace_1234567": BOTH}


METADATA = b"""---
submission_101:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0100'
    :email: Ada@example.org
  :created_at: 2026-04-30 18:02:11.107149000 Z
  :score: 3.0
  :status: processed
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    tests:
    - !ruby/object:Test
      name: a
  :history:
  - :id: 91
    :created_at: 2026-04-29 20:02:11.000000000 +02:00
    :score: 1.0
  - :id: 92
    :created_at: 2026-04-28 18:02:11.000000000 Z
submission_102:
  :submitters:
  - :name: Ben Kim
    :sid: 0101
    :email: ben@example.org
  - :name: Eve Ash
    :sid:
    :email: eve@example.org
  :created_at: 2026-05-01 23:59:59 -07:00
submission_103:
  :submitters:
  - :name: Finn Fox
  :created_at: 2026-05-01 10:00:00
submission_104:
  :submitters:
  - :name: Gone
    :email: gone@example.org
  :created_at: 2026-05-01 10:00:00 Z
"""


def test_gradescope(made, out):
    download = made(
        {
            "submission_metadata.yml": METADATA,
            "submission_101/train.py": TRAIN,
            "submission_101/explore.py": EXPLORE,
            "submission_91/train.py": TRAIN,
            "submission_102/train.py": TRAIN,
            "submission_103/train.py": TRAIN,
            "submission_999/train.py": TRAIN,
        },
        "assignment_555_export",
    )
    code, printed, errors = intake(download, "--out", out)
    assert code == 0
    assert "5 entries of 4 students from gradescope" in printed
    assert read_class(out) == {
        "ada@example.org@2026-04-29T18:02:11Z": {"train.py": TRAIN},
        "ada@example.org@2026-04-30T18:02:11Z": BOTH,
        "ben@example.org@2026-05-02T06:59:59Z": {"train.py": TRAIN},
        "eve@example.org@2026-05-02T06:59:59Z": {"train.py": TRAIN},
        "Finn Fox": {"train.py": TRAIN},
    }
    lines = errors.splitlines()
    assert any("1 earlier submissions of Ada Lovelace" in text for text in lines)
    assert any("of Gone is in" in text for text in lines)
    assert any("'submission_103' has no time" in text for text in lines), "a time without a zone is none"
    assert any("submission_999" in text and "no submitter" in text for text in lines)
    rows = {row["student"]: row for row in students(out)}
    assert (rows["ada@example.org"]["id"], rows["ben@example.org"]["id"]) == ("0100", "0101")
    assert rows["Finn Fox"]["name"] == "Finn Fox"


@pytest.mark.parametrize("repositories", [True, False])
def test_github(made, out, repositories):
    files = {
        "house-prices-ada/train.py": TRAIN,
        "house-prices-ada/.github/classroom/autograding.json": b"{}",
        "house-prices-ben-k/train.py": TRAIN,
        "house-prices-ben-k/explore.py": EXPLORE,
    }
    if repositories:
        files |= {
            f"house-prices-{name}/.git/config": b"[core]\n\tfsmonitor = touch /tmp/x\n" for name in ("ada", "ben-k")
        }
    download = made(files, "classroom" if repositories else "house-prices-submissions")
    code, printed, errors = intake(download, "--out", out)
    assert code == 0
    assert "2 entries of 2 students from github" in printed
    found = read_class(out)
    assert found["ben-k"] == BOTH
    assert found["ada"]["train.py"] == TRAIN
    assert "author's word" in errors
    assert students(out)[1]["login"] == "ben-k"
    assert not list(out.rglob(".git"))


def test_github_needs_to_be_told_what_cannot_be_seen(tmp_path, out):
    one = folder(tmp_path / "d", {"house-prices-ada-lovelace/train.py": TRAIN, "notes/x.txt": b""})
    code, _, errors = intake(one, "--out", out, "--from", "github")
    assert code == 2
    assert "--assignment" in errors
    code, _, errors = intake(one, "--out", out, "--from", "github", "--assignment", "house-prices")
    assert code == 0
    assert read_class(out) == {"ada-lovelace": {"train.py": TRAIN}}
    assert any("notes" in text and "does not begin" in text for text in errors.splitlines())


def test_nbgrader(made, out):
    download = made(
        {
            "ada/house_prices/train.py": TRAIN,
            "ada/house_prices/timestamp.txt": b"2026-04-30 18:02:11.948203 UTC\n",
            "ben/house_prices/train.py": TRAIN,
            "ben/house_prices/timestamp.txt": b"2026-04-30 20:02:11.5 Europe/Berlin",
            "eve/house_prices/train.py": TRAIN,
            "finn/house_prices/train.py": TRAIN,
            "finn/house_prices/timestamp.txt": b"2026-04-30 20:02:11 CEST",
            "kim/house_prices/timestamp.txt": b"2026-04-30 20:02:11 +0200",
        },
        "submitted",
    )
    code, printed, errors = intake(download, "--out", out)
    assert code == 0
    assert "5 entries of 5 students from nbgrader" in printed
    found = read_class(out)
    kim = found.pop("kim@2026-04-30T18:02:11Z")
    assert "found nothing" in kim
    assert found == {
        "ada@2026-04-30T18:02:11Z": {"train.py": TRAIN},
        "ben@2026-04-30T18:02:11Z": {"train.py": TRAIN},
        "eve": {"train.py": TRAIN},
        "finn": {"train.py": TRAIN},
    }
    assert "'eve' has no time: there is no timestamp.txt" in errors
    assert "'finn' has no time" in errors


def test_nbgrader_of_many_assignments(tmp_path, out):
    files = {f"ada/{name}/timestamp.txt": b"2026-04-30 18:02:11 UTC" for name in ("ps1", "house_prices")}
    download = folder(tmp_path / "submitted", {**files, "ada/house_prices/train.py": TRAIN, "ada/ps1/x.py": TRAIN})
    code, _, errors = intake(download, "--out", out)
    assert code == 2
    assert "name one of house_prices, ps1" in errors
    code, _, errors = intake(download, "--out", out, "--assignment", "house_price")
    assert code == 2
    assert "did you mean 'house_prices'?" in errors
    code, _, errors = intake(download, "--out", out, "--assignment", "house_prices")
    assert code == 0
    assert list(read_class(out)) == ["ada@2026-04-30T18:02:11Z"]
    assert "'ada/ps1': of another assignment" in errors


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-30 18:02:11.948203 UTC",
        "2026-04-30 18:02:11 America/Los_Angeles",
        "2026-11-01 01:30:00 Europe/Berlin",
        "2026-04-30 18:02:11",
        "2026-04-30 18:02",
        "2026-04-30 18:02:11 +0200",
        "2026-04-30 18:02:11-07:00",
    ],
)
def test_times_are_nbgraders(text):
    from nbgrader.utils import parse_utc

    from grader.intake.nbgrader import utc

    if text.endswith("+0200"):  # nbgrader takes it for seconds
        assert utc(text).replace(tzinfo=None).isoformat() == "2026-04-30T16:02:11"
    else:
        assert utc(text).replace(tzinfo=None) == parse_utc(text)
