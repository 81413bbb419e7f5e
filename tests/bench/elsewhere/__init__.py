"""What `attacks_elsewhere.py` needs: the attacks, the same hidden checks in each grader's form, and a run of each grader."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # for `attacks`, as pytest has it
