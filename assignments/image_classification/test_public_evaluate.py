"""Self-checks of task 4, evaluate.py: `pytest -k evaluate`. `bench` has the small model."""

import sys

import numpy as np
import pytest
import torch

from grader.suite import Recipe, accelerator, assert_close, check, require_equal

TRUE, PREDICTED = [0, 0, 0, 2, 2], [0, 0, 2, 2, 0]

FIVE = [(0.0, 0), (1.0, 1), (2.0, 0), (3.0, 1), (4.0, 0)]


@check(
    title="accuracy is the part that is right, of lists, arrays and tensors alike",
    hint="float((y_true == y_pred).mean()), of what as_labels made of them.",
)
def test_evaluate_accuracy(student):
    case = f"true {TRUE}, predicted {PREDICTED}"
    for kind in (list, np.array, torch.tensor):
        got = student.evaluate.accuracy(kind(TRUE), kind(PREDICTED))
        require_equal(type(got).__name__, "float", "accuracy is a Python float", case)
        assert_close(got, 0.6, "accuracy", case=case)


@check(
    title="Numbers of classes that do not match are refused, and so is a class out of range",
    hint="Compare the lengths before the values: NumPy would stretch one label over all of the others, and takes −1 for the "
    "last class.",
)
def test_evaluate_refusals(student):
    for y_true, y_pred in (([0, 1, 1], [1]), ([], [])):
        with student.raises(ValueError, case=f"accuracy({y_true}, {y_pred})"):
            student.evaluate.accuracy(y_true, y_pred)
    for y_true, y_pred in (([0, 1, 1], [1]), ([0, 1], [0, 3]), ([0, -1], [0, 1])):
        with student.raises(ValueError, case=f"confusion_matrix({y_true}, {y_pred}, 3)"):
            student.evaluate.confusion_matrix(y_true, y_pred, 3)


@check(
    title="The confusion matrix has true classes in its rows, and a place for every class",
    hint="np.zeros((num_classes, num_classes), dtype='int64') and np.add.at(matrix, (y_true, y_pred), 1).",
)
def test_evaluate_confusion(student):
    cm = student.evaluate.confusion_matrix(TRUE, PREDICTED, 3)
    case = f"true {TRUE}, predicted {PREDICTED}, three classes"
    assert_close(cm, [[2, 0, 1], [0, 0, 0], [1, 0, 1]], "the matrix", case=case)
    cm = student.evaluate.confusion_matrix([0, 0, 1], [1, 1, 1], 2)
    assert_close(cm, [[0, 2], [0, 1]], "the matrix", case="true [0, 0, 1], predicted [1, 1, 1]")
    require_equal(str(cm.dtype).removeprefix("torch."), "int64", "the matrix is int64")


@check(
    title="per_class_accuracy divides by the true class's images; without images it is NaN",
    hint="The diagonal over the rows' sums. Where a sum is 0 there is nothing to know: NaN, not 0.",
)
def test_evaluate_classes(student):
    got = student.evaluate.per_class_accuracy(np.array([[2, 0, 2], [0, 0, 0], [3, 0, 1]]))
    assert_close(got, [0.5, np.nan, 0.25], "per_class_accuracy", case="rows 2 0 2, 0 0 0, 3 0 1")


def five_logits() -> list[list[float]]:
    """What the probe with weight 1 and bias -1.5 says of five images x = 0 … 4."""
    return [[x - 1.5, 0.0] for x, _ in FIVE]


@check(
    title="predict answers every image once, in order, in eval mode, and puts the mode back",
    hint="model.eval() and torch.no_grad() around the loop, torch.cat behind it, model.train(was_training) at the end.",
)
def test_evaluate_predict(student, bench):
    dropout = Recipe("torch.nn:Dropout", (0.5,))
    model = student.make(Recipe("torch.nn:Sequential", (dropout, bench.probe(1.0, -1.5))))
    for mode in (True, False):
        model.train(mode)
        y_true, logits = student.evaluate.predict(model, bench.batches(2, *FIVE), accelerator())
        case = "logits x - 1.5 and 0 for x = 0 … 4 in batches of 2, behind a dropout that eval mode turns off"
        assert_close(logits, five_logits(), "the logits", case=case)
        assert_close(y_true, [0, 1, 0, 1, 0], "y_true", case=case)
        kinds = [f"{type(part).__name__} {part.dtype}" for part in (y_true, logits)]
        require_equal(kinds, ["ndarray int64", "ndarray float32"], "predict returns NumPy arrays")
        require_equal(model.training, mode, "the model is in the mode in which it came", f"training={mode}")


@pytest.mark.skipif(sys.platform != "linux", reason="two processes are tried on Linux only")
@check(
    title="predict gives each image once on two processes, and all of them on both",
    hint="gather_for_metrics drops the images that were repeated to even the processes out; gather keeps them.",
)
def test_evaluate_processes(student, bench):
    results = student.on(processes=2).evaluate.predict(bench.probe(1.0, -1.5), bench.batches(2, *FIVE), accelerator())
    for rank, (y_true, logits) in enumerate(results.values):
        case = f"logits x - 1.5 and 0 for x = 0 … 4 in batches of 2, process {rank} of 2"
        assert_close(logits, five_logits(), "the logits", case=case)
        assert_close(y_true, [0, 1, 0, 1, 0], "y_true", case=case)


@check(
    title="evaluate gives loss, accuracy and confusion of all images together",
    hint="0.7980 is the mean of the batches' means: take it of all logits at once; argmax(axis=1) predicts the class.",
)
def test_evaluate_measures(student, bench):
    model = student.make(bench.probe(1.0, -0.5))
    got = student.evaluate.evaluate(model, bench.batches(2, *FIVE), accelerator())
    case = "logits x - 0.5 and 0 for x = 0 … 4 of classes 0, 1, 0, 1, 0; predicted 1, 0, 0, 0, 0"
    assert_close(got.loss, 0.951641, "loss", case=case, rtol=1e-4)
    assert_close(got.accuracy, 0.4, "accuracy", case=case)
    assert_close(got.confusion, [[2, 1], [2, 0]], "confusion", case=case)
