"""A PostgreSQL server of the tests' own: in a temporary folder, reached by a socket in it alone, ended with the tests."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 60
ACCOUNT = "postgres"  # whom root becomes: the server refuses to run as root


def programs() -> Path | None:
    """The folder of the newest server's programs; None where there is none."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else None


@contextmanager
def running_server() -> Iterator[str]:
    """A running server; gives the URL of its databases, with `{}` for a name."""
    binaries, folder = programs(), Path(tempfile.mkdtemp(prefix="postgresql-"))
    who = {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, ACCOUNT, ACCOUNT)
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **who}
    try:
        make = [binaries / "initdb", "-D", folder / "data", "-U", ACCOUNT, "--auth=trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*make, "--locale=C.UTF-8"], check=True, **quiet)
        place = ["-D", folder / "data", "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        server = subprocess.Popen([binaries / "postgres", *place], **quiet)
        try:
            _wait(folder, server)
            yield f"postgresql+psycopg://{ACCOUNT}@/{{}}?host={folder}"
        finally:
            server.terminate()
            server.communicate(timeout=PATIENCE_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(folder: Path, server: subprocess.Popen) -> None:
    """Until it lets somebody in."""
    import psycopg

    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return psycopg.connect(host=str(folder), user=ACCOUNT, dbname="postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                server.kill()
                raise RuntimeError(f"the server does not start: {server.communicate()[1].decode()[-500:]}") from None
            time.sleep(0.05)
