"""Task 3, epochs: what the history tells, which epoch is kept, and that a training can be taken up again."""

from dataclasses import replace

import numpy as np
import torch
from safetensors.torch import load_file

from grader.suite import accelerator, as_array, assert_close, check, folder, loader, recipe, require

TOLD = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr")
LISTS = (*TOLD, "seconds")


def mostly_right(training, *wrong: int):
    """The training on labels that the untrained network answers right but for these rows: no other way of counting hits is
    likely to give as many."""
    case = training.case
    answers = case.answers(case.images).argmax(axis=1)
    missed = np.isin(np.arange(len(answers)), wrong)
    return type(training)(training.student, replace(case, labels=np.where(missed, (answers + 1) % 4, answers)))


@check(
    task="train",
    title="An epoch's training loss and accuracy are means over its images, its rate that of its last step",
    hint="A smaller last batch weighs less: do not average the batches' means. With accumulation, count the loss "
    "before it is divided. Read the rate before the schedule steps. argmax runs over the classes.",
)
def test_history_training(training):
    training = mostly_right(training, 0, 3, 11)
    for k in (1, 2):
        loop = training.Loop(batch_size=5, rows=13, window=k, epochs=2, lr=training.STILL, warmup_fraction=0.5)
        _, history = training.fit(loop)
        expected, case = training.case.trained(loop), f"13 images in batches of 5, {k} a step"
        assert_close(history.train_loss, expected.losses, "train_loss", case=case, rtol=1e-4)
        assert_close(history.train_accuracy, expected.accuracies, "train_accuracy", case=case, rtol=1e-4)
        if k == 1:  # how accumulation is scheduled is another check's business
            rates, wanted = (np.array(values) / training.STILL for values in (history.lr, expected.rates))
            assert_close(rates, wanted, "the rates, as parts of config.lr", rtol=1e-3)


@check(
    task="train",
    title="Validation counts each image once, in eval mode, without gradients and without label smoothing",
    hint="model.eval() and torch.no_grad(); sum over images and divide by their number; plain cross-entropy.",
)
def test_history_validation(training):
    training = mostly_right(training, 16, 24)
    case = training.case
    loop = training.Loop(epochs=2, lr=training.STILL, label_smoothing=0.3)
    model = case.model(quiet=3.0, grad_offset=20.0)
    _, history = training.fit(loop, model=model, val=case.loader(4, 9, 16))
    loss, accuracy = case.measured(slice(16, 25), scale=3.0)
    told = (
        "9 images in batches of 4; label_smoothing=0.3; the model answers otherwise in training mode or with gradients"
    )
    assert_close(history.val_loss, [loss] * 2, "val_loss", case=told, rtol=1e-4)
    assert_close(history.val_accuracy, [accuracy] * 2, "val_accuracy", case=told, rtol=1e-4)


@check(
    task="train",
    title="The history holds Python floats, one an epoch in each list",
    hint=".item() or float(): a tensor keeps its whole graph in memory. Numbers that were met; seconds is time, measured "
    "anew each epoch.",
)
def test_history_floats(training):
    loop = training.Loop(epochs=3, lr=training.STILL)
    _, history = training.fit(loop)
    for name in LISTS:
        values = getattr(history, name)
        kinds = [type(value).__name__ for value in values] if isinstance(values, list) else type(values).__name__
        floats = isinstance(values, list) and len(values) == 3 and all(isinstance(value, float) for value in values)
        require(floats, f"{name} is a list of three floats", case="three epochs", got=kinds)
    require(all(value > 0 for value in history.seconds), "each epoch takes some time", got=history.seconds)
    # Full batches, and weights that stand still: all ways of counting come to the same.
    assert_close(history.train_loss, training.case.trained(loop).losses, "train_loss", rtol=1e-3)


@check(
    task="train",
    title="The model ends with the weights of its best epoch, the first among equals",
    hint="Copy the state dict when val_accuracy is higher than ever (clone: state_dict() only refers to the weights), "
    "and load it in the end, statistics and other buffers included.",
)
def test_best_epoch(training, rng):
    best, again = sorted(rng.choice([1, 2, 3], 2, replace=False).tolist())
    course, conviction = [1, 2, 1, 3, 1, 2], [1.0] * 6  # the last epoch is better than the one before it, not than ever
    course[best], course[again] = 5, 5
    conviction[best] = 9.0  # its few mistakes are loud, so that its loss is not the lowest
    loop = training.Loop(batch_size=8, epochs=6)
    model = training.case.model(course=course, conviction=conviction, length=2)
    model, _ = training.fit(loop, model=model, val=training.case.marked(8))
    right = ", ".join(f"{number}/8" for number in course)
    readings = training.misread(loop)
    training.require(model, readings, "the weights", epoch=best, case=f"val_accuracy was {right}")
    passes, told = model.state_dict()["seen"], f"counted in a buffer; val_accuracy was {right}"
    assert_close(passes, 2 * (best + 1), "the number of training passes", case=told)


@check(
    task="train",
    title="Training that goes on from a checkpoint ends where it would have ended without a stop",
    hint="Keep in the checkpoint's files model (its last weights), optimizer (its momentum), schedule, history and the best "
    "weights so far; start behind the saved epoch.",
)
def test_resume(training, rng):
    student, case = training.student, training.case
    other = recipe("Net", rng.normal(size=case.first.shape), rng.normal(size=case.second.shape))
    loop = training.Loop(batch_size=4, epochs=4, lr=0.1, warmup_fraction=0.25)
    runs = []
    for course, told in (([1, 2, 3, 4], "the last epoch is the best"), ([5, 2, 3, 1], "the first epoch is the best")):
        plan = {"course": course, "conviction": [1.0] * 4, "length": 4}
        path = student.make(folder({}))
        model, history = training.fit(loop, model=case.model(**plan), val=case.marked(6), checkpoint_dir=path)
        files = student.tools.read_files(path)
        left, wanted = {name.partition("/")[0] for name in files}, [f"epoch_{number}" for number in range(1, 5)]
        require(
            left >= set(wanted), "the end of epoch n leaves a checkpoint epoch_n", expected=wanted, got=sorted(left)
        )
        whole, lists = weights_of(model), {name: as_array(getattr(history, name), name, shape=(4,)) for name in TOLD}
        require(float(np.abs(whole["fc.weight"] - case.second).max()) > 1e-3, "training moves the weights")
        runs.append((told, plan, files, whole, lists))
    student.restart()
    for told, plan, files, whole, lists in runs:
        fresh = recipe("Net", other.args[0], other.args[1], **plan)
        checkpoint = recipe("inside", folder(files), "epoch_2")
        resumed, later = training.fit(loop, model=fresh, val=case.marked(6), resume_from=checkpoint)
        told = f"{told}; a new process goes on, with the files that were left"
        assert_close(weights_of(resumed), whole, "the weights after 2 + 2 epochs", case=told, rtol=1e-5, atol=1e-6)
        for name, values in lists.items():
            assert_close(getattr(later, name), values, f"{name} after 2 + 2 epochs", case=told, rtol=1e-4)


def weights_of(model) -> dict[str, np.ndarray]:
    """A `Net`'s weights."""
    state = model.state_dict()
    return {name: as_array(state[name], name) for name in ("first.weight", "fc.weight")}


TRAINED, VALIDATED, HIDDEN = 100, 30, 120  # images


@check(
    task="train",
    title="A pre-trained network learns classes that it has never seen",
    hint="Raw logits into the cross-entropy, every batch a step, the whole schedule, the best epoch, whose val_accuracy is "
    "in the history; what comes frozen stays frozen: see the checks above.",
)
def test_transfer(student, drawings, networks, run, rng, thresholds, gauge):
    images, labels = drawings.draw(TRAINED + VALIDATED + HIDDEN, rng)
    pixels = images[:TRAINED].reshape(-1, 3) / 255
    inputs = ((images / 255 - pixels.mean(axis=0)) / pixels.std(axis=0)).transpose(0, 3, 1, 2).astype("float32")
    state = {name: value.numpy() for name, value in load_file(run.fixtures / "backbone.safetensors").items()}
    state = {name: value for name, value in state.items() if not name.startswith("fc.")}
    model = student.make(recipe("Transferred", state, 3, len(drawings.CLASSES), int(rng.integers(2**31))))
    parts = slice(0, TRAINED), slice(TRAINED, TRAINED + VALIDATED)
    batches, val = (loader(inputs[part], labels[part], batch_size=10) for part in parts)
    settings = recipe("config", epochs=5, lr=0.03, optimizer="adamw")
    history = student.train.train(model, batches, val, accelerator(), settings)
    judge = networks.Transferred(state, 3, len(drawings.CLASSES), 0)
    learnt = model.state_dict()
    require(isinstance(learnt, dict) and set(learnt) == set(judge.state_dict()), "the model keeps its parameters")
    frozen = {name: learnt[name] for name in state}
    assert_close(frozen, state, "what came frozen", rtol=0, atol=0)
    for name, own in judge.fc.named_parameters():
        own.data = torch.tensor(as_array(learnt[f"fc.{name}"], name, shape=tuple(own.shape)), dtype=torch.float32)
    right = networks.answers(judge, inputs[TRAINED:]).numpy().argmax(axis=1) == labels[TRAINED:]
    least, what = thresholds["transfer_accuracy"], "the accuracy on images that it has not seen is high"
    gauge(right[VALIDATED:].mean(), what, at_least=least)
    # Who keeps another of the last epochs, or counts a little otherwise, is told so by other checks.
    told = as_array(history.val_accuracy, "val_accuracy", shape=(5,)).max()
    assert_close(told, right[:VALIDATED].mean(), "the best val_accuracy of the history", rtol=0, atol=0.2)
