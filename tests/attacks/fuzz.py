"""Coverage-guided fuzzing of one decoder with atheris (libFuzzer); ends with an error at the first input that breaks it.

    python tests/attacks/fuzz.py DECODER RUNS [SEED]      (`frame`, `value`, `reply`, `ranks`, `archive`, `notebook`)

Without a seed each run is another one. An input breaks a decoder by anything but being read or refused: another
exception, more than 2 GB, more than 30 s.
"""

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))
with atheris.instrument_imports(include=["grader"]):
    from attacks.decoders import DECODERS, examples

LIMITS = ["-rss_limit_mb=2048", "-timeout=30", "-max_len=4096", "-print_final_stats=1"]


def main() -> None:
    name, runs, *seed = sys.argv[1:]
    with tempfile.TemporaryDirectory() as corpus:
        for number, example in enumerate(examples(name)):
            Path(corpus, str(number)).write_bytes(example)
        arguments = [sys.argv[0], corpus, f"-runs={int(runs)}", f"-artifact_prefix={corpus}/", *LIMITS]
        arguments += [f"-seed={int(one)}" for one in seed]
        atheris.Setup(arguments, DECODERS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
