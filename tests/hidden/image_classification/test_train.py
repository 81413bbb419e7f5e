"""Task 3, steps: a network with drawn weights must end where a plain PyTorch loop ends.

Each check trains for as few steps as tell its mistakes apart. Checks that are not about the schedule also accept where a loop
with one of the usual mistakes in it would end: `misread`.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from grader.suite import accelerator, as_array, assert_close, check, recipe, require

RISING = {"course": [1, 3], "conviction": [1.0, 1.0]}  # two epochs of which the second is the better one


@check(
    title="Each batch steps along its own gradient, with momentum and weight decay",
    hint="Forward, accelerator.backward of the mean cross-entropy of raw logits, optimizer.step, zero_grad: once a batch.",
)
def test_sgd_steps(training):
    loop = training.Loop(weight_decay=0.05)
    model, _ = training.fit(loop)
    training.require(model, training.misread(loop), "the weights after four steps")


@check(title='optimizer="adamw" trains with AdamW', hint="make_optimizer is given: train with what it returns.")
def test_adamw(training):
    loop = training.Loop(optimizer="adamw", lr=0.03, weight_decay=0.2)
    model, _ = training.fit(loop)
    training.require(model, training.misread(loop), "the weights after four steps")


@check(
    title="The learning rate follows lr_factor, one step of it for each step of the optimizer",
    hint="Planned in optimizer steps, not epochs, for all epochs, warm-up included, its steps rounded, neither up "
    "nor down; schedule.step() comes after optimizer.step(), in every batch.",
)
def test_schedule(training):
    for fraction in (0.2875, 0.3375):  # 2.3 and 2.7 of eight steps: both are nearer to a whole number than to a half
        loop = training.Loop(epochs=2, warmup_fraction=fraction)
        model, _ = training.fit(loop, model=training.case.model(**RISING, length=4), val=training.case.marked(4))
        training.require(model, [loop], "the weights after 2 × 4 steps", case=f"warmup_fraction={fraction}")


@check(
    title="With accumulation the schedule counts optimizer steps, not batches",
    hint="k batches make one step: plan for ceil(batches / k) steps an epoch, and step only with the optimizer.",
)
def test_schedule_accumulated(training):
    # AdamW does not feel how the accumulated gradient is scaled: that is another check's business
    loop = training.Loop(batch_size=2, window=2, epochs=2, warmup_fraction=0.25, optimizer="adamw", lr=0.03)
    model, _ = training.fit(loop, model=training.case.model(**RISING, length=8), val=training.case.marked(4))
    training.require(model, [loop], "the weights after 2 × 4 steps of two batches", case="warmup_fraction=0.25")


@check(
    title="Accumulated batches step like one large batch",
    hint="with accelerator.accumulate(model) around the whole step; accelerator.backward divides the loss by k, you "
    "do not; zero_grad before backward wipes the window's earlier gradients: it belongs after step. Each batch goes "
    "through the model by itself, once.",
)
def test_accumulation(training):
    for k, batch_size in ((2, 4), (4, 2)):
        loop = training.Loop(batch_size=batch_size, window=k, drift=training.DRIFT)
        model, _ = training.fit(loop)
        case = f"{k} × {batch_size} images; {training.DRIFTS}"
        training.require(model, training.misread(loop), "the weights after an epoch", case=case)


@check(
    title="Batches left over at the end of an epoch make a step of their own",
    hint="accumulate() steps at the loader's end by itself; an own count has to look for the last batch. The "
    "schedule's plan counts this step too: round up.",
)
def test_leftover_window(training):
    loop = training.Loop(batch_size=2, rows=10, window=2, drift=training.DRIFT)
    model, _ = training.fit(loop)
    # the leftover's loss may be divided by k, as Accelerate does, or by how many batches there are
    readings = training.misread(replace(loop, divide_leftover=False)) + training.misread(loop)
    training.require(model, readings, "the weights after an epoch", case=f"five batches, k = 2; {training.DRIFTS}")


@check(
    title="Clipping bounds the norm of a step's whole gradient",
    hint="accelerator.clip_grad_norm_ with the config's bound, once a step and before it, only if "
    "accelerator.sync_gradients; a bound that is not reached changes nothing.",
)
def test_clipping(training):
    tight = 0.25 * min(training.case.gradient_norms(4, 16))
    for bound, lr in ((tight, 1.0), (100.0, 0.3)):
        loop = training.Loop(window=2, lr=lr, max_grad_norm=bound)
        model, _ = training.fit(loop)
        case = f"max_grad_norm={bound:.3g}, two batches a step"
        training.require(model, training.misread(loop), "the weights after two steps", case=case)


def one_step(case, lr: float, mixed: bool) -> np.ndarray:
    """The weights after one step on all 16 images, in one row."""
    layers = [torch.tensor(w, dtype=torch.float32, requires_grad=True) for w in (case.first, case.second)]
    images, labels = torch.tensor(case.images[:16]).flatten(1), torch.tensor(case.labels[:16])
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        logits = nn.functional.linear(torch.tanh(nn.functional.linear(images, layers[0])), layers[1])
    nn.functional.cross_entropy(logits.float(), labels).backward()
    return np.concatenate([(w - lr * w.grad).detach().numpy().reshape(-1) for w in layers])


@check(
    title="The accelerator's precision is honoured: bf16 inside, float32 parameters",
    hint="Train the model that prepare returns; no model.half(), no GradScaler of your own.",
)
def test_mixed_precision(training, gauge):
    loop = training.Loop(batch_size=16, momentum=0.0)
    model, _ = training.fit_with(loop, accelerator(mixed_precision="bf16"))
    state = model.state_dict()
    require(isinstance(state, dict), "the model keeps its parameters", got=state)
    dtypes = {str(getattr(value, "dtype", None)).removeprefix("torch.") for value in state.values()}
    require(dtypes == {"float32"}, "parameters stay float32", got=dtypes)
    got = np.concatenate([as_array(value, "a parameter").reshape(-1) for value in state.values()])
    full, mixed = (one_step(training.case, loop.lr, how) for how in (False, True))
    require(got.shape == full.shape, "the model keeps its parameters' shapes")
    # a correct loop is within rounding of the mixed step; float32's is as far as bf16 is coarse
    near, apart = (float(np.abs(step - mixed).max()) for step in (got, full))
    gauge(near / apart, "the step is the one that bf16 gives", at_most=0.3, unit=" of the way to float32's")


@check(
    title="label_smoothing softens the loss that is minimised",
    hint="F.cross_entropy takes it; train_loss is the loss as it was minimised.",
)
def test_label_smoothing(training):
    loop = training.Loop(batch_size=16, label_smoothing=0.3)
    model, history = training.fit(loop)
    training.require(model, [loop], "the weights after one step", case="label_smoothing=0.3")
    expected = training.case.trained(loop).losses
    assert_close(history.train_loss, expected, "train_loss", case="label_smoothing=0.3", rtol=1e-4)


@check(
    title="Each parameter group keeps a rate of its own",
    hint="Give groups to make_optimizer; the schedule multiplies each group's own rate.",
)
def test_groups(training):
    loop = training.Loop(rates=(0.05, 0.6))
    case, student = training.case, training.student
    model = student.make(case.model())
    settings = recipe("config", **loop.config)
    loaders = case.loader(4), case.loader(3, 5, 16)
    student.train.train(model, *loaders, accelerator(), settings, recipe("groups_of", model, *loop.rates))
    training.require(model, training.misread(loop), "the weights of two layers", case="rates 0.05 and 0.6")


@check(
    title="The model trains in training mode, in every epoch",
    hint="model.train() at the start of each epoch: validation has left it in eval mode, or whoever had it before.",
)
def test_training_mode(training):
    loop = training.Loop(epochs=2)
    moody = training.case.model(**RISING, length=4, quiet=3.0)
    model, _ = training.fit(loop, model=recipe("in_mode", moody, False), val=training.case.marked(4))
    training.require(model, training.misread(loop), "the weights of a model that came in eval mode")
