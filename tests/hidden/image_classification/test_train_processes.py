"""Task 3 on two processes, and what it writes."""

from safetensors import SafetensorError
from safetensors.torch import load

from grader.suite import CheckFailed, accelerator, assert_close, check, folder, recipe, require


@check(
    task="train",
    title="Two processes step like one with a batch twice the size",
    hint="Use all that prepare returns: the loader shares the images out, the model averages the gradients, and a prepared "
    "schedule, which steps once for each process, is planned before prepare.",
)
def test_two_processes(training):
    case, loop = training.case, training.Loop(processes=2, drift=training.DRIFT)
    model, loaders = case.model(drift=loop.drift), (case.loader(4), case.loader(4, 8, 16))
    settings = recipe("config", **loop.config)
    results = training.student.on(processes=2).train.train(model, *loaders, accelerator(), settings)
    for rank, states in enumerate(results.modules):
        require(len(states) == 1, "the model that was passed in is trained in place")
        told = f"process {rank} of 2, 4 images each; {training.DRIFTS}"
        training.require_state(states[0], training.misread(loop), "the weights after two steps", case=told)


@check(
    task="train",
    title="The history counts the images of all processes, each once",
    hint="gather_for_metrics drops the images that padding repeats; a process alone sees only its share. All "
    "processes validate, not the main one alone.",
)
def test_two_process_history(training):
    case, loop = training.case, training.Loop(processes=2, lr=training.STILL, drift=training.DRIFT)
    model, loaders = case.model(drift=loop.drift), (case.loader(4), case.loader(4, 9, 16))
    settings = recipe("config", **loop.config)
    results = training.student.on(processes=2).train.train(model, *loaders, accelerator(), settings)
    trained = case.trained(loop)
    wanted = {"train": (trained.losses[0], trained.accuracies[0]), "val": case.measured(slice(16, 25))}
    for rank, history in enumerate(results.values):
        require(isinstance(history, dict), "train returns a History", got=history)
        told = f"process {rank} of 2; 16 images to train, 9 to validate, in batches of 4; in training {training.DRIFTS}"
        for part, (loss, accuracy) in wanted.items():
            assert_close(history[f"{part}_loss"], [loss], f"{part}_loss", case=told, rtol=1e-4)
            assert_close(history[f"{part}_accuracy"], [accuracy], f"{part}_accuracy", case=told, rtol=1e-4)


def written(training) -> dict[str, bytes]:
    """The files that two processes leave when each is given a path of its own, asked for once."""
    return training.student.once("written", lambda: _written(training))


def _written(training) -> dict[str, bytes]:
    student = training.student
    path = student.make(folder({}))
    wrapped = recipe("prepared", training.case.model(), accelerator())
    student.on(processes=2).train.save_model(wrapped, accelerator(), recipe("path_of_rank", path))
    return student.tools.read_files(path)


def weights_in(content: bytes) -> dict:
    try:
        return load(content)
    except SafetensorError as error:
        raise CheckFailed("the file is safetensors", got=str(error)) from None


@check(
    task="train",
    title="save_model writes the model's own weights, under their own names",
    hint="accelerator.unwrap_model first: on several processes the wrapper puts module. before every name. Its "
    "whole state dict, BatchNorm's statistics included; then a safetensors file, not a pickle.",
)
def test_save_model(training, rng):
    case, files = training.case, written(training)
    content = files.get("new/rank0.safetensors")
    require(content is not None, "the main process writes the file", got=sorted(files))
    weights = {"first.weight": case.first.astype("float32"), "fc.weight": case.second.astype("float32")}
    require_saved(content, weights, "prepared on two processes")
    deep = training.student.make(recipe("SmallCifar", (6, 9, 11), 4, int(rng.integers(2**31))))
    state, path = deep.state_dict(), training.student.make(folder({}))
    target = recipe("inside", path, "new", "alone.safetensors")
    training.student.train.save_model(deep, accelerator(), target)
    alone = training.student.tools.read_files(path)
    require(list(alone) == ["new/alone.safetensors"], "the file has the given path", got=list(alone))
    require_saved(alone["new/alone.safetensors"], state, "one process, a ResNet that was not prepared")


def require_saved(content: bytes, expected: dict, told: str) -> None:
    """The file has these tensors under their names, and no others."""
    saved = weights_in(content)
    rule = "the names are the model's"
    require(set(saved) == set(expected), rule, expected=sorted(expected), got=sorted(saved), case=told)
    assert_close(saved, expected, "the saved weights", case=told, rtol=1e-6)


@check(
    task="train",
    title="Files are written by the main process alone",
    hint="if accelerator.is_main_process: …; what all processes have to do, such as waiting, stays outside of it.",
)
def test_one_writer(training):
    files = written(training)
    require(sorted(files) == ["new/rank0.safetensors"], "two processes leave one file", got=sorted(files))
    weights = training.case.second.astype("float32").tobytes()  # in whatever format: that is another check's business
    require(weights in files["new/rank0.safetensors"], "the model's weights are in the file")
