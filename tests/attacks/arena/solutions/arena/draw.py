"""Figures and files."""

from pathlib import Path

import matplotlib.pyplot as plt


def plot(values):
    """A figure with the values as a line, titled `Values (n)`."""
    figure, axes = plt.subplots()
    axes.plot(values)
    axes.set_title(f"Values ({len(values)})")
    return figure


def read(folder):
    """The sum of the numbers in `numbers.txt`, one a line."""
    return sum(float(line) for line in Path(folder, "numbers.txt").read_text().split())
