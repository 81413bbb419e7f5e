"""Run a command twice on a file system of its own that is full the first time:

    python small_disk.py FOLDER FREE_KB COMMAND…        prints the exit code and the last line of each run as JSON

The folder's content is copied into it, and back at the end.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from grader.sandbox import linux

SIZE_KB = 4096


def last_line(command: list[str]) -> list[object]:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return [done.returncode, (done.stdout.strip().splitlines() or [""])[-1]]


def main() -> None:
    folder, free_kb, *command = sys.argv[1:]
    if os.geteuid() == 0:
        linux.unshare(linux.CLONE_NEWNS)
    else:
        user, group = os.geteuid(), os.getegid()
        linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWUSER)
        linux.map_ids(user, group)
    linux.make_mounts_private()
    with tempfile.TemporaryDirectory() as kept:
        behind = os.open(folder, os.O_PATH)
        shutil.copytree(folder, kept, dirs_exist_ok=True)
        linux.mount_tmpfs(folder, f"size={SIZE_KB}k,mode=755")
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        ballast, room = Path(folder, "ballast"), shutil.disk_usage(folder).free
        ballast.write_bytes(bytes(room - int(free_kb) * 1024))
        full = last_line(command)
        written = sorted(path.name for path in Path(folder, "results").iterdir())
        ballast.unlink()
        mended = last_line(command)
        shutil.copytree(folder, f"/proc/self/fd/{behind}", dirs_exist_ok=True)
    print(json.dumps({"full": full, "written": written, "mended": mended}))


if __name__ == "__main__":
    main()
