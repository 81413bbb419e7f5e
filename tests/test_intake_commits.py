"""Times of commits: as `git` itself tells them, by leave alone, and whatever a repository holds."""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from downloads import TRAIN, intake, read_class

from grader.intake.commits import commit_times

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git to make repositories with")
TIMES = {"ada": "2026-04-30T20:02:11+02:00", "ben": "2026-05-01T00:00:00-05:00", "eve": "2026-05-02T12:00:00+00:00"}


def git(where: Path, *words: str, time: str = TIMES["ada"]) -> str:
    env = {
        **os.environ,
        "GIT_COMMITTER_DATE": time,
        "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z",
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }
    identity = ["-c", "user.name=N", "-c", "user.email=n@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *words], cwd=where, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def clone(root: Path, student: str) -> Path:
    """A repository as it lies there after `git clone`."""
    folder = root / f"house-prices-{student}"
    folder.mkdir(parents=True)
    (folder / "train.py").write_bytes(TRAIN)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "work", time=TIMES[student])
    return folder


@pytest.fixture
def classroom(tmp_path) -> Path:
    for student in TIMES:
        clone(tmp_path / "classroom", student)
    return tmp_path / "classroom"


def as_git_tells(folder: Path) -> datetime:
    return datetime.fromisoformat(git(folder, "log", "-1", "--format=%cI")).astimezone(UTC)


def test_times_are_those_that_git_tells(classroom, tmp_path):
    _, ben, eve = folders = [classroom / f"house-prices-{student}" for student in TIMES]
    git(ben, "gc", "-q")  # objects and references in packs
    git(eve, "checkout", "-q", "--detach")
    assert not (ben / ".git" / "refs" / "heads" / "main").exists()
    assert commit_times(folders) == [as_git_tells(folder) for folder in folders]
    code, _, errors = intake(classroom, "--out", tmp_path / "class", "--commit-times")
    assert code == 0
    assert "their authors' word" in errors
    assert set(read_class(tmp_path / "class")) == {
        "ada@2026-04-30T18:02:11Z",
        "ben@2026-05-01T05:00:00Z",
        "eve@2026-05-02T12:00:00Z",
    }


def test_without_leave_there_are_none(classroom, tmp_path):
    code, _, errors = intake(classroom, "--out", tmp_path / "class")
    assert code == 0
    assert "--commit-times takes authors at their word" in errors
    assert set(read_class(tmp_path / "class")) == set(TIMES)


def test_a_repository_that_cannot_be_read_has_no_time_and_is_named(classroom, tmp_path):
    head = classroom / "house-prices-ben" / ".git" / "HEAD"
    head.write_text("ref: ../../../house-prices-ada/.git/refs/heads/main\n")
    for path in (classroom / "house-prices-eve" / ".git" / "objects").glob("??/*"):
        path.chmod(0o644)
        path.write_bytes(b"not what zlib writes")
    code, _, errors = intake(classroom, "--out", tmp_path / "class", "--commit-times")
    assert code == 0
    assert "without a commit that can be read, and so without a time: house-prices-ben, house-prices-eve" in errors
    assert set(read_class(tmp_path / "class")) == {"ada@2026-04-30T18:02:11Z", "ben", "eve"}


def test_no_program_that_a_repository_names_is_run(classroom, tmp_path):
    ran = tmp_path / "ran"
    for folder in classroom.iterdir():
        names = f"fsmonitor = touch {ran}\npager = touch {ran}\n"
        settings = f"[core]\n{names}[log]\nshowSignature = true\n[gpg]\nprogram = {ran}\n"
        (folder / ".git" / "config").write_text(settings)
    assert intake(classroom, "--out", tmp_path / "class", "--commit-times")[0] == 0
    assert not ran.exists()


@pytest.mark.parametrize("head", ["ref: HEAD", "ref: refs/heads/none", "", "0" * 40, "é" * 9999, "ref: /etc/passwd"])
def test_a_head_that_leads_nowhere_costs_nobody_else_anything(classroom, head):
    ada, ben, _ = folders = sorted(classroom.iterdir())
    (ben / ".git" / "HEAD").write_text(head)
    times = commit_times(folders)
    assert times[1] is None
    assert (times[0], times[2]) == (as_git_tells(ada), datetime(2026, 5, 2, 12, tzinfo=UTC))


@pytest.mark.parametrize("kind", ["zip", "plain", "moodle"])
def test_where_there_are_no_commits_that_is_one_line(classroom, tmp_path, kind):
    download = classroom
    if kind == "zip":
        download = Path(shutil.make_archive(str(tmp_path / "classroom"), "zip", classroom))
    elif kind == "plain":
        for folder in classroom.iterdir():
            shutil.rmtree(folder / ".git")
    else:
        download = tmp_path / "moodle"
        (download / "Ada Lovelace_1234567_assignsubmission_file").mkdir(parents=True)
        (download / "Ada Lovelace_1234567_assignsubmission_file" / "train.py").write_bytes(TRAIN)
    more = [] if kind == "moodle" else ["--from", "github"]
    code, _, errors = intake(download, "--out", tmp_path / "class", "--commit-times", *more)
    assert code == 2
    assert ("expected --commit-times with github" if kind == "moodle" else "expected folders of clones") in errors
    assert not (tmp_path / "class").exists()
