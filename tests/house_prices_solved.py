"""What the tests of project 1's reference solution share: its modules, its fixture's tables, an Accelerator that ends."""

from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from solved import modules_of

ROOT = Path(__file__).resolve().parents[1]
SOLUTION = ROOT / "solutions/house_prices"
FIXTURE = ROOT / "fixtures/house_prices"
REAL = ROOT.parent / "shared/real/house_prices"
MODULES = ("explore", "preprocess", "train", "evaluate", "optimize", "bonus", "main")

needs_real_data = pytest.mark.skipif(not REAL.exists(), reason=f"Kaggle's table is not at {REAL}")


@pytest.fixture(scope="module")
def solved() -> SimpleNamespace:
    return modules_of("house_prices", MODULES)


@pytest.fixture(scope="module")
def houses(solved) -> pd.DataFrame:
    return solved.explore.load_data(FIXTURE / "train.csv")


@pytest.fixture(scope="module")
def unpriced(solved) -> pd.DataFrame:
    return solved.explore.load_data(FIXTURE / "test.csv")


@pytest.fixture
def accelerator():
    """Builds an Accelerator on the CPU; none survives the test."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield lambda **settings: Accelerator(cpu=True, **settings)
    AcceleratorState._reset_state(True)
    GradientState._reset_state()
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def close_figures():
    plt.switch_backend("agg")
    yield
    plt.close("all")
