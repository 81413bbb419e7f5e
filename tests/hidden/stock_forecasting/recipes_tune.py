"""What the checks of tune hand to student code; shipped to the worker, where it holds nothing worth knowing."""

import random
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import torch


class StandInsOfTune:
    """The suite's modules in the place of those that tune.py imports, until `leave` puts the student's own back.

    tune.py and whatever else is the student's are imported anew meanwhile, and forgotten afterwards: another task's checks
    meet no module that has ever seen a stand-in.
    """

    def __init__(self, sources):
        found = PathFinder.find_spec("tune")
        self.folder = str(Path(found.origin).parent) if found else ""
        self.aside = {name: sys.modules.pop(name) for name in self._own_names()}
        for name, source in sources.items():
            sys.modules[name] = module_of_tune(name, source)
        self.names = set(sources)

    def _own_names(self):
        files = {name: vars(module).get("__file__") or "" for name, module in list(sys.modules.items())}
        inside = [name for name, file in files.items() if self.folder and file.startswith(self.folder)]
        return [name for name in inside if str(Path(files[name]).parent) == self.folder]

    def leave(self):
        for name in {*self._own_names(), *self.names}:
            sys.modules.pop(name, None)
        sys.modules.update(self.aside)


def module_of_tune(name, source):
    """A module of that source; what it does not have, it gets from the student's file of its name."""
    module = ModuleType(name)
    exec(compile(source, f"<stand-in {name}>", "exec"), module.__dict__)
    own = []

    def from_own(attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if not own:
            spec = PathFinder.find_spec(name)
            own.append(module_from_spec(spec))
            spec.loader.exec_module(own[0])
        return getattr(own[0], attribute)

    module.__getattr__ = from_own
    return module


def stir(seed):
    """Leave all global random generators in another state."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
