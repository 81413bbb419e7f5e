"""Streams as numbers that can be compared: k-grams of tokens, and the few of them that winnowing keeps.

Two documents that share a run of `K + WINDOW - 1` tokens share at least one fingerprint (Schleimer, Wilkerson and Aiken,
2003), so that an index of fingerprints finds every pair with such a run; all k-grams then tell how much is shared.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grader.similarity.reader import Read

K = 16
"""Tokens of a k-gram, about two lines. Shorter ones are idioms that everybody writes; longer ones end at each edit."""
WINDOW = 5
"""Of these k-grams in a row, the smallest is a fingerprint."""
_BASE = np.uint64(0x9E3779B97F4A7C15)
_NONE = np.uint64(2**64 - 1)


@dataclass(frozen=True, eq=False)
class Prints:
    """A submission's Python as numbers. `n` tokens and `m` k-grams, none of which leaves its passage."""

    files: tuple[str, ...]
    lines: np.ndarray
    """(n,) line of each token, counted from 1 in its file."""
    file_of: np.ndarray
    """(n,) place in `files`."""
    grams: np.ndarray
    """(m,) digest of each k-gram."""
    at: np.ndarray
    """(m,) where it begins."""

    @classmethod
    def of(cls, streams: Mapping[str, Read]) -> "Prints":
        """The numbers of a submission's files, in the order of their names."""
        names = tuple(sorted(streams))
        tokens = [np.frombuffer(streams[name].tokens, "uint64") for name in names]
        lines = [np.frombuffer(streams[name].lines, "uint32") for name in names]
        lengths = [length for name in names for length in streams[name].lengths]
        whole = np.concatenate([np.zeros(0, "uint64"), *tokens])  # (n,)
        passage = np.repeat(np.arange(len(lengths)), lengths)  # (n,)
        file_of = np.repeat(np.arange(len(names)), [len(part) for part in tokens])
        at = np.arange(max(0, len(whole) - K + 1))
        at = at[passage[at] == passage[at + K - 1]]
        digests = np.zeros(len(at), "uint64")
        for step in range(K):
            digests = digests * _BASE + whole[at + step]  # modulo 2⁶⁴
        return cls(names, np.concatenate([np.zeros(0, "uint32"), *lines]), file_of, digests, at)

    def covered(self, which: np.ndarray) -> np.ndarray:
        """(n,) which tokens lie in one of the chosen k-grams, (m,)."""
        edges = np.zeros(len(self.lines) + 1, "int32")
        edges[self.at[which]] += 1
        edges[self.at[which] + K] -= 1
        return np.cumsum(edges[:-1]) > 0

    def winnowed(self, ignored: np.ndarray) -> np.ndarray:
        """(m,) which k-grams are fingerprints: the last smallest of each window; the ignored ones, (m,), are none."""
        chosen = np.zeros(len(self.grams), bool)
        if not len(self.grams):
            return chosen
        width = min(WINDOW, len(self.grams))
        # A window that leaves its passage is as good as another: it can only keep more.
        windows = np.lib.stride_tricks.sliding_window_view(np.where(ignored, _NONE, self.grams), width)
        last = width - 1 - np.argmin(windows[:, ::-1], axis=1)
        chosen[np.arange(len(windows)) + last] = True
        return chosen & ~ignored
