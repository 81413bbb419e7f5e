"""The attacks that are compared, by name, and two honest submissions that show the comparison to be fair."""

from attacks import forge, lying_objects, read_secrets, subvert
from attacks.attack import TASKS, Attack, Plain, hand_in

from elsewhere import own_attacks

NAMES = (
    "frames-up-the-stack",  # the hidden tests' source
    "reads-the-solutions",
    "environment",
    "asks-the-stack",  # expected values
    "agrees-with-everything",
    "comparing-helpers",
    "not-a-number",
    "prints-a-report",  # os._exit(0) while it is imported
    "exceptions-that-pass-through",  # sys.exit() and others in calls
    "writes-the-results",
    "rewrites-at-exit",
    "ships-the-judges-modules",  # conftest.py and pytest.py
    "never-ends",
    "leaves-a-daemon",
)
_FOUND = {
    attack.name: attack
    for module in (read_secrets, forge, subvert, lying_objects, own_attacks)
    for attack in module.ATTACKS
    if attack.name in NAMES
}
ATTACKS = [_FOUND[name] for name in NAMES]
HONEST = [
    Attack("(all solved)", "is right", hand_in(*TASKS), Plain.UNTRIED, 80),
    Attack("(nothing solved)", "is unwritten", hand_in(), Plain.UNTRIED, 0),
]

__all__ = ["ATTACKS", "HONEST", "Attack"]
