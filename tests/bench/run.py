"""What marking costs, side by side in one run: the limit, the grader, and what else people use, by the same checks.

    uv run --extra bench python tests/bench/run.py [--assignment NAME …] [--submissions 12] [--single 2] [--way NAME …]

All mark copies of the right solution, and all must give it full marks. `cheap`, which is 50 checks that compute nothing, shows
what each way takes for itself. A way that marks a class in one run is run with one
submission and with all: the difference is what the others cost, and the first run's is the start-up. One that starts anew
for each submission marks `--single` of them. CPU is that of all processes, memory their proportional share at the peak.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))
from peers.measure import Cost
from peers.ways import ROOT, WAYS, Limit, OursAsItComes, Way
from ten_thousand import write_course

from grader.course import Assignment, Course

MIB = 1 << 20
COURSE = Course(ROOT)
CHEAP = "cheap"


def make_class(folder: Path, course: Course, assignment: Assignment, n: int) -> list[Path]:
    """`n` right solutions, no two the same."""
    entries = []
    for number in range(n):
        entry = folder / f"student-{number:03d}"
        entry.mkdir(parents=True)
        for file in assignment.files:
            text = (course.solution(assignment.name) / file).read_text("utf-8")
            (entry / file).write_text(f"{text}\n# handed in by number {number}\n", "utf-8")
        entries.append(entry)
    return entries


def measure(way: Way, entries: list[Path], single: int) -> tuple[Cost, Cost]:
    """The cost of a first submission with all that is done once, and of each further one."""
    way.set_up()
    if not way.warm:
        cost = way.mark(entries[:single])
        return Cost(), cost.each_beyond(Cost(), single)
    first = way.mark(entries[:1])
    way.fresh()
    return first, way.mark(entries).each_beyond(first, len(entries) - 1)


def show(assignment: str, rows: dict[type[Way], tuple[Cost, Cost]], n: int) -> Table:
    """Seconds for each submission, and ratios to the limit and to the grader."""
    limit, ours = (rows.get(way, (Cost(), Cost()))[1] for way in (Limit, OursAsItComes))
    table = Table(title=f"{assignment}: {n} submissions", title_justify="left")
    for column in ("", "isolated", "wall s", "CPU s", "CPU / limit", "wall / ours", "peak MiB", "start-up s"):
        table.add_column(column, justify="right" if column else "left")
    for way, (first, each) in rows.items():
        ratios = (
            f"{each.cpu / limit.cpu:.2f}" if limit.cpu else "–",
            f"{each.wall / ours.wall:.1f}" if ours.wall else "–",
        )
        start = f"{first.wall - each.wall:.1f}" if first.wall else "each"
        costs = f"{each.wall:.2f}", f"{each.cpu:.2f}"
        table.add_row(way.name, "yes" if way.isolates else "no", *costs, *ratios, f"{each.memory / MIB:.0f}", start)
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assignment", action="append", choices=(*COURSE.names, CHEAP), help="these alone")
    parser.add_argument("--submissions", type=int, default=12, help="of a class that is marked in one run")
    parser.add_argument("--single", type=int, default=2, help="submissions of ways that start anew for each")
    names = {way.__name__.lower(): way for way in WAYS}
    parser.add_argument("--way", action="append", choices=names, help="these alone")
    asked = parser.parse_args()
    for name in asked.assignment or (*COURSE.names, CHEAP):
        rows = {}
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            if name == CHEAP:
                write_course(Path(scratch) / "course")
            course = Course(Path(scratch) / "course") if name == CHEAP else COURSE
            assignment = course.assignment(name)
            entries = make_class(Path(scratch) / "class", course, assignment, asked.submissions)
            for way in (names[key] for key in asked.way or names):
                folder = Path(scratch) / way.__name__
                folder.mkdir()
                rows[way] = measure(way(course, assignment, folder), entries, asked.single)
                print(f"{name}: {way.name}: done", file=sys.stderr)
        Console(width=130).print(show(name, rows, asked.submissions))
    return 0


if __name__ == "__main__":
    sys.exit(main())
