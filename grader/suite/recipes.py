"""Recipes: what a hidden test hands to student code, named here and built in the worker by `builders`.

An assignment adds recipes of its own in `recipes.py` (and `recipes_<idea>.py`) beside its hidden tests. Their source is
shipped to the worker as one module; `recipe("function", …)` names what one of its functions builds there, and
`student.tools.function(…)` calls one.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from grader.sandbox.remote import Recipe

BUILDERS = "grader.suite.builders"
SHIPPED = "suite_recipes"  # the name under which an assignment's own recipes are shipped


def recipe(function: str, /, *args: object, **kwargs: object) -> Recipe:
    """Build `function(*args, **kwargs)` of the assignment's own recipes in the worker."""
    return Recipe(f"{SHIPPED}:{function}", args, kwargs)


def accelerator(**kwargs: object) -> Recipe:
    """A fresh `accelerate.Accelerator(cpu=True, **kwargs)`, with the singletons of an earlier one reset."""
    return Recipe(f"{BUILDERS}:accelerator", (), kwargs)


def loader(*arrays: np.ndarray, batch_size: int, shuffle: bool = False) -> Recipe:
    """A DataLoader over the arrays' rows: float arrays arrive as float32 tensors, integer ones as int64."""
    return Recipe(f"{BUILDERS}:loader", arrays, {"batch_size": batch_size, "shuffle": shuffle})


def linear(weight: Sequence[float], bias: float) -> Recipe:
    """A linear model with these weights, (batch, features) -> (batch,); its parameters are `0.weight` and `0.bias`."""
    return Recipe(f"{BUILDERS}:linear", (list(map(float, weight)), float(bias)))


def tensor(values: np.ndarray) -> Recipe:
    """A float32 tensor that shares no memory with anything."""
    return Recipe(f"{BUILDERS}:tensor", (np.asarray(values),))


def folder(files: Mapping[str, bytes | str]) -> Recipe:
    """A new folder in the worker's scratch with these files; stands for its path, as text."""
    return Recipe(f"{BUILDERS}:folder", (dict(files),))


def file(name: str, content: bytes | str) -> Recipe:
    """A file in a new folder of the worker's scratch; stands for its path, as text."""
    return Recipe(f"{BUILDERS}:file", (name, content))


def stand_in(module: str, source: str) -> Recipe:
    """Puts a module of the suite's own in the place of the student's, from here on, for as long as the worker lives."""
    return Recipe(f"{BUILDERS}:stand_in", (module, source))
