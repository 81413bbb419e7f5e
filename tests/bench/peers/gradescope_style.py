"""A submission marked as Gradescope's own examples do: a process, unittest, and gradescope-utils' runner for its JSON.

python gradescope_style.py FOLDER RESULTS
"""

import sys
import unittest
from pathlib import Path

from gradescope_utils.autograder_utils.decorators import number, weight
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

sys.path.insert(0, str(Path(__file__).parent))
from checks import points, require


def case(folder: Path) -> type[unittest.TestCase]:
    """A test for each check."""

    def test(name: str, worth: float, at: int):
        @number(str(at))
        @weight(worth)
        def run(self: unittest.TestCase) -> None:
            require(name, folder)

        return run

    tests = {f"test_{at:03d}": test(name, worth, at) for at, (name, worth) in enumerate(points().items())}
    return type("TestSubmission", (unittest.TestCase,), tests)


def main() -> None:
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case(Path(sys.argv[1])))
    with open(sys.argv[2], "w") as results:
        JSONTestRunner(visibility="hidden", stream=results).run(suite)


if __name__ == "__main__":
    main()
