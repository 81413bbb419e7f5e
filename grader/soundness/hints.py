"""Whether what a student reads of a failing check is about the mistake that was made.

Nobody but a reader can tell whether a hint helps. What can be measured is whether it speaks of the right thing: given what
an author says of a mistake, its name and why it is wrong, the text of the check that it fails should be found among the texts
of all checks. Both are compared as search engines do, by the cosine of their TF-IDF vectors (Manning, Raghavan and Schütze,
Introduction to Information Retrieval, chapter 6), here of parts of words, so that `accumulating` finds `accumulated`.
"""

from collections.abc import Mapping

NEAR = 3
"""A text that is among so many nearest ones speaks of the mistake."""


def rank_hints(reasons: Mapping[str, str], checks: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, int]:
    """The rank of the right text for each mutant, 1 for the nearest.

    Args:
        reasons: mutant -> what is said of it.
        checks: mutant -> the check that it fails.
        texts: check -> what a student reads of it.
    """
    if not reasons:
        return {}
    from sklearn.feature_extraction.text import TfidfVectorizer

    names = list(texts)
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 6), sublinear_tf=True)
    known = vectorizer.fit_transform([texts[name] for name in names])
    asked = vectorizer.transform(list(reasons.values()))
    likeness = (asked @ known.T).toarray()  # (mutants, checks); the vectors have length 1
    own = [names.index(checks[mutant]) for mutant in reasons]
    return {
        mutant: 1 + int((row > row[place]).sum()) if row[place] > 0 else len(names)
        for mutant, row, place in zip(reasons, likeness, own, strict=True)
    }
