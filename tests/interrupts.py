"""For tests that press Ctrl-C or hang up: a child heeds both, also where tests run in the background and are deaf to them."""

import signal


def heed() -> None:
    """To be called in the child, between fork and exec (`preexec_fn`)."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
