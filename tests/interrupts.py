"""For tests that press Ctrl-C or hang up: a child heeds it, also where the tests themselves run in the background, deaf to it."""

import signal


def heed() -> None:
    """To be called in the child, between fork and exec (`preexec_fn`)."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
