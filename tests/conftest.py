"""Shared by the tests of the grader. Hidden suites run only when asked for, with --in-process."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Hidden suites are no tests of the grader: they mark submissions, or solutions in-process."""
    hidden = ROOT / "tests" / "hidden"
    if collection_path == hidden and not config.getoption("--in-process"):
        return True
    return None


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
