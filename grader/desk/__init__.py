"""The student's desk: the self-checks of a folder, once or after every save.

`checking` runs them with pytest. `watching` looks after the files and after a warm process (`warm`), which has imported
what takes seconds, and runs those checks again (`rounds`) that a saved file can have changed (`imports`); what the two
processes say to each other is in `messages`.
"""
