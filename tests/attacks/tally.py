"""What the attacks of a run came to, kept for the table at its end."""

import pytest

TALLY = pytest.StashKey[dict[tuple[str, str, str], dict[str, float]]]()
"""By whom, family and attack: whether it gained, learned or hurt somebody, and the seconds that it cost."""

FUZZED = pytest.StashKey[dict[str, tuple[int, int]]]()
"""By decoder: how many inputs a fuzzer has tried, and how many places of the code these came to."""

FAULTS = pytest.StashKey[dict[str, object]]()
"""By what was killed: the outcome of a class under fire; and that of the soak."""
