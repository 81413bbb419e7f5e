"""What the checks of the features hand to student code, and what they look at there."""

import numpy as np


def kept_prices(table):
    """The table, so that a check can look at it again after the student's code had it."""
    return table


def prepared_parts(prepared):
    """What `prepare` gave, as plain data: each part's X, y and days, and what the scaler makes of −1, 0 and 1."""
    parts = {name: getattr(prepared, name) for name in ("train", "val", "test")}
    plain = {name: {"X": part.X, "y": part.y, "days": part.days} for name, part in parts.items()}
    return plain | {"returns": prepared.scaler.inverse_target(np.array([-1.0, 0.0, 1.0]))}


def returns_of(prepared, y):
    """Log returns of scaled targets or forecasts."""
    return prepared.scaler.inverse_target(y)
