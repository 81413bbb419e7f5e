"""Which submissions of a class are suspiciously alike: fingerprints of their syntax, compared; pages that show where.

    stream      Python source as a stream of syntax, without names, words and layout
    reader      the same in a process of its own, with limits
    prints      streams as numbers: k-grams, and the few of them that winnowing keeps
    reading     a class folder as documents
    index       which documents share fingerprints
    compare     pairs and groups of documents that share more than the starter and the class explain
    passages    where two documents say the same
    words, pages, template      what is said and shown of it

Source: S. Schleimer, D. S. Wilkerson, A. Aiken, Winnowing: local algorithms for document fingerprinting, SIGMOD 2003,
https://doi.org/10.1145/872757.872770
"""
