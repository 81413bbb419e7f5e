"""Task 3 · A linear model, and the loop that trains it wherever Accelerate puts it.

The same `train` runs on a laptop's CPU, on a GPU, in mixed precision and on several processes: what differs is how the
`Accelerator` was built, and that is not the loop's business.
"""

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LinearRegression(nn.Module):
    """A weighted sum of the features, plus a bias."""

    def __init__(self, n_features: int, bias_init: float = 0.0) -> None:
        """Start with the bias at `bias_init`, and with weights that leave it alone at x = 0; zeros are fine.

        Args:
            n_features: features of one house.
            bias_init: what an untrained model predicts for every house. Log prices sit near 12: a model that starts
                at the training mean has only the differences left to learn.
        """
        super().__init__()
        raise NotImplementedError("Task 3: write LinearRegression.__init__().")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predicted log price of each house: (batch, n_features) -> (batch,)."""
        # Hint: nn.Linear(n_features, 1) gives (batch, 1); minus a (batch,) target that is (batch, batch), silently.
        raise NotImplementedError("Task 3: write LinearRegression.forward().")


def as_float_tensor(values: object) -> torch.Tensor:
    """A float32 copy of a table, a series, an array, a tensor or a list, in the same shape. Given."""
    if isinstance(values, torch.Tensor):
        return values.detach().to("cpu", torch.float32, copy=True)
    return torch.tensor(np.asarray(values, dtype="float32"))


class Rows(TensorDataset):
    """Tensors with a common first axis, read a batch at a time: much quicker than row by row. Given.

    A `DataLoader(Rows(X, y), …, collate_fn=tuple)` gives (X[batch], y[batch]).
    """

    def __getitems__(self, rows: list[int]) -> tuple[torch.Tensor, ...]:
        """The rows of one batch, from each tensor."""
        return self[rows]


def make_loader(X: object, y: object, batch_size: int, shuffle: bool, seed: int = 0) -> DataLoader:
    """Batches of (features, targets) pairs; no row is dropped.

    Args:
        X: (n, n_features), anything that `as_float_tensor` takes.
        y: (n,) or (n, 1), likewise.
        batch_size: rows of a batch on one process; the last batch may be smaller.
        shuffle: draw a new order each epoch; the same `seed` gives the same orders.
        seed: of the loader's own random generator.

    Returns:
        A loader of float32 batches, x: (batch, n_features) and y: (batch,).

    Raises:
        ValueError: `X` and `y` have different numbers of rows.
    """
    raise NotImplementedError("Task 3: write make_loader().")


def make_optimizer(model: nn.Module, kind: str, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW (`"adamw"`) or plain SGD (`"sgd"`) over the model's parameters. Given.

    Weight decay pulls towards zero. That is right for the weights and wrong for the bias: no house sells for a dollar.

    Raises:
        ValueError: another kind.
    """
    kinds = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    if kind not in kinds:
        raise ValueError(f"expected an optimizer out of {', '.join(kinds)}, found {kind!r}.")
    weights = [p for name, p in model.named_parameters() if not name.endswith("bias")]
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    groups = [{"params": weights, "weight_decay": weight_decay}, {"params": biases, "weight_decay": 0.0}]
    return kinds[kind](groups, lr=lr)


def train(
    model: nn.Module,
    loader: DataLoader,
    accelerator: Accelerator,
    *,
    epochs: int,
    lr: float,
    weight_decay: float = 0.0,
    optimizer: str = "adamw",
) -> list[float]:
    """Fit the model to the loader's pairs, by mean squared error.

    One optimizer step a batch, or one every k batches if the accelerator accumulates gradients over k. Device,
    precision, accumulation and number of processes are the accelerator's.

    Args:
        model: maps (batch, n_features) to (batch,); trained in place and left in training mode.
        loader: pairs of (batch, n_features) and (batch,); neither model nor loader has been prepared yet.
        accelerator: prepares what has to be prepared.
        epochs: passes over the loader.
        lr: learning rate.
        weight_decay: for the optimizer; 0 for none.
        optimizer: "adamw" or "sgd".

    Returns:
        The mean squared error of each epoch, as it was met batch by batch while training: the mean over all samples,
        on all processes, each counted once. Python floats.
    """
    raise NotImplementedError("Task 3: write train().")
