"""Self-checks of task 3, train.py: `pytest -k train`. Here: what is measured, kept, resumed and saved."""

import math

from grader.suite import Recipe, accelerator, assert_close, check, folder, require_equal


@check(
    title="The history counts every image alike, in Python floats",
    hint="0.7667 is the mean of the batches' means: the last batch has one image only. float() or .item() for each entry.",
)
def test_train_history(student, bench):
    rows, others = bench.batches(2, (1.0, 0), (2.0, 0), (-1.0, 0)), bench.batches(2, (-1.0, 0), (2.0, 0), (3.0, 1))
    history = bench.watched(student.make(bench.probe(1.0, 0.0)), rows, others)
    names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr", "seconds")
    for name in names:
        kinds = [type(value).__name__ for value in getattr(history, name)]
        require_equal(kinds, ["float", "float"], f"{name} is a list of floats, one an epoch", "epochs=2")
    case = "weight 1, lr 0; training x = 1, 2 | -1, all of class 0: losses 0.3133, 0.1269 | 1.3133"
    assert_close(history.train_loss, [0.584484] * 2, "train_loss", case=case, rtol=1e-4)
    assert_close(history.train_accuracy, [2 / 3] * 2, "train_accuracy", case=case, rtol=1e-4)
    case = "weight 1, lr 0; validation x = -1, 2 of class 0 | 3 of class 1: losses 1.3133, 0.1269 | 3.0486"
    assert_close(history.val_loss, [1.496259] * 2, "val_loss", case=case, rtol=1e-4)
    assert_close(history.val_accuracy, [1 / 3] * 2, "val_accuracy", case=case, rtol=1e-4)


@check(
    title="Labels are smoothed for training, and not for validation",
    hint="F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing), and in validate without it.",
)
def test_train_smoothing(student, bench):
    model, rows = student.make(bench.probe(1.0, 0.0)), bench.batches(1, (1.0, 0))
    history = bench.watched(model, rows, rows, label_smoothing=0.2)
    case = "x = 1, logits 1 and 0; losses 0.3133 for class 0, 1.3133 for class 1; label_smoothing 0.2"
    assert_close(history.train_loss, [0.9 * 0.313262 + 0.1 * 1.313262] * 2, "train_loss", case=case, rtol=1e-4)
    assert_close(history.val_loss, [0.313262] * 2, "val_loss", case=case, rtol=1e-4)


@check(
    title="Every epoch trains in training mode and validates in eval mode",
    hint="model.train() at the head of train_epoch, model.eval() at the head of validate: each sets what it needs.",
)
def test_train_modes(student, bench):
    dropout = Recipe("torch.nn:Dropout", (1.0,))
    model = student.make(Recipe("torch.nn:Sequential", (dropout, bench.probe(1.0, 0.0))))
    rows = bench.batches(1, (1.0, 0))
    history = bench.watched(model, rows, rows)
    case = "a dropout that blackens every image in training mode; logits 0 and 0 there, 1 and 0 in eval mode"
    assert_close(history.train_loss, [math.log(2)] * 2, "train_loss", case=case, rtol=1e-4)
    assert_close(history.val_loss, [0.313262] * 2, "val_loss", case=case, rtol=1e-4)


@check(
    title="With bf16 the model answers in bfloat16, and its weights stay float32",
    hint="A prepared model casts for itself: call what accelerator.prepare returned, and leave .half() and .bfloat16() be.",
)
def test_train_precision(student, bench):
    fine = 1.00390625  # 1 + 1/256: bfloat16 knows 1 and 1 + 1/128, and rounds to even
    model, rows = student.make(bench.probe(1.0, 0.0)), bench.batches(1, (fine, 0))
    history = bench.watched(model, rows, rows, {"mixed_precision": "bf16"})
    case = "x = 1.0039, which bfloat16 rounds to 1: a loss of 0.31326, where float32 has 0.31221"
    assert_close(history.train_loss, [0.313262] * 2, "train_loss", case=case, rtol=0, atol=2e-4)
    assert_close(history.val_loss, [0.313262] * 2, "val_loss", case=case, rtol=0, atol=2e-4)
    dtypes = {str(value.dtype).removeprefix("torch.") for value in model.state_dict().values()}
    require_equal(dtypes, {"float32"}, "the weights are float32", "mixed_precision='bf16'")


@check(
    title="The model ends with the weights of its best epoch, among equals of the first",
    hint="Clone the state dict where val_accuracy is larger than all before; state_dict() alone changes with the model.",
)
def test_train_best(student, bench):
    cases = {0.6: ([1.0, 0.0], [0.56136, -0.43864]), 0.06: ([1.0, 1.0], [0.95614, -0.04386])}
    for lr, (accuracies, wanted) in cases.items():
        model, settings = student.make(bench.probe(1.0, 0.0)), bench.config(epochs=2, lr=lr)
        rows, right = bench.batches(1, (1.0, 1)), bench.batches(1, (1.0, 0))
        history = student.train.train(model, rows, right, accelerator(), settings)
        case = f"x = 1 is of class 1 in training and of class 0 in validation; weight 1, bias 0, lr {lr}"
        assert_close(history.val_accuracy, accuracies, "val_accuracy", case=case)
        got = bench.weight_and_bias(model.state_dict())
        assert_close(got, wanted, "(weight, bias), as after the first epoch,", case=case, atol=1e-4)


@check(
    title="Four epochs are four epochs, stopped after two or not",
    hint="A checkpoint holds model, optimizer, schedule, history and best weights; each epoch's order follows its number.",
)
def test_train_resume(student, bench):
    there = student.make(folder({}))
    pairs = [(1.0, 0), (3.0, 0), (2.0, 1), (-1.0, 1), (-2.0, 0)]

    def run(**settings: object) -> tuple[dict, list[float]]:
        model, rows = student.make(bench.probe(0.0, 0.0)), bench.batches(1, *pairs, shuffle=True)
        own = bench.config(epochs=4, momentum=0.9, warmup_fraction=0.25, **settings)
        history = student.train.train(model, rows, bench.batches(2, *pairs), accelerator(), own)
        told = {name: getattr(history, name) for name in ("train_loss", "val_loss", "val_accuracy", "lr")}
        return told, bench.weight_and_bias(model.state_dict())

    whole, weights = run(checkpoint_dir=there)
    again, resumed = run(resume_from=Recipe("os.path:join", (there, "epoch_2")))
    case = "epochs 3 and 4 behind the checkpoint epoch_2, with momentum and shuffled images"
    for name, values in whole.items():
        assert_close(again[name], values, f"{name}, all four epochs,", case=case, rtol=1e-4)
    assert_close(resumed, weights, "(weight, bias)", case=case, rtol=1e-4)


@check(
    title="save_model writes the model's own weights, as safetensors",
    hint="accelerator.unwrap_model(model).state_dict(), made contiguous; Path(path).parent.mkdir(parents=True, …).",
)
def test_train_save(student, bench):
    model = student.make(bench.probe(0.5, -1.0))
    path = student.make(Recipe("os.path:join", (folder({}), "new", "model.safetensors")))
    student.train.save_model(model, accelerator(), path)
    read = student.ask("load_file", lambda remote: remote.call("safetensors.torch", ["load_file"], [path], {}))
    wanted = {"1.0.weight": [[0.5] + [0.0] * 11], "1.0.bias": [-1.0]}
    assert_close(read, wanted, "what is in the file", case="weight 0.5, bias -1; a file in a folder that is not there")
