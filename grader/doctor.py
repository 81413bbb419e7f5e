"""What this machine can do for a grader, as `grader doctor` shows it."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.sandbox.probe import Mechanism, best_level
from grader.sandbox.terms import Level

REPORTED = (
    "accelerate",
    "torch",
    "torchvision",
    "numpy",
    "pandas",
    "scikit-learn",
    "matplotlib",
    "yfinance",
    "nbgrader",
)
LEVELS = {
    Level.NAMESPACES: "namespaces, the strongest level",
    Level.LANDLOCK: "landlock, the weaker level: one submission at a time; SECURITY.md says what is left",
    None: "none: submissions cannot be graded here but with --trust-submissions",
}


def examination(mechanisms: Sequence[Mechanism]) -> RenderableType:
    """What this machine offers: versions, mechanisms of the sandbox, accelerators, and the level that it comes to."""
    versions = Table(title="Versions", title_justify="left", show_header=False)
    versions.add_row("Python", platform.python_version())
    versions.add_row("system", f"{platform.system()} {platform.release()} ({platform.machine()})")
    for name in REPORTED:
        versions.add_row(name, _version(name))
    sandbox = Table(title="Sandbox", title_justify="left", show_header=False)
    for name, available, why in mechanisms:
        sandbox.add_row(name, Text("yes", style="green") if available else Text("no", style="red"), why)
    accelerators = Text(f"Accelerators: {_accelerators()} (grading runs on the CPU)")
    return Group(versions, sandbox, accelerators, Text(f"Sandbox: {LEVELS[best_level(mechanisms)]}"))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _accelerators() -> str:
    import torch

    if torch.cuda.is_available():
        return ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
    return "mps" if torch.backends.mps.is_available() else "none"
