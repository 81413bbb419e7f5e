"""An ordinary autograder: pytest in one process with the student's files. What attacks achieve there."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from attacks.attack import ARENA, Attack, Plain, solution
from attacks.field import Decoys, Secrets, write_files

SERVER = Path(__file__).with_name("plain_server.py")
SECONDS, SECONDS_OF_A_CHECK = 120, 20
COLLECTED_AFTER_SECONDS = 0.3  # reports are read when all have run, and until then something may happen to them
RUBRIC = tomllib.loads((ARENA / "assignments" / "arena" / "assignment.toml").read_text())
POINTS = {name: worth for task in RUBRIC["task"] for name, worth in task["checks"].items()}
OPTIONS = ("-p", "no:cacheprovider", "-p", "no:grader", "-q", "-s", f"--timeout={SECONDS_OF_A_CHECK}")


@dataclass(frozen=True)
class PlainOutcome:
    """What became of a submission there."""

    points: float | None
    """By the report; None when there was none."""
    learned: frozenset[str]
    """Places whose secrets were printed."""
    said: str

    def achieved(self, attack: Attack) -> bool:
        """Whether it is what the attack says that it would be."""
        match attack.plain:
            case Plain.GAINS:
                return self.points is not None and self.points > attack.earns
            case Plain.LEARNS:
                return bool(self.learned)
            case Plain.ENDS:
                return self.points is None or self.points < attack.earns
        raise ValueError(f"{attack.name} is not to be tried")


class PlainGrader:
    """Runs submissions one after the other, each in a fork of a warm interpreter, or in one of its own; a context
    manager."""

    def __enter__(self) -> "PlainGrader":
        self._server = subprocess.Popen(
            [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def outcome(self, attack: Attack, *, cold: bool = False) -> PlainOutcome:
        """What it makes of an attack; `cold`, in a new interpreter, in which the submission comes before the libraries.

        The hidden tests lie one folder up, as they do for graders that put them beside the submission.
        """
        planted = Secrets()
        with tempfile.TemporaryDirectory(prefix="plain-", ignore_cleanup_errors=True) as folder:
            root = Path(folder)
            tests, report, log = root / "hidden" / "test_plain.py", root / "report.xml", root / "log"
            write_files(root / "work", attack.files)
            suite = (ARENA / "plain" / "test_plain.py").read_text() + f'\nSECRET = "{planted.at("suite")}"\n'
            answer = solution("measure") + f"# {planted.at('solution')}\n"
            write_files(root, {"hidden/test_plain.py": suite, "solutions/measure.py": answer, "log": ""})
            decoys = Decoys(planted)
            facts = {"ARENA_PORT": str(decoys.port), "ARENA_SOCKET": decoys.name}
            facts["ARENA_SECRET"] = planted.at("environment")
            arguments = [*OPTIONS, "--rootdir", str(root), f"--junit-xml={report}", str(tests)]
            try:
                (self._run_cold if cold else self._run_warm)(root / "work", log, arguments, facts)
            finally:
                decoys.close()
            time.sleep(COLLECTED_AFTER_SECONDS)
            said = log.read_text("utf-8", "replace")
            return PlainOutcome(points_of(report), frozenset(planted.found_in(said)), said[-3000:])

    def _run_warm(self, work: Path, log: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        job = {"work": str(work), "log": str(log), "arguments": arguments, "environment": environment}
        self._server.stdin.write(json.dumps({**job, "seconds": SECONDS}) + "\n")
        self._server.stdin.flush()
        self._server.stdout.readline()

    def _run_cold(self, work: Path, log: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        with open(log, "wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *arguments],
                cwd=work,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def points_of(report: Path) -> float | None:
    """Points by a JUnit report: those of the checks that it calls passed."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return None
    passed = [re.sub(r"^test_", "", case.get("name", "")) for case in cases if len(case) == 0]
    return float(sum(POINTS.get(name, 0) for name in passed))
