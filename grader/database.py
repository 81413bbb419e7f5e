"""Opening a database as nbgrader's gradebook, with one line for each reason why it cannot be."""

from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    import nbgrader.api
    from sqlalchemy import URL, Connection

COURSE = "default_course"
"""nbgrader's own name for the only course of a database."""


def reason(error: Exception) -> str:
    """What a database says, in one line."""
    text = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".")
    return f"{text} (another program has it open; close it)" if "locked" in text else text


def checked(url: str) -> "URL":
    """A database's URL.

    Raises:
        UsageError: it is none, or of a database that does not stay.
    """
    from sqlalchemy import exc, make_url

    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except exc.ArgumentError:
        hint = f"did you mean sqlite:///{url}?" if url and "://" not in url else "SQLite and PostgreSQL are usual."
        raise UsageError(f"expected a database's URL such as sqlite:///grades.db, found {url!r}: {hint}") from None
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise UsageError(f"expected a database that stays, found {url!r}, in memory: name a file, sqlite:///grades.db.")
    return parsed


def opened(url: "URL") -> "nbgrader.api.Gradebook":
    """nbgrader's gradebook, once the database has shown that it can be written; new ones get all tables or none.

    nbgrader itself makes its tables one by one, and asks a program that need not be on the PATH for their version.
    """
    from nbgrader import api
    from sqlalchemy import create_engine, exc

    try:
        engine = create_engine(url)
        with engine.connect() as connection:
            if url.get_backend_name() == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # tables too belong to the transaction then
            _make_tables(connection, str(url))
            connection.commit()
        engine.dispose()
        return api.Gradebook(url.render_as_string(hide_password=False), COURSE)
    except ImportError as error:
        raise UsageError(f"the gradebook {url} needs a driver that is not installed: {error}.") from None
    except exc.SQLAlchemyError as error:
        raise UsageError(f"the gradebook {url} cannot be opened for writing: {reason(error)}.") from None


def _make_tables(connection: "Connection", shown: str) -> None:
    from alembic.script import ScriptDirectory
    from nbgrader import api, dbutil
    from sqlalchemy import inspect, text

    version = ScriptDirectory(dbutil.ALEMBIC_DIR).get_current_head()
    tables = inspect(connection).get_table_names()
    if not tables:
        api.Base.metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
    elif "alembic_version" not in tables or not {"assignment", "grade"} <= set(tables):
        raise UsageError(
            f"expected an empty database or nbgrader's, found other tables in {shown}: {', '.join(tables[:5])}."
        )
    elif (found := connection.execute(text("SELECT version_num FROM alembic_version")).scalar()) != version:
        raise UsageError(
            f"expected nbgrader's tables of version {version}, found {found} in {shown}: run `nbgrader db upgrade`."
        )
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))  # a read-only database fails here
    course = api.Course.__table__
    if not connection.execute(course.select().where(course.c.id == COURSE)).first():
        connection.execute(course.insert().values(id=COURSE))
