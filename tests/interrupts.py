"""For tests that press Ctrl-C: a child heeds it, also where the tests themselves run in the background, where it is ignored."""

import signal


def heed() -> None:
    """To be called in the child, between fork and exec (`preexec_fn`)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
