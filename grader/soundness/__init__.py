"""The proof that a hidden suite is sound: what has known marks is graded, and must get them.

`cases` says what is graded (`mutants` reads the known mistakes), `proving` has it graded and remembers what came of it,
`verdicts` judges that, `margins` tells how near right work comes to the suite's lines, `hints` whether students could
learn from what a failing check tells them, and `report` lays all of it out as a page.
"""
