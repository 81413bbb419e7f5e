"""The table of attacks by family, as it stands in SECURITY.md.

python tests/attacks/table.py        writes it there
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from attacks import deny_service, escape, forge, lying_objects, read_secrets, subvert
from attacks.attack import Attack, Plain

PAGE = Path(__file__).parents[2] / "SECURITY.md"
BEGIN, END = "<!-- attacks: begin -->\n", "<!-- attacks: end -->"
FAMILIES: dict[str, list[Attack]] = {
    module.__name__.rpartition(".")[2]: module.ATTACKS
    for module in (read_secrets, forge, subvert, lying_objects, deny_service, escape)
}
EXAMPLES = 3


def table() -> str:
    """A row for each family: how many attacks, how many of them an ordinary autograder falls for, and some of them."""
    rows = ["| family | attacks | succeed against plain pytest | such as |", "|---|---|---|---|"]
    for family, attacks in FAMILIES.items():
        fooled = sum(attack.plain is not Plain.UNTRIED for attack in attacks)
        some = "; ".join(attack.tries for attack in attacks[:: max(1, len(attacks) // EXAMPLES)][:EXAMPLES])
        rows.append(f"| {family.replace('_', ' ')} | {len(attacks)} | {fooled} | {some} |")
    attacks = [attack for family in FAMILIES.values() for attack in family]
    fooled = sum(attack.plain is not Plain.UNTRIED for attack in attacks)
    return "\n".join([*rows, f"| all | {len(attacks)} | {fooled} | |"]) + "\n"


def page_with_table(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + "\n" + table() + "\n" + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text("utf-8")), "utf-8")
