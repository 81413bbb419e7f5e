"""A warm interpreter that runs pytest in a fork of its own for each line of JSON: an ordinary run without its start-up.

{"work": folder, "log": file, "arguments": […], "environment": {…}, "seconds": 60}
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import time

LIBRARIES = (
    "accelerate matplotlib.pyplot numpy numpy.testing pandas pandas.testing torch torch.utils.data pytest "
    "_pytest.junitxml pytest_timeout"
)


def be_the_run(job: dict) -> int:
    os.setsid()
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(job["environment"])
    os.chdir(job["work"])
    sys.path[0] = job["work"]
    sys.argv = ["pytest", *job["arguments"]]

    import pytest

    return int(pytest.main(job["arguments"]))


def wait_for(pid: int, seconds: float) -> None:
    """Until it has ended, or must; then nothing of its session is left."""
    until = time.monotonic() + seconds
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            break
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def main() -> int:
    for library in LIBRARIES.split():
        importlib.import_module(library)
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            return be_the_run(job)
        wait_for(pid, job["seconds"])
        print("done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
