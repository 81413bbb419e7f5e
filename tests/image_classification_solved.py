"""What the tests of project 2's reference solution share: its modules, an Accelerator that ends, a probe to train."""

from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from solved import modules_of
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ROOT = Path(__file__).resolve().parents[1]
SOLUTION = ROOT / "solutions/image_classification"
FIXTURE = ROOT / "fixtures/image_classification"
MODULES = ("data", "model", "train", "evaluate", "visualize", "bonus")

IMAGES = torch.randn(20, 3, 2, 2, generator=torch.Generator().manual_seed(0))
LABELS = torch.randint(0, 3, (20,), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def solved() -> SimpleNamespace:
    return modules_of("image_classification", MODULES)


@pytest.fixture
def accelerator():
    """Builds an Accelerator on the CPU, the only one alive; none survives the test."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def build(**settings: object) -> Accelerator:
        forget()
        return Accelerator(cpu=True, **settings)

    yield build
    forget()
    torch.set_num_threads(threads)


def forget() -> None:
    """Let the next Accelerator choose its precision and its accumulation."""
    AcceleratorState._reset_state(True)
    GradientState._reset_state()


@pytest.fixture(autouse=True)
def close_figures():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def network(dropout: float = 0.0, norm: bool = False) -> nn.Module:
    """Two linear layers for images of 2×2 pixels and three classes, always with the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        first = [nn.Flatten(), nn.Linear(12, 5), nn.BatchNorm1d(5) if norm else nn.Identity(), nn.Tanh()]
        return nn.Sequential(*first, nn.Dropout(dropout), nn.Linear(5, 3))


def loader(n: int = 20, batch_size: int = 4, *, seed: int | None = None) -> DataLoader:
    """The first n images in batches, in their order, or shuffled by the seed."""
    chance = {} if seed is None else {"shuffle": True, "generator": torch.Generator().manual_seed(seed)}
    return DataLoader(TensorDataset(IMAGES[:n], LABELS[:n]), batch_size=batch_size, **chance)
