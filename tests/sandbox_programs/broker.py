"""A broker to be killed: starts a sandbox with a busy worker, prints the pids of all and the scratch folder, and waits."""

import json
import sys
import time

from harness import Inmate, below, start

from grader.sandbox.launch import Level, Session, WorkerLimits

with start(Level(sys.argv[1])) as sandbox, Session(sandbox.open_session()) as session:
    inmate = Inmate(session.spawn(WorkerLimits()))
    inmate.leave_daemon()
    print(json.dumps({"pids": below(sandbox), "scratch": inmate.where()["folder"]}), flush=True)
    time.sleep(600)
