"""What recipes become: this runs in the worker, beside the student's code, and holds nothing worth knowing."""

import os
import random
import socket
import sys
import tempfile
from collections.abc import Sequence
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from grader.sandbox import worker
from grader.suite.figures import summarise


def serve(connection: socket.socket, scratch: str) -> NoReturn:
    """Be the worker of one submission."""
    worker.serve(connection, Path(scratch) / "submission", summarise)


def warm_up() -> None:
    """Touch with one thread what the first use of a library would otherwise pay for in every submission."""
    import io

    import matplotlib.pyplot as plt
    import pandas as pd
    import torch
    from torch import nn

    torch.set_num_threads(1)  # an OpenMP pool in a process that forks makes every child hang
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
    for kind in (torch.optim.AdamW, torch.optim.SGD):
        optimizer = kind(model.parameters(), lr=0.1)
        nn.functional.mse_loss(model(torch.ones(8, 4)).squeeze(-1), torch.zeros(8)).backward()
        optimizer.step()
        optimizer.zero_grad()
    figure, axis = plt.subplots()
    axis.hist([1, 2, 3])
    axis.set_title("warm")
    figure.savefig(io.BytesIO(), format="png")
    plt.close("all")
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", None]})
    frame.groupby("b").sum()
    pd.read_csv(io.StringIO(frame.to_csv()))
    reset(0)


def reset(seed: int) -> None:
    """Before each check: no Accelerate state, figures or random numbers left from the check before."""
    import torch

    _forget_accelerators()
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _forget_accelerators() -> None:
    from accelerate.state import AcceleratorState, GradientState

    AcceleratorState._reset_state(True)  # both: one without the other makes optimizer.step() do nothing
    GradientState._reset_state()


def accelerator(**kwargs: Any) -> Any:
    """An `Accelerator` on the CPU that has nothing to do with earlier ones."""
    from accelerate import Accelerator

    if "RANK" not in os.environ:
        _forget_accelerators()
    return Accelerator(cpu=True, **kwargs)


def loader(*arrays: np.ndarray, batch_size: int, shuffle: bool) -> Any:
    """A DataLoader over the arrays' rows."""
    from torch.utils.data import DataLoader, TensorDataset

    return DataLoader(TensorDataset(*map(tensor, arrays)), batch_size=batch_size, shuffle=shuffle)


def linear(weight: Sequence[float], bias: float) -> Any:
    """A model with these weights: (batch, features) -> (batch,)."""
    from torch import nn

    layer = nn.Linear(len(weight), 1)
    layer.weight.data = tensor(np.array([weight], dtype=np.float32))  # (1, features)
    layer.bias.data = tensor(np.array([bias], dtype=np.float32))
    return nn.Sequential(layer, nn.Flatten(0))  # (batch, features) -> (batch, 1) -> (batch,)


def tensor(values: np.ndarray) -> Any:
    """A float32 or int64 tensor of its own memory."""
    import torch

    made = torch.from_numpy(np.array(values))
    return made.float() if made.is_floating_point() else made.long()


def folder(files: dict[str, bytes | str]) -> str:
    """The path of a new folder with these files."""
    path = Path(tempfile.mkdtemp())
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def file(name: str, content: bytes | str) -> str:
    """The path of a new file."""
    return str(Path(folder({name: content})) / name)


def stand_in(name: str, source: str) -> None:
    """Put a module of the suite's own in the place of the student's, whose other names stay reachable through it.

    What else is the student's is imported anew when it is asked for: a helper may have taken names from the real one.
    """
    if isinstance(getattr(sys.modules.get(name), "stood_in_for", None), str):
        return
    module = ModuleType(name)
    module.__dict__["stood_in_for"] = name
    exec(compile(source, f"<stand-in {name}>", "exec"), module.__dict__)

    def own(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(_students_own(name), attribute)

    module.__dict__["__getattr__"] = own
    folder = _students_folder(name)
    for other, known in list(sys.modules.items()):
        file = getattr(known, "__dict__", {}).get("__file__")
        if isinstance(file, str) and Path(file).parent == folder:
            del sys.modules[other]
    sys.modules[name] = module


def _students_folder(name: str) -> Path:
    """Where the student's module of this name lies."""
    found = PathFinder.find_spec(name)
    return Path(found.origin).parent if found and found.origin else Path.cwd()


def _students_own(name: str) -> ModuleType:
    alias = f"_own_{name}"
    if alias not in sys.modules:
        spec = spec_from_file_location(alias, _students_folder(name) / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[alias] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[alias])
    return sys.modules[alias]
