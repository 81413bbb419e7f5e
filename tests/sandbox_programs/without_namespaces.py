"""Run a command, as an ordinary user, where user namespaces are refused: `python without_namespaces.py COMMAND…`."""

import os
import sys

from as_somebody import refuse_user_namespaces

if __name__ == "__main__":
    refuse_user_namespaces()
    os.execv(sys.argv[1], sys.argv[1:])
