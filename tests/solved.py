"""The modules of a reference solution, for its tests."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]


def modules_of(assignment: str, names: Sequence[str]) -> SimpleNamespace:
    """The solution's modules by name; their plain names (`train`, …) are given back to other tests."""
    folder = str(ROOT / "solutions" / assignment)
    before = {name: sys.modules.pop(name, None) for name in names}
    sys.path.insert(0, folder)
    try:
        return SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(folder)
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update({name: module for name, module in before.items() if module is not None})
