"""Self-checks of task 3, model.py: `pytest -k model`."""

import numpy as np

from grader.suite import as_array, assert_close, check, require, require_equal, tensor


def windows(n: int, days: int = 5, seed: int = 0) -> np.ndarray:
    """(n, days, 3), the same each time."""
    return np.random.default_rng(seed).normal(size=(n, days, 3))


def quiet(student, **settings: object) -> object:
    """A model for three features in eval mode."""
    model = student.model.PriceRNN(3, 4, **settings)
    model.eval()
    return model


@check(
    title="The model maps (batch, time, n_features) to (batch,), also for a batch of one",
    hint="squeeze(-1) takes the last dimension away; squeeze() takes every one of length 1.",
)
def test_model_shape(student):
    model = student.model.PriceRNN(3, 4)
    for n, days in ((6, 5), (6, 9), (1, 5)):
        case = f"{n} windows of {days} days with 3 features"
        as_array(model(tensor(windows(n, days))), "the output", shape=(n,), case=case)


@check(
    title="Each window is answered for itself, whatever came with it or before it",
    hint="batch_first=True, or days and windows change places; and let every call begin without a state.",
)
def test_model_rows(student):
    model, x = quiet(student), windows(4)
    together = as_array(model(tensor(x)), "the output", shape=(4,), case="4 windows of 5 days with 3 features")
    one = "a single window of 5 days with 3 features"
    alone = [as_array(model(tensor(x[i : i + 1])), "the output", shape=(1,), case=one)[0] for i in range(4)]
    assert_close(
        alone, together, "the answer, one window at a time,", case="four windows, answered together before", atol=1e-5
    )


@check(
    title="The last day counts, and so does the order of the days",
    hint="states[:, -1] is what is known after the last day; states[:, 0] has seen the first one only.",
)
def test_model_days(student):
    model, x = quiet(student), windows(1)
    changed = x.copy()
    changed[:, -1] += 1
    base, other, back = (
        as_array(model(tensor(days)), "the output", shape=(1,))[0] for days in (x, changed, x[:, ::-1].copy())
    )
    for got, case in ((other, "the last of five days is changed"), (back, "the five days in the opposite order")):
        require(abs(got - base) > 1e-6, "another window has another answer", got=f"{base:.6f} and {got:.6f}", case=case)


@check(
    title="cell and num_layers choose the recurrent layers; another cell is refused",
    hint="CELLS[cell](n_features, hidden_size, num_layers, batch_first=True); a ValueError that names the cells.",
)
def test_model_cells(student):
    def size(**settings: object) -> int:
        model = student.model.PriceRNN(3, 4, **settings)
        return sum(as_array(parameter, "a parameter").size for parameter in model.parameters())

    plain = size(cell="rnn")
    case = "3 features, hidden_size 4; an rnn has 4 · (3 + 4 + 2) = 36 numbers, a gru three, an lstm four times as many"
    got = {cell: size(cell=cell) - plain for cell in ("gru", "lstm")}
    require_equal(got, {"gru": 72, "lstm": 108}, "so much more than an rnn has", case)
    case = "hidden_size 4; a second layer of an rnn has 4 · (4 + 4 + 2) = 40 numbers"
    require_equal(size(cell="rnn", num_layers=2) - plain, 40, "so much more with num_layers=2", case)
    with student.raises(ValueError) as raised:
        student.model.PriceRNN(3, 4, cell="transformer")
    text = raised[0].text
    require("lstm" in text, "the message names the cells that there are", expected="… lstm …", got=text)


@check(
    title="Dropout drops in training mode, with one layer too, and never in eval mode",
    hint="nn.Dropout before the linear layer: the recurrent layers' own is between layers, and one has no between.",
)
def test_model_dropout(student):
    model, x = student.model.PriceRNN(3, 16, dropout=0.5), tensor(windows(4))
    for training in (True, False):
        model.train(training)
        answers = [as_array(model(x), "the output", shape=(4,)).round(6).tolist() for _ in range(3)]
        same = answers[0] == answers[1] == answers[2]
        rule = "answers differ from call to call" if training else "answers are the same each time"
        require(same != training, rule, got=answers[:2], case=f"dropout 0.5, one layer, training={training}")
