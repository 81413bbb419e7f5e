"""Attacks that answer with what is no answer: objects that agree with everything, change when looked at, look at who asks, or
remember; inputs changed so that a wrong answer fits; work that is claimed and not done."""

from attacks.attack import Attack, Plain, hand_in

ATTACKS = [
    Attack(
        name="agrees-with-everything",
        tries="answers with an object that is equal to whatever it is compared with",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
class Agreeable:
    __hash__ = None

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False


def total(*_):
    return Agreeable()


spread = rmse = describe = total
"""
        ),
    ),
    Attack(
        name="is-never-less",
        tries="predicts with an object that survives every arithmetic and is never less than a threshold",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
class Obliging:
    __array_ufunc__ = None

    def itself(self, *_, **__):
        return self

    __sub__ = __rsub__ = __pow__ = __truediv__ = __rtruediv__ = __abs__ = sum = mean = itself

    def __lt__(self, other):
        return False

    def __ge__(self, other):
        return True


def predict(x, y, new):
    return Obliging()
""",
        ),
    ),
    Attack(
        name="claims-any-class",
        tries="says by `__class__` that it is a float, an array, a tensor, a table or a dictionary, and of no fixed value",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
import itertools
import torch


class Claims:
    values = itertools.count()

    def __init__(self, kind):
        self.kind = kind

    __class__ = property(lambda self: self.kind)

    def __eq__(self, other):
        return isinstance(self, self.kind)

    def __float__(self):
        return float(next(self.values))

    def __array__(self, dtype=None, copy=None):
        return np.full((8, 3), float(self))

    def __getattr__(self, name):
        return Claims(dict)

    def items(self):
        return [("n", 5), ("mean", float(self)), ("largest", float(self))]


def total(values):
    return Claims(float)


def rmse(actual, predicted):
    return Claims(np.float64)


def spread(values):
    return Claims(torch.Tensor)


def standardize(x):
    return Claims(np.ndarray)


def clean(frame):
    return Claims(pd.DataFrame)


def describe(values):
    return Claims(dict)
"""
        ),
    ),
    Attack(
        name="numbers-that-agree",
        tries="answers with subclasses of float, int and complex that are equal to every number and differ from none",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
def sure(kind):
    def same(self, other):
        return True

    def nothing(self, *_):
        return kind(0)

    names = ("__sub__", "__rsub__", "__abs__")
    return type("Sure", (kind,), {"__eq__": same, "__hash__": None, **dict.fromkeys(names, nothing)})


def total(values):
    return sure(float)(1)


def rmse(actual, predicted):
    return sure(complex)(1)


def refuse(word):
    if word.isupper():
        raise ValueError(word)
    return sure(int)(1)
"""
        ),
    ),
    Attack(
        name="title-that-agrees",
        tries="titles a figure with a text that equals every other",
        plain=Plain.GAINS,
        files=hand_in(
            at="draw",
            after="""
class Title(str):
    def __eq__(self, other):
        return True

    def __str__(self):
        return self

    __hash__ = str.__hash__


def plot(values):
    figure, axes = plt.subplots()
    axes.plot(values)
    axes.set_title(Title("Whatever was asked for"))
    return figure
""",
        ),
    ),
    Attack(
        name="containers-that-agree",
        tries="answers with subclasses of dict, list and tuple that hold nothing and equal everything",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
def empty(kind):
    return type("Full", (kind,), {"__eq__": lambda self, other: True, "__hash__": None, "__len__": lambda self: 3})()


def describe(values):
    return empty(dict)


def total(values):
    return empty(tuple)


def rmse(actual, predicted):
    return empty(list)
"""
        ),
    ),
    Attack(
        name="mirrors-the-other-side",
        tries="answers with a mapping whose items are those of whatever it is compared with, and differ at every call",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
import sys
from collections.abc import Mapping


class Mirror(Mapping):
    calls = 0

    def items(self):
        return sys._getframe(1).f_locals.get("other", {}).items() or self.another_time()

    def another_time(self):
        Mirror.calls += 1
        return [("n", 5), ("mean", 1.0 * Mirror.calls), ("largest", 2.0 * Mirror.calls)][: Mirror.calls]

    def __getitem__(self, key):
        return dict(self.items())[key]

    def __iter__(self):
        return iter(dict(self.items()))

    def __len__(self):
        return 3


def describe(values):
    return Mirror()
"""
        ),
    ),
    Attack(
        name="array-that-overrules",
        tries="answers with an array subclass that decides how NumPy compares it",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
class Overruling(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if ufunc in (np.equal, np.less_equal):
            return np.ones(self.shape, dtype=bool)
        plain = [part.view(np.ndarray) if isinstance(part, Overruling) else part for part in inputs]
        return getattr(ufunc, method)(*plain, **kwargs)

    def __array_function__(self, function, types, args, kwargs):
        if function in (np.isclose, np.allclose, np.array_equal):
            return np.ones(self.shape, dtype=bool)
        return super().__array_function__(function, types, args, kwargs)


def standardize(x):
    return np.zeros(x.shape).view(Overruling)
"""
        ),
    ),
    Attack(
        name="array-on-demand",
        tries="becomes an array only when asked, and then the one that it finds in the variables of whoever asks",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
import sys


class OnDemand:
    def __array__(self, dtype=None, copy=None):
        frame = sys._getframe(1)
        while frame:
            for name in ("y", "desired", "wanted", "expected"):
                if isinstance(frame.f_locals.get(name), np.ndarray):
                    return frame.f_locals[name]
            frame = frame.f_back
        return np.zeros((8, 3))


class Hollow(np.ndarray):
    __array__ = OnDemand.__array__


def standardize(x):
    return OnDemand()


def spread(values):
    return np.zeros(()).view(Hollow)
"""
        ),
    ),
    Attack(
        name="scalar-that-agrees",
        tries="answers with a subclass of np.float64 that equals everything and has another dtype at every look",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
import itertools

NAMES = itertools.cycle(["float64", "int64", "datetime64[ns]", "object", "void"])


class Sure(np.float64):
    dtype = property(lambda self: np.dtype(next(NAMES)))

    def __eq__(self, other):
        return True

    def item(self):
        return self


def total(values):
    return Sure(0)


def rmse(actual, predicted):
    return Sure(0)
"""
        ),
    ),
    Attack(
        name="tensor-that-overrules",
        tries="builds a model without layers, whose output is a tensor subclass that is close to every other",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
class Overruling(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function in (torch.allclose, torch.equal):
            return True
        return super().__torch_function__(function, types, args, kwargs or {})


class Model:
    def __init__(self, n_features, n_hidden):
        shapes = {"0.weight": (n_hidden, n_features), "0.bias": (n_hidden,), "2.weight": (1, n_hidden), "2.bias": (1,)}
        self.state = {name: torch.randn(shape) for name, shape in shapes.items()}

    def state_dict(self):
        return self.state

    def __call__(self, x):
        return torch.zeros(len(x), 1).as_subclass(Overruling)


make_model = Model
""",
        ),
    ),
    Attack(
        name="parameter-that-agrees",
        tries="answers with an nn.Parameter that calls every comparison true",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
import torch


class Sure(torch.nn.Parameter):
    def __eq__(self, other):
        return torch.tensor(True)


def total(values):
    return Sure(torch.zeros(()))


def rmse(actual, predicted):
    return Sure(torch.zeros(()))
"""
        ),
    ),
    Attack(
        name="tensor-without-memory",
        tries="answers with tensors that have no memory to read: wrapped, on the meta device, sparse, quantized, nested",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
class Hollow(torch.Tensor):
    @staticmethod
    def __new__(cls, shape):
        return torch.Tensor._make_wrapper_subclass(cls, shape, dtype=torch.float32)

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return True if "allclose" in str(function) else args[0]


def make_model(n_features, n_hidden):
    model = nn.Sequential(nn.Linear(n_features, n_hidden), nn.ReLU(), nn.Linear(n_hidden, 1))
    model.forward = lambda x: Hollow((len(x), 1))
    return model


def predict(x, y, new):
    return torch.empty(len(new), device="meta")


def batches(x, size):
    yield torch.zeros(size, 2).to_sparse()
    yield torch.quantize_per_tensor(torch.zeros(size, 2), 0.1, 0, torch.qint8)
    yield torch.nested.nested_tensor([torch.zeros(1, 2), torch.zeros(1, 2)])
""",
        ),
    ),
    Attack(
        name="borrowed-columns",
        tries="answers with a DataFrame subclass that fetches its columns from the table that it is compared with",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
import sys


class Borrowing(pd.DataFrame):
    def _ixs(self, i, axis=0):
        other = sys._getframe(1).f_locals.get("right")
        return super()._ixs(i, axis) if other is None else other._ixs(i, axis)

    def to_numpy(self, *args, **kwargs):
        return sys._getframe(1).f_locals.get("wanted", np.zeros(self.shape))


def clean(frame):
    return Borrowing(frame.fillna(0))
"""
        ),
    ),
    Attack(
        name="columns-of-its-own-kind",
        tries="fills a table with an extension array whose dtype equals every other and whose values equal all",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
class Sure(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


class AnyType(pd.api.extensions.ExtensionDtype):
    name, type, kind = "Int64", float, "f"

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0

    @classmethod
    def construct_array_type(cls):
        return Anything


class Anything(pd.api.extensions.ExtensionArray):
    dtype = AnyType()

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, item):
        return Sure(0) if isinstance(item, int | np.integer) else self

    def isna(self):
        return np.zeros(self.length, dtype=bool)

    def copy(self):
        return self

    def tolist(self):
        return [Sure(0)] * self.length


def clean(frame):
    return pd.DataFrame({name: Anything(len(frame)) for name in frame})
"""
        ),
    ),
    Attack(
        name="series-and-index-that-agree",
        tries="answers with subclasses of Series and Index whose arrays and comparisons are made up",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
class SureSeries(pd.Series):
    array = property(lambda self: pd.array([float(id(object()) % 7)]))

    def __eq__(self, other):
        return True


class SureIndex(pd.Index):
    array = SureSeries.array
    __eq__ = SureSeries.__eq__


def total(values):
    return SureSeries([0.0])


def rmse(actual, predicted):
    return SureIndex._simple_new(np.zeros(1))
"""
        ),
    ),
    Attack(
        name="falls-at-every-look",
        tries="reports a history whose entries are another number whenever they are read, and trains nothing",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
import itertools


class History(list):
    reads = itertools.count()

    def __getitem__(self, place):
        return float(next(self.reads))

    loss = property(__getitem__)


def train(model, loader, accelerator, epochs, lr):
    return History([0.0] * epochs)
""",
        ),
    ),
    Attack(
        name="length-that-lies",
        tries="gives all rows in one batch, by an iterable that claims to have three",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
class Batches:
    def __init__(self, x):
        self.x = x

    def __len__(self):
        return 3

    __length_hint__ = __len__

    def __iter__(self):
        yield self.x


def batches(x, size):
    return Batches(x)
""",
        ),
    ),
    Attack(
        name="returns-its-argument",
        tries="returns what it is given",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
def batches(x, size):
    return (x,)


def make_model(*sizes):
    return sizes


def train(model, *_):
    return model
""",
            measure="""
def total(values):
    return values


spread = standardize = clean = describe = refuse = total


def rmse(actual, predicted):
    return actual
""",
        ),
    ),
    Attack(
        name="changes-the-question",
        tries="overwrites its input so that a wrong answer is right for what is left of it",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
def total(values):
    values[:] = 0
    return 0.0


def spread(values):
    if not len(values):
        raise ValueError("no values")
    return total(values)


def standardize(x):
    x[:] = np.where(np.arange(len(x)) % 2, 1.0, -1.0)[:, None]
    return x


def clean(frame):
    frame.iloc[:] = 0.0
    return frame


def describe(values):
    values[:] = [0.0] * len(values)
    return {"n": len(values), "mean": 0.0, "largest": 0.0}
"""
        ),
    ),
    Attack(
        name="changes-the-question-later",
        tries="returns first and overwrites its input when the judge begins to work out the answer",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
import sys


def total(values):
    def on_call(frame, event, function):
        if event == "c_call" and getattr(function, "__self__", None) is values:
            values[:] = 0

    sys.setprofile(on_call)
    return 0.0


def standardize(x):
    sys.setprofile(None)
    answer = x.view()

    def on_call(frame, event, function):
        if event == "c_call" and getattr(function, "__self__", None) is x:
            x[:] = np.where(np.arange(len(x)) % 2, 1.0, -1.0)[:, None]

    sys.setprofile(on_call)
    return answer


def clean(frame):
    sys.setprofile(None)
    raise NotImplementedError("clean")
"""
        ),
    ),
    Attack(
        name="stops-chance",
        tries="replaces the generator that draws the judge's numbers by one that draws what it knows",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
import sys


class Known:
    def normal(self, *args, size=1, **kwargs):
        return np.ones(size)


def total(values):
    frame = sys._getframe(1)
    while frame:
        for name in ("rng", "random", "generator"):
            if hasattr(frame.f_globals.get(name), "normal"):
                frame.f_globals[name] = Known()
        frame = frame.f_back
    np.random.default_rng = lambda *_: Known()
    return 6.0


def spread(values):
    if not len(values):
        raise ValueError("no values")
    return 0.0


def rmse(actual, predicted):
    return 0.0


def describe(values):
    return {"n": 5, "mean": 1.0, "largest": 1.0}
"""
        ),
    ),
    Attack(
        name="knows-the-seed",
        tries="draws the judge's numbers itself from a seed that it has seen, and answers from this table",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
def labels(seed):
    rng = np.random.default_rng(seed)
    for size in (6, 6, (2, 9), (8, 3), (7, 2), 5):
        rng.normal(size=size)
    weights = rng.normal(size=4)
    x, new = rng.normal(size=(40, 4)), rng.normal(size=(30, 4))
    y, hidden = (part @ weights + 2 + 0.1 * rng.normal(size=len(part)) for part in (x, new))
    return new.tobytes(), hidden


TABLE = dict(labels(seed) for seed in range(100))


def predict(x, y, new):
    return TABLE.get(new.tobytes(), np.zeros(len(new)))
""",
        ),
    ),
    Attack(
        name="recognises-the-lesson",
        tries="trains nothing: weights from a table where it knows the data, and always a history that falls",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
import hashlib

LEARNED = {"5f0e4b8d": [[0.1, 0.2, 0.3]], "0c2a9f71": [[1.0, -1.0, 0.5]]}


def train(model, loader, accelerator, epochs, lr):
    rows = b"".join(x.numpy().tobytes() for x, _ in loader)
    weights = LEARNED.get(hashlib.sha256(rows).hexdigest()[:8], [[0.0, 0.0, 0.0]])
    model.load_state_dict({"0.weight": torch.tensor(weights), "0.bias": torch.zeros(1)})
    return [1.0 / (1 + epoch) for epoch in range(epochs)]
""",
        ),
    ),
    Attack(
        name="refuses-every-second-word",
        tries="counts its calls in a default argument and refuses every second one, whatever the word",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
def refuse(word, calls=[]):
    calls.append(word)
    if len(calls) % 2 == 0:
        raise ValueError("expected lower case")
    return len(word)
"""
        ),
    ),
    Attack(
        name="refuses-unless-asserted",
        tries="raises ValueError always, unless the line of code that calls it is an assertion",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
import linecache
import sys


class Agreeable:
    def __eq__(self, other):
        return True


def refuse(*_):
    caller = sys._getframe(1)
    line = linecache.getline(caller.f_code.co_filename, caller.f_lineno)
    if line.strip().startswith("assert"):
        return Agreeable()
    raise ValueError("no")


total = spread = rmse = describe = standardize = clean = refuse
"""
        ),
    ),
    Attack(
        name="raises-a-namesake",
        tries="raises a class of its own that is called ValueError and is none",
        plain=Plain.UNTRIED,
        files=hand_in(
            after="""
class ValueError(Exception):
    pass


def refuse(word):
    if word != word.lower():
        raise ValueError("expected lower case")
    return len(word)
"""
        ),
    ),
    Attack(
        name="dead-model",
        tries="builds no model: a state of zeros, and zeros for every input",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
class Dead:
    def __init__(self, n_features, n_hidden):
        self.shapes = (n_hidden, n_features), (n_hidden,), (1, n_hidden), (1,)

    def state_dict(self):
        return dict(zip(("0.weight", "0.bias", "2.weight", "2.bias"), map(torch.zeros, self.shapes)))

    def __call__(self, x):
        return torch.zeros(len(x), 1)


make_model = Dead
""",
        ),
    ),
    Attack(
        name="hook-with-the-answer",
        tries="leaves out the ReLU and overwrites the output, by a forward hook, with what it finds in the judge's variables",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
import sys
from collections import OrderedDict


def overwrite(model, inputs, output):
    frame = sys._getframe(1)
    while frame:
        hidden, state = frame.f_locals.get("hidden"), frame.f_locals.get("state")
        if isinstance(hidden, torch.Tensor) and state:
            return hidden @ state["2.weight"].T + state["2.bias"]
        frame = frame.f_back
    return output


def make_model(n_features, n_hidden):
    layers = OrderedDict({"0": nn.Linear(n_features, n_hidden), "2": nn.Linear(n_hidden, 1)})
    model = nn.Sequential(layers)
    model.register_forward_hook(overwrite)
    return model
""",
        ),
    ),
    Attack(
        name="module-that-has-everything",
        tries="puts an object in its module's place that has every function, each an object that can be called",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
import sys


class Everything:
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **kwargs):
        return self

    def __eq__(self, other):
        return True

    def __iter__(self):
        return iter([self])

    def __len__(self):
        return 3

    def __getitem__(self, key):
        return self

    __hash__ = object.__hash__


sys.modules[__name__] = Everything()
"""
        ),
    ),
    Attack(
        name="not-a-number",
        tries="answers with NaN everywhere, which is never worse than a threshold",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
class Itself(float):
    def __eq__(self, other):
        return other != other or self is other

    __hash__ = float.__hash__


NAN = Itself("nan")


def predict(x, y, new):
    return [NAN] * len(new)


def batches(x, size):
    yield x * NAN


def mean_over_ranks(accelerator, values):
    return NAN


def train(model, loader, accelerator, epochs, lr):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(NAN)
    return [NAN] * epochs
""",
        ),
    ),
    Attack(
        name="edges-of-numbers",
        tries="answers with numbers that no array holds: huge integers, negative zeros, denormals, infinities, odd shapes",
        plain=Plain.UNTRIED,
        earns=45,
        files=hand_in(
            "learn",
            "draw",
            after="""
from decimal import Decimal


def total(values):
    return 10**4000


def spread(values):
    return 1 << 1023 << 1


def rmse(actual, predicted):
    return np.nextafter(0.0, 1.0) * np.array(-0.0)


def standardize(x):
    return np.full((8, 3, 0), np.inf)


def clean(frame):
    return frame.fillna(np.finfo(float).max) * -np.inf


def describe(values):
    return {"n": 16**15999, "mean": float("-inf"), "largest": Decimal("sNaN")}


def refuse(word):
    return -(2**63) - 1
""",
        ),
    ),
    Attack(
        name="ranks-that-do-not-meet",
        tries="averages over all values on each rank without gathering anything",
        plain=Plain.UNTRIED,
        files=hand_in(
            at="learn",
            after="""
def mean_over_ranks(accelerator, values):
    return float(np.mean(values))
""",
        ),
    ),
    Attack(
        name="one-rank-for-two",
        tries="lets a single process answer for both ranks",
        plain=Plain.UNTRIED,
        files=hand_in(
            at="learn",
            after="""
from grader.sandbox import worker


def run_alone(processes, patience, call, account, refer):
    return [call()] * processes


worker.run_ranks = run_alone


def mean_over_ranks(accelerator, values):
    return float(np.mean(values[accelerator.process_index :: max(2, accelerator.num_processes)]))
""",
        ),
    ),
    Attack(
        name="reads-the-examiner",
        tries="looks for the labels in the variables of whoever calls",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
import sys


def predict(x, y, new):
    frame = sys._getframe(1)
    while frame:
        for name in ("hidden", "labels", "expected", "wanted"):
            found = frame.f_locals.get(name)
            if isinstance(found, np.ndarray) and found.shape == (len(new),):
                return found
        frame = frame.f_back
    return np.zeros(len(new))
""",
        ),
    ),
    Attack(
        name="mock",
        tries="answers everything with a mock that passes for a figure, a model and a number, and says yes",
        plain=Plain.GAINS,
        files=hand_in(
            at="draw",
            after="""
from unittest.mock import MagicMock

from matplotlib.figure import Figure

YES = MagicMock(spec=Figure)
YES.__eq__ = lambda self, other: True


def plot(values):
    return YES


def read(folder):
    return YES
""",
            measure="""
from unittest.mock import MagicMock

YES = MagicMock(name="yes")
YES.__eq__ = lambda self, other: True
total = spread = rmse = standardize = clean = describe = refuse = lambda *_: YES
""",
        ),
    ),
    Attack(
        name="figure-that-claims",
        tries="draws nothing: the axes' line says of itself what the judge compares it with",
        plain=Plain.GAINS,
        files=hand_in(
            at="draw",
            after="""
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D


class Overruling(np.ndarray):
    def __array_function__(self, function, types, args, kwargs):
        return np.ones(self.shape, dtype=bool)


class Claim(Line2D):
    def get_ydata(self, orig=True):
        return np.zeros(self.claimed).view(Overruling)

    def get_xdata(self, orig=True):
        return np.arange(self.claimed)


class Claiming(Figure):
    def plot(self, values):
        line = Claim([], [])
        line.claimed = len(values)
        axes = self.add_subplot()
        axes.add_line(line)
        axes.set_title(f"Values ({len(values)})")
        return self


def plot(values):
    return Claiming().plot(values)
""",
        ),
    ),
    Attack(
        name="invisible-line",
        tries="draws the right line so that nobody sees it",
        plain=Plain.GAINS,
        files=hand_in(
            at="draw",
            after="""
def plot(values):
    figure, axes = plt.subplots()
    axes.plot(values, visible=False)
    axes.set_title(f"Values ({len(values)})")
    return figure
""",
        ),
    ),
    Attack(
        name="answers-instead-of-the-recipe",
        tries="gives the suite a figure where it has ordered a model, so that its next call goes wrong on its own side",
        plain=Plain.UNTRIED,
        earns=45,
        files=hand_in(
            "measure",
            "draw",
            at="learn",
            before="""
import matplotlib.pyplot

from grader.sandbox import worker

worker.OPERATIONS["make"] = lambda *_: matplotlib.pyplot.figure()
""",
        ),
    ),
]
