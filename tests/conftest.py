"""Shared by the tests of the grader. Hidden suites run only when asked for, with --in-process."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from postgresql_server import programs, running_server

ROOT = Path(__file__).parents[1]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Hidden suites are no tests of the grader: they mark submissions, or solutions in-process."""
    hidden = ROOT / "tests" / "hidden"
    if collection_path == hidden and not config.getoption("--in-process"):
        return True
    return None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """Gives the URL of a new, empty database each time, on a server of the tests' own."""
    if programs() is None:
        pytest.skip("there is no PostgreSQL server on this machine")
    from sqlalchemy import create_engine, text

    with running_server() as url:
        numbers, engine = count(1), create_engine(url.format("postgres"), isolation_level="AUTOCOMMIT")

        def new_database() -> str:
            name = f"test_{next(numbers)}"
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name}"))
            return url.format(name)

        yield new_database
        engine.dispose()


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
