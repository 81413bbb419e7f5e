"""What comes back from two processes: plain data, the fields of a dataclass, the name of anything else, whoever failed."""

import os
import signal

import pytest

from grader.sandbox.ranks import RankKilled, run_ranks
from grader.suite.faults import StudentError
from grader.suite.in_process import student_in

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="ranks are forked")

THING = """
from dataclasses import dataclass, field

import torch
from torch import distributed


@dataclass
class History:
    loss: list = field(default_factory=list)
    best: object = None


def history():
    total = torch.tensor([float(distributed.get_rank() + 1)])
    distributed.all_reduce(total)
    return History([total.item()], History([distributed.get_rank()]))


def other():
    return object(), History


def too_deep():
    value = []
    for _ in range(1000):
        value = [value]
    return value


def one_raises_and_the_other_fails_for_it():
    if distributed.get_rank() == 1:
        raise NotImplementedError("write me")
    distributed.all_reduce(torch.zeros(1))  # nobody is there any more
    distributed.barrier()


def only_one_raises():
    if distributed.get_rank() == 1:
        raise ValueError("not me")
"""


@pytest.fixture
def on_two(tmp_path):
    (tmp_path / "thing.py").write_text(THING)
    student = student_in(tmp_path, ["thing"])
    yield student.on(processes=2).thing
    student.close()


def test_a_dataclass_arrives_as_its_fields(on_two):
    values = on_two.history().values
    # 1 from the first rank and 2 from the second are summed on both
    assert values == [{"loss": [3.0], "best": {"loss": [rank], "best": None}} for rank in (0, 1)]


def test_what_is_not_plain_is_named(on_two):
    for thing, kind in on_two.other().values:
        assert (thing.type_name, kind.type_name) == ("object", "type")


def test_the_rank_that_raised_is_told(on_two):
    with pytest.raises(StudentError, match="process 1 of 2: not me"):
        on_two.only_one_raises()


def test_an_answer_that_cannot_be_sent_ends_its_rank(on_two):
    with pytest.raises(StudentError, match="did not finish"):
        on_two.too_deep()


def test_who_raised_first_is_told_not_who_failed_for_it(on_two):
    with pytest.raises(StudentError, match=r"on process 1 of 2: write me") as failed:
        on_two.one_raises_and_the_other_fails_for_it()
    assert failed.value.not_implemented


def test_a_rank_that_somebody_killed_is_told_apart():
    """Whoever runs the ranks may try again: it is nothing that their code raised."""

    def call():
        if os.environ["RANK"] == "1":
            os.kill(os.getpid(), signal.SIGKILL)
        return {}

    with pytest.raises(RankKilled, match="process 1 of 2 was ended by SIGKILL"):
        run_ranks(2, 20.0, call, lambda error: {"text": str(error)}, refer=lambda value, write: None)
