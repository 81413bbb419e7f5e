"""Task 4, answers of a model: by models whose answers betray mode, gradients, precision and order."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from grader.suite import (
    Run,
    accelerator,
    as_array,
    as_float,
    assert_close,
    check,
    loader,
    recipe,
    reference,
    require,
    tensor,
)

N, BATCH, CLASSES = 9, 4, 5  # nine: neither batches of four nor two processes share them out evenly
TRAINING_SCALE = 3.0  # answers in eval mode are this many times those in training mode
MEASURES = {"loss", "accuracy", "confusion"}


@dataclass(frozen=True)
class Case:
    """Images that a `Net` answers, all of the last batch wrongly."""

    first: np.ndarray
    second: np.ndarray
    images: np.ndarray
    labels: np.ndarray

    @property
    def logits(self) -> np.ndarray:
        return np.tanh(self.images.reshape(N, -1) @ self.first.T) @ self.second.T  # (n, classes)

    @property
    def losses(self) -> np.ndarray:
        """The cross-entropy of each image."""
        return np.log(np.exp(self.logits).sum(axis=1)) - self.logits[np.arange(N), self.labels]

    @property
    def loss(self) -> float:
        return float(self.losses.mean())

    @property
    def predicted(self) -> np.ndarray:
        return self.logits.argmax(axis=1)

    @property
    def confusion(self) -> np.ndarray:
        pairs = list(zip(self.labels, self.predicted, strict=True))
        return np.array([[pairs.count((true, predicted)) for predicted in range(CLASSES)] for true in range(CLASSES)])

    @property
    def model(self):
        return recipe("Net", self.first, self.second)

    def moody(self, training: bool):
        """A model in that mode whose answers tell the modes apart."""
        return recipe("in_mode", recipe("Net", self.first, self.second, quiet=TRAINING_SCALE), training)

    @property
    def batches(self):
        return loader(self.images, self.labels, batch_size=BATCH)


@reference
def nine(run: Run) -> Case:
    """Six of nine right: three of the first batch, three of the second, none of the last."""
    rng = run.rng("nine images")
    images, labels = rng.normal(size=(N, 3, 2, 2)), np.zeros(N, "int64")
    while True:
        case = Case(rng.normal(0, 0.5, (6, 12)), rng.normal(size=(CLASSES, 6)), images, labels)
        shift = np.zeros(N, "int64")
        shift[[rng.integers(4), 4 + rng.integers(4), 8]] = rng.integers(1, CLASSES, 3)
        case = replace(case, labels=(case.predicted + shift) % CLASSES)
        by_batch = np.mean([case.losses[at : at + BATCH].mean() for at in range(0, N, BATCH)])
        if abs(by_batch - case.loss) > 0.02:  # where they agree, nobody could tell a mean over batches
            return case


def answers(found: object, n: int = N, case: str = "") -> tuple[np.ndarray, np.ndarray]:
    """predict's (y_true, logits)."""
    require(isinstance(found, tuple | list) and len(found) == 2, "predict gives (y_true, logits)", got=found, case=case)
    logits = as_array(found[1], "the logits", shape=(n, CLASSES), case=case)
    return as_array(found[0], "y_true", shape=(n,), case=case), logits


@check(
    title="predict gives each image's label and logits once, in the loader's order",
    hint="Concatenate all batches, the last smaller one too. Two arrays: first the labels of the loader, not "
    "predicted ones, in int64, then logits as the model gave them: no softmax.",
)
def test_predict_order(student, nine):
    here = student.make(accelerator())
    for case, batches in (("a loader", nine.batches), ("a prepared loader", recipe("prepared", nine.batches, here))):
        found = student.evaluate.predict(student.make(nine.model), batches, here)
        y_true, logits = answers(found, case=case)
        assert_close(y_true, nine.labels, "y_true", case=case)
        assert_close(logits, nine.logits, "the logits", case=case, rtol=1e-4, atol=1e-5)
        kinds = [type(array).__name__ for array in found]
        require(kinds == ["ndarray"] * 2, "predict gives NumPy arrays", got=kinds)
        require(str(found[0].dtype) == "int64", "y_true is int64", got=str(found[0].dtype), case=case)


@check(
    title="predict computes in the accelerator's precision and gives float32",
    hint="with accelerator.autocast() around the forward pass; NumPy has no bfloat16, so .float() before .numpy().",
)
def test_predict_precision(student, nine):
    found = student.evaluate.predict(student.make(nine.model), nine.batches, accelerator(mixed_precision="bf16"))
    _, logits = answers(found, case="bf16")
    require(str(found[1].dtype).endswith("float32"), "the logits are float32", got=str(found[1].dtype), case="bf16")
    x, first, second = (torch.tensor(a, dtype=torch.float32) for a in (nine.images, nine.first, nine.second))
    with torch.autocast("cpu", torch.bfloat16):
        in_bf16 = (torch.tanh(x.flatten(1) @ first.T) @ second.T).float().numpy()
    far, near = np.abs(in_bf16 - nine.logits).max(), np.abs(logits - in_bf16).max()
    # bf16 keeps 8 bits of a number: its errors are some 1e-2, and float32's 1e-6, so half tells them apart.
    require(
        bool(near < far / 2), "the logits are those of bf16", expected=f"within {far / 2:.1e}", got=f"{near:.1e} off"
    )


@check(title="predict runs the model in eval mode", hint="model.eval() before the loop: dropout and BatchNorm heed it.")
def test_predict_eval_mode(student, nine):
    _, logits = answers(student.evaluate.predict(student.make(nine.moody(True)), nine.batches, accelerator()))
    assert_close(logits, TRAINING_SCALE * nine.logits, "the logits of a model in eval mode", rtol=1e-4, atol=1e-5)


@check(
    title="predict leaves the model in the mode that it found",
    hint="Remember model.training before model.eval() changes it, and set it again afterwards, whichever it was.",
)
def test_predict_restores_mode(student, nine):
    for training in (True, False):
        case = f"training was {training}"
        model = student.make(nine.moody(training))
        _, logits = answers(student.evaluate.predict(model, nine.batches, accelerator()), case=case)
        asked = bool((logits.argmax(axis=1) == nine.predicted).all())  # in whichever mode, and on whatever scale
        require(asked, "the answers are the model's", expected=nine.predicted, got=logits.argmax(axis=1), case=case)
        after = as_array(model(tensor(nine.images)), "the model's output", shape=(N, CLASSES), case=case)
        expected = nine.logits * (1 if training else TRAINING_SCALE)
        assert_close(after, expected, "the output afterwards", case=case, rtol=1e-4, atol=1e-5)


@check(title="predict records no gradients", hint="with torch.no_grad() or torch.inference_mode() around the loop.")
def test_predict_without_gradients(student, nine):
    model = student.make(recipe("Net", nine.first, nine.second, grad_offset=100.0))
    _, logits = answers(student.evaluate.predict(model, nine.batches, accelerator()))
    assert_close(logits, nine.logits, "the logits, 100 higher where gradients are recorded", rtol=1e-4, atol=1e-4)


@check(
    title="On two processes predict gives every image once, to both",
    hint="Prepare the loader, which shares the images out, and gather in every batch: that keeps the order. "
    "gather_for_metrics drops what padding repeats; gather keeps it (9 images become 16).",
)
def test_predict_two_processes(student, nine):
    results = student.on(processes=2).evaluate.predict(nine.model, nine.batches, accelerator())
    for rank, found in enumerate(results.values):
        case = f"process {rank} of 2"
        y_true, logits = answers(found, case=case)
        assert_close(y_true, nine.labels, "y_true", case=case)
        assert_close(logits, nine.logits, "the logits", case=case, rtol=1e-4, atol=1e-5)


def assert_measures(nine: Case, loss: object, right: object, confusion: object, case: str = "") -> None:
    assert_close(as_float(loss, "loss", case=case), nine.loss, "loss", case=case, rtol=1e-4)
    assert_close(as_float(right, "accuracy", case=case), 6 / 9, "accuracy", case=case)
    assert_close(confusion, nine.confusion, "confusion", case=case)


@check(
    title="evaluate measures loss, accuracy and confusion over all images",
    hint="In this order. Measure once, on all raw logits together: a mean over batches favours small ones. Mean "
    "cross-entropy; argmax over classes; true labels before predicted ones.",
)
def test_evaluate_values(student, nine):
    found = student.evaluate.evaluate(student.make(nine.model), nine.batches, accelerator())
    assert_measures(nine, found.loss, found.accuracy, found.confusion)


@check(
    title="evaluate counts the images of all processes",
    hint="Measure what predict gathered, on every process: no process alone has seen all images.",
)
def test_evaluate_two_processes(student, nine):
    model = recipe("prepared", nine.model, accelerator())
    results = student.on(processes=2).evaluate.evaluate(model, nine.batches, accelerator())
    for rank, found in enumerate(results.values):
        case = f"process {rank} of 2"
        require(
            isinstance(found, dict) and set(found) >= MEASURES, "evaluate gives an Evaluation", got=found, case=case
        )
        assert_measures(nine, found["loss"], found["accuracy"], found["confusion"], case)
