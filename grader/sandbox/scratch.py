"""Removing what a worker left in a scratch folder that outlives it.

Imports the standard library alone: `root.py` loads this file by its path.
"""

import contextlib
import os
import subprocess

WIPE_SECONDS = 60


def wipe(folder: str) -> None:
    """Remove a folder, whatever modes, depth and links it was left with; by a program of its own, in time."""
    for command in (["rm", "-rf"], ["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        if os.path.lexists(folder):
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run([*command, "--", folder], stderr=subprocess.DEVNULL, timeout=WIPE_SECONDS)
