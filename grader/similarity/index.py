"""An index of fingerprints: which documents share so many that a look at all of them is worth the while."""

from collections.abc import Iterator, Sequence

import numpy as np

from grader.similarity.prints import Prints

EARLY = 0.2
"""Part of the similarity asked for, in fingerprints of a file: edits cost more of these than of the code."""
_ROWS = 512


def candidates(prints: Sequence[Prints], active: Sequence[np.ndarray], at_least: float) -> Iterator[tuple[int, int]]:
    """Pairs of documents, the smaller place first, each once.

    Args:
        prints: the documents.
        active: of each (m,), which of its k-grams count.
        at_least: the similarity asked for.
    """
    from scipy.sparse import csr_array

    if not prints:
        return
    kept = [one.winnowed(~counts) for one, counts in zip(prints, active, strict=True)]
    digests = [one.grams[chosen] for one, chosen in zip(prints, kept, strict=True)]
    known, column = np.unique(np.concatenate(digests), return_inverse=True)
    document = np.repeat(np.arange(len(prints)), [len(part) for part in digests])
    most = max(len(one.files) for one in prints) + 1
    files = np.concatenate([one.file_of[one.at[chosen]] for one, chosen in zip(prints, kept, strict=True)])
    names, row = np.unique(document * most + files, return_inverse=True)
    ones = np.ones(len(column), "int32")
    # (files of all documents, fingerprints), how often it comes; (fingerprints, documents), whether it comes
    comes = csr_array((ones, (row, column)), shape=(len(names), len(known)))
    holds = (
        csr_array((ones, (document, column)), shape=(len(prints), len(known))).astype(bool).astype("int32").T.tocsc()
    )
    enough = EARLY * at_least * np.bincount(row, minlength=len(names))
    seen: set[tuple[int, int]] = set()
    for begin in range(0, len(names), _ROWS):
        shared = (
            comes[begin : begin + _ROWS] @ holds
        ).tocoo()  # (files, documents), fingerprints of the file that are there
        file, other = shared.coords
        near = shared.data >= enough[begin + file]
        owner = names[begin + file[near]] // most
        for pair in zip(np.minimum(owner, other[near]).tolist(), np.maximum(owner, other[near]).tolist(), strict=True):
            if pair[0] != pair[1] and pair not in seen:
                seen.add(pair)
                yield pair
