"""Task 3, the network: judged by what it answers and by how many numbers it learns, not by how it is written.

Its parameters are set to numbers drawn for this run before it is asked, so that its own first weights do not matter.
"""

import numpy as np

from grader.suite import as_array, assert_close, assert_same, check, require

TIME, FEATURES, HIDDEN = 5, 3, 4
SAME = {"rtol": 1e-4, "atol": 1e-5}  # float32; sums of other batch sizes are added up in another order
FELT = 1e-3  # what makes a difference makes a larger one than rounding, 1e-6, could
GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def built(student, rng, *sizes, size: float = 0.7, **settings):
    """A network of the student's with drawn parameters."""
    model = student.model.PriceRNN(*(sizes or (FEATURES, HIDDEN)), **settings)
    student.tools.probe_set(model, int(rng.integers(2**31)), size)
    return model


def answers(student, model, batches, **options) -> list[np.ndarray]:
    """Its forecasts for each batch, (batch,) each."""
    found = student.tools.probe_answers(model, batches, **options)
    require(isinstance(found, list) and len(found) == len(batches), "each batch is answered", got=found)
    return [as_array(one, "the forecasts", shape=(len(batch),)) for one, batch in zip(found, batches, strict=True)]


def numbers(student, *sizes, **settings) -> int:
    """How many numbers a network learns."""
    state = student.model.PriceRNN(*sizes, **settings).state_dict()
    require(isinstance(state, dict), "state_dict() gives the parameters", got=state)
    return sum(as_array(value, f"parameter {name}").size for name, value in state.items())


def gate_sizes(inputs: int, hidden: int) -> set[int]:
    """How many numbers one gate has: from the input, from the state, and one or two biases for each number of the state."""
    return {inputs * hidden + hidden * hidden + biases * hidden for biases in (1, 2)}


@check(
    title="Windows (batch, time, n_features) give one forecast each, (batch,), of either sign and any size",
    hint="The head ends in a linear layer of one number, without an activation behind it; .squeeze(-1) takes its "
    "dimension away, and no other: a batch of one window is (1,). Windows may have any number of days.",
)
def test_model_shape(student, rng):
    cases = [(7, 5, 3), (1, 5, 3), (5, 7, 1), (1, 1, 2), (3, 3, 3)]
    for case in cases:
        model = built(student, rng, case[2], HIDDEN)
        found = student.tools.probe_answers(model, [rng.normal(size=case)])[0]
        as_array(found, "the forecasts", shape=(case[0],), case=f"windows of shape {case}")
    windows, found = rng.normal(size=(8, TIME, FEATURES)), []
    for _ in range(12):  # networks drawn evenly around 0: not one in a thousand million has none of either sign
        found += answers(student, built(student, rng, size=4.0), [windows])
    low, high = float(np.min(found)), float(np.max(found))
    got, rule = f"{low:.2f} to {high:.2f}", "forecasts have either sign and any size"
    require(low < -1.5 and high > 1.5, rule, expected="some below -1.5, some above 1.5", got=got, case="large weights")


@check(
    title="A window's forecast has nothing to do with the other windows of its batch",
    hint="PyTorch's cells read (time, batch, n_features) unless they are told batch_first=True; reshape would mix "
    "windows, as would a mean or maximum over the batch.",
)
def test_model_rows(student, rng):
    for cell in GATES:
        model = built(student, rng, cell=cell)
        for n in (TIME, 7):
            windows, others = rng.normal(size=(2, n, TIME, FEATURES))
            others[2] = windows[2]
            order = rng.permutation(n)
            whole, among_others, mixed, *alone = answers(
                student, model, [windows, others, windows[order], *(windows[i : i + 1] for i in range(n))]
            )
            case = f"{cell}, {n} windows of {TIME} days"
            require(float(np.ptp(whole)) > FELT, "different windows have different forecasts", got=whole, case=case)
            assert_close(np.concatenate(alone), whole, "the forecast of each window alone", case=case, **SAME)
            assert_close(mixed, whole[order], "the forecasts in another order", case=case, **SAME)
            assert_close(among_others[2], whole[2], "a window's forecast among others", case=case, **SAME)


@check(
    title="The order of the days counts, and both the first and the last day have a say",
    hint="Read the states along time (dimension 1) and forecast from what is known after the last day.",
)
def test_model_order(student, rng):
    windows = rng.normal(size=(12, TIME, FEATURES))
    turned = windows[:, ::-1].copy()
    first, last = windows.copy(), windows.copy()
    first[:, 0] += rng.normal(0, 2, (12, FEATURES))
    last[:, -1] += rng.normal(0, 2, (12, FEATURES))
    changes = {"days in reverse order": turned, "another first day": first, "another last day": last}
    for cell in GATES:
        model = built(student, rng, cell=cell)
        whole, again, *changed = answers(student, model, [windows, windows, *changes.values()])
        assert_same(whole, again, "the forecasts", case=f"{cell}, the same windows again", **SAME)
        for what, found in zip(changes, changed, strict=True):
            apart = float(np.abs(found - whole).max())
            require(apart > FELT, "the forecast changes", case=f"{cell}, {what}", got=f"by {apart:.2g} at most")


@check(
    title="Each window begins with nothing remembered",
    hint="Keep nothing on self from call to call, no hidden state, no running mean: passing none to the cell starts "
    "from zeros. Nothing random either: in evaluation the same window has the same forecast.",
)
def test_model_stateless(student, rng):
    windows, others, fewer = rng.normal(size=(6, TIME, FEATURES)), *rng.normal(2, 3, (2, 6, TIME, FEATURES))
    batches = [windows, windows, others, fewer[:2], windows]
    for cell in GATES:
        model = built(student, rng, cell=cell)
        for training in (False, True):
            first, *found = answers(student, model, batches, training=training)
            for again in (found[0], found[-1]):
                case = f"{cell}, asked again, with other batches between"
                assert_same(first, again, "the forecasts", case=case, **SAME)


@check(
    title="cell chooses rnn, gru or lstm: one, three or four gates; another cell is a ValueError",
    hint="CELLS has the classes, each with its own formula; gru is the default. The error names the cell asked for, and "
    "those that there are.",
)
def test_model_cells(student, rng):
    inputs, hidden = int(rng.integers(2, 6)), int(rng.integers(3, 8))
    counts = {cell: numbers(student, inputs, hidden, cell=cell) for cell in GATES}
    gate, case = counts["lstm"] - counts["gru"], f"n_features={inputs}, hidden_size={hidden}"
    # the head has as many numbers for each cell: differences are those of the gates
    expected = f"one of {sorted(gate_sizes(inputs, hidden))} numbers a gate"
    require(gate in gate_sizes(inputs, hidden), "an lstm has one gate more than a gru", expected=expected, got=counts)
    require(counts["gru"] - counts["rnn"] == 2 * gate, "a gru has two gates more than an rnn", got=counts, case=case)
    require(numbers(student, inputs, hidden) == counts["gru"], "the default is a gru", got=counts, case=case)
    for cell in GATES:
        require_cell(student, rng, cell)
    unknown = f"cell{rng.integers(100, 1000)}"
    with student.raises(ValueError) as caught:
        student.model.PriceRNN(inputs, hidden, cell=unknown)
    text = caught[0].text
    require(unknown in text, "the error names the cell", expected=unknown, got=text)
    missing = [cell for cell in GATES if cell not in text.lower()]
    require(not missing, "the error names the cells that there are", expected=", ".join(GATES), got=text)


def require_cell(student, rng, cell: str) -> None:
    """On its first day a network whose numbers are all the same says what the cell's formula says.

    Whatever order its gates have, and whatever linear end, be it one that reads the day, too: forecasts of all windows are
    a linear function of states and days.
    """
    size, days = float(rng.uniform(1.0, 1.5)), rng.uniform(-2, 2, (40, 1, FEATURES))
    model = student.model.PriceRNN(FEATURES, HIDDEN, cell=cell)
    student.tools.probe_set(model, None, size)
    found, read, misses = answers(student, model, [days])[0], size * days.sum(axis=(1, 2)), []
    require(float(np.ptp(found)) > FELT, "different windows have different forecasts", got=found, case=cell)
    for state in first_states(cell, read, size):
        known = np.stack([state, read, np.ones_like(read)], axis=1)
        misses.append(np.abs(known @ np.linalg.lstsq(known, found, rcond=None)[0] - found).max() / np.ptp(found))
    # float32 is right to a millionth; another cell's formula misses by a hundredth at least
    rule = "the forecasts are a linear function of the cell's states"
    require(bool(np.min(misses) < 1e-4), rule, got=f"off by {np.min(misses):.2g} of their range", case=cell)


def first_states(cell: str, read: np.ndarray, bias: float) -> list[np.ndarray]:
    """h_1 (n,) of a cell, if each W x is `read` and each number of b and c is `bias`, in every way to write its formula.

    With one bias or two; a GRU, whose state lets z or 1 − z of the new pass, has its second one with r or beside it.
    """
    sigmoid = lambda values: 1 / (1 + np.exp(-values))  # noqa: E731
    states = []
    for both in (read + bias, read + 2 * bias):
        gate = sigmoid(both)
        if cell == "rnn":
            states.append(np.tanh(both))
        elif cell == "lstm":
            states.append(gate * np.tanh(gate * np.tanh(both)))
        else:
            candidates = (read + bias, read + 2 * bias, read + gate * bias, read + bias + gate * bias)
            states += [share * np.tanh(new) for share in (gate, 1 - gate) for new in candidates]
    return states


@check(
    title="num_layers stacks recurrent layers, and the forecast comes from the topmost",
    hint="Pass num_layers on, in one direction only (not bidirectional); h_n[-1] is the last state of the topmost "
    "layer, h_n[0] that of the lowest.",
)
def test_model_layers(student, rng):
    hidden = int(rng.integers(3, 7))
    for cell, gates in GATES.items():
        one, two, four = (numbers(student, FEATURES, hidden, layers, cell=cell) for layers in (1, 2, 4))
        sizes = [gates * size for size in sorted(gate_sizes(hidden, hidden))]
        case = f"{cell}, hidden_size={hidden}"
        require(two - one in sizes, "a second layer reads the first", expected=sizes, got=two - one, case=case)
        require(four - one == 3 * (two - one), "each layer adds as much", got=four - one, case=case)
        model = built(student, rng, num_layers=3, cell=cell)
        windows = rng.normal(size=(6, TIME, FEATURES))
        whole, again = answers(student, model, [windows, windows])
        assert_same(whole, again, "the forecasts", case=f"{cell}, the same windows again", **SAME)
        shifted = student.tools.probe_shifted(model, windows)
        require(isinstance(shifted, dict) and len(shifted) > 0, "the network has parameters", got=shifted)
        moved = {name: np.abs(as_array(values, name, shape=(6,)) - whole).max() for name, values in shifted.items()}
        idle = [name for name, apart in moved.items() if not apart > 1e-5]
        require(not idle, "every parameter has a say in the forecast", case=f"{cell}, num_layers=3", got=idle)


@check(
    title="Dropout acts in training alone: between the layers and before the linear one",
    hint="PyTorch's dropout=… acts between layers alone, with one layer nowhere: an nn.Dropout on the last state, "
    "too. dropout is the share dropped, not kept, nor always 0.5. Functional dropout needs training=self.training.",
)
def test_model_dropout(student, rng):
    windows = rng.normal(size=(6, TIME, FEATURES))
    for layers in (1, 2):
        model = built(student, rng, num_layers=layers, dropout=0.5)
        case = f"num_layers={layers}, dropout=0.5"
        first, second = answers(student, model, [windows] * 2)
        assert_close(second, first, "the forecasts in eval mode", case=case, **SAME)
        still = built(student, rng, num_layers=layers, dropout=0.0)
        calm, trained = (answers(student, still, [windows], training=mode)[0] for mode in (False, True))
        case = f"num_layers={layers}, dropout=0"
        assert_close(trained, calm, "the forecasts in training mode", case=case, **SAME)
        require_dropped(student, rng, layers)


def require_dropped(student, rng, layers: int) -> None:
    """Of the same window, on one day, some numbers are dropped, some not, and in each place where that may be.

    Six numbers before the linear layer make up to 64 forecasts possible. With one number in each of two layers there are
    three: without the upper one, or with it, made of a lower one that was dropped, or was not.
    """
    hidden, least = {1: (6, 8), 2: (1, 3)}[layers]
    window = np.repeat(rng.normal(size=(1, 1, FEATURES)), 200, axis=0)
    found = []
    for _ in range(3):  # drawn anew, so that weights that happen to be of no effect are no matter
        model = built(student, rng, FEATURES, hidden, num_layers=layers, dropout=0.5, size=2.0)
        forecasts = np.sort(answers(student, model, [window], training=True)[0])
        found.append(1 + int((np.diff(forecasts) > 1e-4).sum()))
    case = f"num_layers={layers}, hidden_size={hidden}, dropout=0.5, the same window 200 times"
    rule = "forecasts in training mode differ by what was dropped"
    require(max(found) >= least, rule, expected=f"at least {least} different ones", got=max(found), case=case)
