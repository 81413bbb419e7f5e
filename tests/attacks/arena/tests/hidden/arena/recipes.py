"""What the arena's checks hand to student code."""

import os


def share(values):
    """Of several rows, that of the process which asks."""
    return [float(value) for value in values[int(os.environ["RANK"])]]
