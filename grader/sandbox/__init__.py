"""Confined processes for code that nobody vouches for. Knows nothing of grading.

    broker ── subprocess ── keeper (root.py) ── fork, exec ── zygote ── fork ── worker, one for each request

`launch.Sandbox` starts it all; `session.Session` is what the trusted side holds, `service` what answers it. `visible` says
which files exist inside; `root` builds the outer wall and `confine` the inner one from `linux`, `landlock` and `seccomp`,
whose rules are in `policy`. On top of that, `worker` and `remote` speak with each other in `frames` of plain data (`codec`).
"""
