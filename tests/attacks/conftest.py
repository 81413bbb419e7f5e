"""The arena's own hidden suite is no test of this repository; the attacks are counted at the end of a run."""

from collections import defaultdict

import pytest
from attacks.tally import FAULTS, FUZZED, TALLY

collect_ignore = ["arena"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table of attacks by family, and what was fuzzed."""
    if fuzzed := config.stash.get(FUZZED, {}):
        counts = [f"{name} {runs:,} inputs, {places} places" for name, (runs, places) in fuzzed.items()]
        terminalreporter.write_line("fuzzed: " + "; ".join(counts))
    for kind, outcome in config.stash.get(FAULTS, {}).items():
        if kind != "soak":
            found = f"lost, doubled or half written {len(outcome.problems)}, graded again {len(outcome.again)}"
            terminalreporter.write_line(f"faults: {kind}: {outcome.kills} kills, {outcome.starts} starts: {found}")
    rows = config.stash.get(TALLY, {})
    if not rows:
        return
    families = defaultdict(list)
    for (who, family, _), facts in rows.items():
        families[who, family].append(facts)
    terminalreporter.write_sep("=", "attacks")
    heads = ("attacks", "gained", "learned", "neighbours hurt", "most CPU s", "most wall s")
    terminalreporter.write_line(f"{'as':<12}{'family':<16}" + "".join(f"{head:>17}" for head in heads))
    for (who, family), facts in sorted(families.items()):
        counts = [len(facts), *(sum(fact[key] for fact in facts) for key in ("gained", "learned", "hurt"))]
        most = [max(fact[key] for fact in facts) for key in ("cpu", "wall")]
        columns = [*map(str, counts), *(f"{value:.1f}" for value in most)]
        terminalreporter.write_line(f"{who:<12}{family:<16}" + "".join(f"{column:>17}" for column in columns))
