"""Self-checks of task 3, train.py: `pytest -k train`. Here: how the weights change; `bench` has the small model."""

import math
import sys

import numpy as np
import pytest

from grader.suite import accelerator, assert_close, check, require

START = "weight 0, bias 0, SGD with lr 0.1, no momentum and no warm-up"


@check(
    title="Each batch gives one step, down its own gradient of the cross-entropy",
    hint="(0.2, 0.1) is a sum, not a mean; (0, 0) lost its gradients before the step; clear them behind each step.",
)
def test_train_step(bench):
    got = bench.trained(bench.batches(2, (1.0, 0), (3.0, 0)))
    assert_close(
        got, [0.1, 0.05], "(weight, bias)", case=f"one batch, x = 1 and 3, both of class 0: {START}", rtol=1e-4
    )
    got = bench.trained(bench.batches(1, (1.0, 0), (3.0, 0)))
    case = f"the same in two batches, the second at half the rate: {START}"
    assert_close(got, [0.11752, 0.07251], "(weight, bias)", case=case, atol=1e-4)


@check(
    title="The rate warms up and falls with every optimizer step, not with every epoch",
    hint="LambdaLR over epochs × steps an epoch, its step() behind optimizer.step(); note the rate before it changes.",
)
def test_train_schedule(student, bench):
    model, quiet = student.make(bench.probe(0.0, 0.0)), {"epochs": 2, "warmup_fraction": 0.25}
    rows = bench.batches(1, (1.0, 0), (3.0, 0))
    history = student.train.train(model, rows, bench.batches(1, (1.0, 0)), accelerator(), bench.config(**quiet))
    case = "two epochs of two steps, one of warm-up, lr 0.1: rates 0 and 0.1, then 0.075 and 0.025"
    assert_close(history.lr, [0.1, 0.025], "lr, in the last step of each epoch,", case=case)
    four = bench.batches(1, *[(1.0, 0)] * 4)
    accumulating = accelerator(gradient_accumulation_steps=2)
    model = student.make(bench.probe(0.0, 0.0))
    history = student.train.train(model, four, bench.batches(1, (1.0, 0)), accumulating, bench.config(**quiet))
    assert_close(history.lr, [0.1, 0.025], "lr", case=f"{case}; each step accumulates two batches")


@check(
    title="Two accumulated batches step like one batch of both",
    hint="(0.025, 0.025) lacks accumulate(model); (0.2, 0.1) is loss.backward(); (0.05, 0.025) divided by hand as well.",
)
def test_train_accumulation(bench):
    got = bench.trained(bench.batches(1, (1.0, 0), (3.0, 0)), k=2)
    case = f"two batches of one image, x = 1 and 3, both of class 0, accumulated: {START}"
    assert_close(got, [0.1, 0.05], "(weight, bias)", case=case, rtol=1e-4)


@check(
    title="What is left at the end of an epoch steps too",
    hint="accumulate() knows the loader's end, if the loader is prepared: do not count batches yourself; round steps up.",
)
def test_train_leftover(bench):
    got = bench.trained(bench.batches(1, (1.0, 0), (3.0, 0), (2.0, 1)), k=2)
    case = f"x = 1 and 3 of class 0, then x = 2 of class 1, two batches a step; rates 0.1 and 0.05: {START}"
    if not np.allclose(got, [0.04378, 0.02189], atol=1e-4):  # the last window divided by the one batch that it has
        assert_close(got, [0.07189, 0.03595], "(weight, bias)", case=case, atol=1e-4)


@check(
    title="Gradients are clipped once a step, when all of them are there",
    hint="accelerator.clip_grad_norm_ behind backward, where accelerator.sync_gradients is true, and before step.",
)
def test_train_clipping(bench):
    got = bench.trained(bench.batches(2, (1.0, 0), (3.0, 0)), max_grad_norm=0.1)
    case = f"the gradient (-1, -0.5) is clipped to a norm of 0.1: {START}"
    assert_close(got, [0.0089443, 0.0044721], "(weight, bias)", case=case, atol=1e-5)
    got = bench.trained(bench.batches(1, (1.0, 0), (3.0, 1)), k=2, max_grad_norm=0.1)
    case = f"the gradients (-0.25, -0.25) and (0.75, 0.25) of two accumulated batches make (0.5, 0): {START}"
    assert_close(got, [-0.01, 0.0], "(weight, bias)", case=case, atol=1e-5)


@pytest.mark.skipif(sys.platform != "linux", reason="two processes are tried on Linux only")
@check(
    title="Two processes step like one with both images, and tell the same history",
    hint="(0.1175, 0.0725): the loader is not the prepared one; a loss of one process alone: gather_for_metrics.",
)
def test_train_processes(student, bench):
    rows, val_rows = bench.batches(1, (1.0, 0), (3.0, 0)), bench.batches(1, (1.0, 0), (1.0, 1))
    own = bench.config()
    results = student.on(processes=2).train.train(bench.probe(0.0, 0.0), rows, val_rows, accelerator(), own)
    case = f"one image on each of two processes, x = 1 and 3, both of class 0: {START}"
    assert_close(bench.weight_and_bias(results.modules[0][0]), [0.1, 0.05], "(weight, bias)", case=case, rtol=1e-4)
    for rank, history in enumerate(results.values):
        require(isinstance(history, dict), "train returns its History on every process", got=type(history).__name__)
        case = f"validation x = 1 of class 0 and of class 1: logits 0.15 and 0; process {rank} of 2"
        assert_close(history["train_loss"], [math.log(2)], "train_loss", rtol=1e-4)
        assert_close(history["val_loss"], [0.695957], "val_loss", case=case, rtol=1e-4)
        assert_close(history["val_accuracy"], [0.5], "val_accuracy", case=case)
