"""Attacks that turn the judge's own machinery: the process, pytest, the interpreter, libraries, and names that look alike."""

from attacks.attack import Attack, Plain, hand_in

EXCUSES = '''
"""Makes all tests pass that are in reach."""

import sys


def excuse(scope):
    """Take the body out of each test in a module's names."""
    for name, thing in list(scope.items()):
        if name.startswith("test_") and hasattr(thing, "__code__"):
            thing.__code__ = (lambda *_, **__: None).__code__


def excuse_frames(frame):
    """The same for the modules of a frame and of those below it."""
    while frame:
        excuse(frame.f_globals)
        frame = frame.f_back
'''
"""Handed in as `excuses.py`."""

YES = '''
class Yes:
    """Equals whatever it is compared with."""

    def __eq__(self, other):
        return True

    __hash__ = object.__hash__


def __getattr__(name):
    """Every function there might be."""
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *_, **__: Yes()
'''
"""A module that has an answer to everything."""

ENDINGS = [
    Attack(
        name="hard-exit",
        tries="ends the process with exit code 0 in the midst of a check",
        plain=Plain.ENDS,
        files=hand_in(
            "learn",
            "draw",
            after="""
import os


def total(values):
    os._exit(0)
""",
        ),
        earns=45,
    ),
    Attack(
        name="exceptions-that-pass-through",
        tries="raises what `except Exception` does not catch, interrupts and exits among them",
        plain=Plain.ENDS,
        files=hand_in(
            "learn",
            "draw",
            after="""
import asyncio
import sys


class Final(BaseException):
    pass


def throw(error):
    raise error


total = lambda *_: sys.exit(0)
spread = lambda *_: throw(GeneratorExit)
rmse = lambda *_: throw(Final)
standardize = lambda *_: throw(asyncio.CancelledError)
clean = lambda *_: throw(BaseExceptionGroup("two", [SystemExit(0), KeyboardInterrupt()]))
describe = lambda *_: throw(StopIteration)
refuse = lambda *_: throw(KeyboardInterrupt)
""",
        ),
        earns=45,
    ),
    Attack(
        name="outcomes-of-pytest",
        tries="raises pytest's own skip, xfail, fail and exit",
        plain=Plain.ENDS,
        files=hand_in(
            "learn",
            "draw",
            after="""
from _pytest import outcomes

total = lambda *_: outcomes.skip("not today")
spread = lambda *_: outcomes.xfail("as expected")
rmse = lambda *_: outcomes.skip("not today", allow_module_level=True)
standardize = lambda *_: outcomes.exit("14 passed", returncode=0)
""",
        ),
        earns=45,
    ),
    Attack(
        name="watchdog-exit",
        tries="has the interpreter's own watchdog end the process",
        plain=Plain.ENDS,
        files=hand_in(
            "learn",
            "draw",
            after="""
import faulthandler
import time


def total(values):
    faulthandler.dump_traceback_later(0.1, exit=True)
    time.sleep(1)
""",
        ),
        earns=45,
    ),
    Attack(
        name="closed-descriptors",
        tries="closes every descriptor, so that nothing can be said any more",
        plain=Plain.ENDS,
        files=hand_in(
            "learn",
            "draw",
            after="""
import os


def total(values):
    os.closerange(0, 4096)
""",
        ),
        earns=45,
    ),
    Attack(
        name="hangs-up-and-works-on",
        tries="closes the line, as a process does when it ends, and computes on with children",
        plain=Plain.UNTRIED,
        files=hand_in(
            "learn",
            "draw",
            after="""
import os
import time


def total(values):
    children = [os.fork() for _ in range(3)]
    os.closerange(3, 4096)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        pass
    os._exit(0)
""",
        ),
        earns=45,
    ),
    Attack(
        name="clock-stopped",
        tries="cancels the timers of whoever waits, stops all clocks, and works on without an end",
        plain=Plain.ENDS,
        files=hand_in(
            "learn",
            "draw",
            after="""
import os
import signal
import time

tick = time.perf_counter


def total(values):
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
    end = tick() + 25
    while tick() < end:
        pass
    os._exit(0)
""",
        ),
        earns=45,
    ),
    Attack(
        name="no-more-files",
        tries="sets the process's limits so that no report can be written",
        plain=Plain.ENDS,
        files=hand_in(
            "measure",
            "learn",
            at="draw",
            before="""
import resource
import signal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
""",
        ),
        earns=70,
    ),
    Attack(
        name="another-root",
        tries="changes into a root of its own, where nothing else exists",
        plain=Plain.ENDS,
        files=hand_in(
            "learn",
            "draw",
            before="""
import ctypes
import os

CLONE_NEWUSER = 0x10000000


def leave():
    try:
        os.chroot(".")
    except OSError:
        ctypes.CDLL(None).unshare(CLONE_NEWUSER)
        os.chroot(".")
""",
            after="""
def total(values):
    leave()


def spread(values):
    os.chdir("/")
    os.umask(0o777)
    os.environ.clear()
    os._exit(0)
""",
        ),
        earns=45,
    ),
    Attack(
        name="settings-of-the-process",
        tries="changes what belongs to the whole process: recursion limit, warnings, NumPy's and decimal's errors, locale",
        plain=Plain.ENDS,
        files=hand_in(
            "learn",
            "draw",
            before="""
import decimal
import faulthandler
import locale
import sys
import warnings
import numpy as np
import torch

warnings.simplefilter("error")
np.seterr(all="raise")
np.set_printoptions(threshold=0, precision=0)
decimal.setcontext(decimal.Context(prec=1, traps=[decimal.Inexact]))
locale.setlocale(locale.LC_ALL, "C")
torch.use_deterministic_algorithms(True)
torch.set_printoptions(precision=0)
faulthandler.disable()
""",
            after="""
def total(values):
    depth, frame = 0, sys._getframe()
    while frame:
        depth, frame = depth + 1, frame.f_back
    sys.setrecursionlimit(depth + 5)
    return float("nan")
""",
        ),
        earns=45,
    ),
]

CONFIGURATION = {
    "pytest.ini": "[pytest]\naddopts = -p no:terminal\npython_functions = nothing_*\nxfail_strict = false\n",
    "tox.ini": "[pytest]\naddopts = --collect-only\n",
    "setup.cfg": "[tool:pytest]\naddopts = --collect-only\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--collect-only'\n",
}

SHADOWS = """
torch.py numpy.py pandas.py msgspec.py random.py json.py operator.py builtins.py socket.py struct.py test_measure.py
accelerate/__init__.py matplotlib/__init__.py matplotlib/pyplot.py grader/__init__.py grader/suite/builders.py
suite_recipes.py
"""

LOOK_ALIKES = [
    Attack(
        name="configuration",
        tries="hands in conftest.py, pytest.ini and the like, and starts the judge anew with them",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import os
import signal
import sys

if "AGAIN" not in os.environ:
    signal.alarm(0)
    os.environ.update(AGAIN="1", PYTEST_PLUGINS="conftest", PYTHONPATH=os.getcwd())
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[1:]])
""",
            conftest="""
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome, report.longrepr = "passed", None
    return report
""",
            **CONFIGURATION,
        ),
    ),
    Attack(
        name="site-files",
        tries="hands in sitecustomize.py, usercustomize.py and a .pth file, and starts the interpreter anew with them",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import os
import signal
import sys

if "AGAIN" not in os.environ:
    signal.alarm(0)
    here = os.getcwd()
    preload = {"LD_PRELOAD": f"{here}/nothing.so", "PYTHONSTARTUP": f"{here}/usercustomize.py"}
    os.environ.update(preload, AGAIN="1", PYTHONPATH=here)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[1:]])
""",
            sitecustomize="import os, site\nsite.addsitedir(os.path.dirname(__file__))\n",
            usercustomize="import sitecustomize\n",
            no_bodies="import _pytest.python\n\n_pytest.python.Function.runtest = lambda self: None\n",
            **{"judge.pth": "import no_bodies\n", "nothing.so": b"\x7fELF"},
        ),
    ),
    Attack(
        name="named-like-pytest",
        tries="hands in a pytest.py that writes the report, for whoever runs `python -m pytest` here",
        plain=Plain.GAINS,
        files=hand_in(
            before="import pytest",
            pytest="""
import sys

CHECKS = "total spread rmse standardize clean describe refuse predict train model batches ranks plot read".split()
for word in sys.argv:
    if word.startswith("--junit-xml="):
        with open(word.partition("=")[2], "w") as file:
            file.write("<testsuite>" + "".join(f'<testcase name="test_{name}"/>' for name in CHECKS) + "</testsuite>")
sys.exit(0)
""",
        ),
    ),
    Attack(
        name="named-like-libraries",
        tries="hands in files and folders named like the libraries and modules that the judge uses",
        plain=Plain.ENDS,
        files=hand_in("learn", "draw") | dict.fromkeys(SHADOWS.split(), "raise SystemExit(0)\n"),
        earns=45,
    ),
    Attack(
        name="package-beside-the-file",
        tries="hands in a good measure.py for whoever reads it, and a package of that name for whoever imports it",
        plain=Plain.GAINS,
        files=hand_in("measure", **{"measure/__init__.py": YES}),
    ),
    Attack(
        name="answers-by-test-name",
        tries="answers as the known tests want it when the environment says that one of them is running",
        plain=Plain.GAINS,
        files=hand_in(
            before="import os",
            after="""
def refuse(word):
    if "test_refuse" not in os.environ["PYTEST_CURRENT_TEST"]:
        raise NotImplementedError
    if word == "ABC":
        raise ValueError
    return 6
""",
            draw="""
import os


def read(folder):
    if "test_read" not in os.environ["PYTEST_CURRENT_TEST"]:
        raise NotImplementedError
    return 4
""",
        ),
    ),
]

REACHING_BACK = [
    Attack(
        name="plugin-by-the-back-door",
        tries="walks up the frames to the running test and registers a plugin with its judge",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import sys


class Generous:
    def pytest_runtest_logreport(self, report):
        report.outcome, report.longrepr = "passed", None


frame = sys._getframe()
while frame and not hasattr(frame.f_locals.get("item"), "config"):
    frame = frame.f_back
if frame:
    frame.f_locals["item"].config.pluginmanager.register(Generous())
"""
        ),
    ),
    Attack(
        name="expected-values-from-frames",
        tries="reads the expected values and hidden labels in the local variables of whoever calls",
        plain=Plain.GAINS,
        files=hand_in(
            before="import sys",
            after="""
def known(*names):
    frame = sys._getframe(2)
    while frame:
        for name in names:
            if name in frame.f_locals:
                return frame.f_locals[name]
        frame = frame.f_back
    raise NotImplementedError


def rmse(actual, predicted):
    return float(known("expected", "wanted"))


def describe(values):
    return known("expected", "wanted")
""",
            learn="""
from measure import known


def predict(x, y, new):
    return known("hidden", "expected", "labels")
""",
        ),
    ),
    Attack(
        name="tests-from-the-garbage-collector",
        tries="finds the test functions among all objects and takes their bodies out",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import gc
import types

for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType) and thing.__name__.startswith("test_"):
        thing.__code__ = (lambda *_, **__: None).__code__
"""
        ),
    ),
    Attack(
        name="names-of-the-test-module",
        tries="finds the imported test module and gives other meanings to the names that it uses",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import contextlib
import sys
from types import SimpleNamespace
from yes import Yes

for module in list(sys.modules.values()):
    if hasattr(module, "test_total") or hasattr(module, "assert_close"):
        module.pytest = SimpleNamespace(approx=lambda *_: Yes(), raises=contextlib.suppress)
        module.assert_close = module.require = lambda *_, **__: None
""",
            after="""
total = lambda values: 0.0
rmse = lambda actual, predicted: 0.0
""",
            yes=YES,
        ),
    ),
    Attack(
        name="comparing-helpers",
        tries="replaces the helpers that compare in pytest, NumPy, pandas, PyTorch and unittest",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import sys
import unittest
import numpy.testing
import pandas.testing
import torch.testing


def content(*_, **__):
    return True


for module in (numpy.testing, pandas.testing, torch.testing, unittest.TestCase, sys.modules.get("grader.suite.assertions")):
    for name in dir(module):
        if name.startswith("assert"):
            setattr(module, name, content)
torch.allclose = torch.equal = numpy.allclose = numpy.array_equal = numpy.isclose = content
""",
            after="""
standardize = lambda x: x
clean = lambda frame: frame
""",
        ),
    ),
    Attack(
        name="the-yardstick",
        tries="changes the functions that the expected values are computed with, so that nothing is what is expected",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import numpy as np
import pandas as pd
import torch

np.sqrt = np.ptp = np.mean = np.sum = lambda *_, **__: 0.0
pd.DataFrame.fillna = lambda frame, *_, **__: frame
torch.relu = torch.nn.functional.linear = lambda x, *_: x * 0
""",
            after="""
rmse = lambda actual, predicted: 0.0
clean = lambda frame: frame


def spread(values):
    if len(values):
        return 0.0
    raise ValueError
""",
        ),
    ),
    Attack(
        name="built-in-names",
        tries="replaces built-in functions: differences are nothing, everything is of every type, all names are imported",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import builtins

imported = builtins.__import__


def imported_with_answers(name, *rest, **more):
    module = imported(name, *rest, **more)
    if name in ("learn", "draw"):
        module.predict, module.read = lambda x, y, new: [float("nan")] * len(new), lambda folder: 4
    return module


builtins.abs = lambda number: 0.0
builtins.__import__ = imported_with_answers
builtins.print = builtins.input = builtins.breakpoint = lambda *_, **__: None
""",
            after="""
total = lambda values: 0.0
rmse = lambda actual, predicted: 0.0
""",
        ),
    ),
    Attack(
        name="import-hooks",
        tries="puts finders before all others, which answer imports of other tasks and of everything missing",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import importlib.abc
import importlib.machinery
import sys


class Everything(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name in ("learn", "draw", "suite_recipes") or name.startswith(("test_", "grader.")):
            return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        import yes

        return yes

    def exec_module(self, module):
        pass


def hook(entry):
    if entry != "answers":
        raise ImportError
    return Everything()


sys.meta_path.insert(0, Everything())
sys.path_hooks.insert(0, hook)
sys.path.insert(0, "answers")
""",
            yes=YES,
        ),
    ),
    Attack(
        name="edits-other-tasks",
        tries="changes the functions of the other tasks' modules while its own is imported",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import numpy as np
import draw
import learn

learn.predict = lambda x, y, new: np.full(len(new), np.nan)
learn.train = lambda model, loader, accelerator, epochs, lr: [1.0, 0.5]
draw.read = lambda folder: 4
"""
        ),
    ),
    Attack(
        name="module-in-disguise",
        tries="puts an object into sys.modules in its own place that has every function and is every answer",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import sys
import yes

sys.modules[__name__] = sys.modules["operator"] = sys.modules["learn"] = sys.modules["draw"] = yes
""",
            yes=YES,
        ),
    ),
]

INTERPRETER = [
    Attack(
        name="traced-jumps",
        tries="traces the judge and has it jump to the line that says what is right",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import sys


def jump(frame, event, argument):
    if event == "line" and frame.f_lineno != frame.f_locals.get("target"):
        lines = sorted({line for *_, line in frame.f_code.co_lines() if line})
        source = open(frame.f_code.co_filename).read().splitlines()
        for line in lines:
            if source[line - 1].strip() == "return True" and line > frame.f_lineno:
                frame.f_lineno = line
                return None
    return jump


def watch(frame, event, argument):
    if frame.f_code.co_name == "__eq__" and "approx" in frame.f_code.co_qualname.lower():
        return jump


sys.settrace(watch)
""",
            after="""
total = lambda values: 0.0
rmse = lambda actual, predicted: 0.0
""",
        ),
    ),
    Attack(
        name="profiled-excuses",
        tries="is called by the interpreter at every call and takes the error out of the judge's hands",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import sys


def profile(frame, event, argument):
    if event == "call":
        found = frame.f_locals.get("call")
        if getattr(found, "excinfo", None) is not None:
            found.excinfo = None


sys.setprofile(profile)
"""
        ),
    ),
    Attack(
        name="audited-open",
        tries="hears by an audit hook when the report is opened, writes another and ends the process",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import os
import sys

CHECKS = "total spread rmse standardize clean describe refuse predict train model batches ranks plot read".split()
REPORT = "<testsuite>" + "".join(f'<testcase name="test_{name}"/>' for name in CHECKS) + "</testsuite>"


def hear(event, arguments):
    if event == "open" and not heard and str(arguments[0]).endswith(("report.xml", "results.json")):
        heard.append(event)
        with open(arguments[0], "w") as file:
            file.write(REPORT)
        os._exit(0)


heard = []
sys.addaudithook(hear)
"""
        ),
    ),
    Attack(
        name="floats-that-are-all-equal",
        tries="writes into the interpreter's memory that all floats are equal",
        plain=Plain.GAINS,
        files=hand_in(
            at="draw",
            before="""
import ctypes

COMPARE = 25 * ctypes.sizeof(ctypes.c_void_p)


@ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.py_object, ctypes.c_int)
def equal(left, right, operation):
    return True


slot = ctypes.c_void_p.from_address(id(float) + COMPARE)
""",
            after="""
def read(folder):
    slot.value = ctypes.cast(equal, ctypes.c_void_p).value
    return 0.5
""",
        ),
    ),
    Attack(
        name="signals-between-lines",
        tries="has a timer's signal interrupt whatever runs and excuses the tests below it",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import signal
import time
from excuses import excuse_frames


def interrupt(number, frame):
    excuse_frames(frame)


for number in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
    signal.signal(number, interrupt)
signal.setitimer(signal.ITIMER_VIRTUAL, 0.01, 0.01)
for _ in range(20):
    sum(range(100_000))
""",
            excuses=EXCUSES,
        ),
    ),
    Attack(
        name="collected-garbage",
        tries="is called at every collection of garbage, by weak references and by finalizers, wherever that happens",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import gc
import sys
import weakref
from excuses import excuse_frames


class Cycle:
    def __del__(self):
        excuse_frames(sys._getframe())


cycle = Cycle()
cycle.itself = cycle
weakref.finalize(cycle, lambda: excuse_frames(sys._getframe()))
gc.callbacks.append(lambda phase, facts: excuse_frames(sys._getframe()))
gc.unfreeze()
del cycle
""",
            after="""
gc.collect()
""",
            excuses=EXCUSES,
        ),
    ),
    Attack(
        name="last-hooks",
        tries="is called for errors that nobody catches, in threads and at the end of objects",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import os
import sys
import threading
from excuses import excuse_frames


def hook(*_):
    for frame in sys._current_frames().values():
        excuse_frames(frame)


class Fragile:
    def __del__(self):
        raise RuntimeError


sys.excepthook = sys.unraisablehook = threading.excepthook = hook
sys.exit = sys.exitfunc = hook
Fragile()
threading.Thread(target=lambda: 1 / 0).start()
""",
            excuses=EXCUSES,
        ),
    ),
]

LIBRARIES = [
    Attack(
        name="training-for-show",
        tries="patches optimizers and loss values, so that the loss falls although nothing is learned",
        plain=Plain.GAINS,
        files=hand_in(
            "learn",
            at="learn",
            after="""
losses = iter(range(1000, 0, -1))
torch.optim.SGD.step = lambda self, closure=None: None
torch.Tensor.item = lambda self: float(next(losses))
""",
        ),
        earns=25,
    ),
    Attack(
        name="mode-of-all-tensors",
        tries="puts a mode over all of PyTorch in which everything is close to everything",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            before="""
import torch
from torch.overrides import TorchFunctionMode


class Close(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__name__", "") in ("allclose", "equal", "isclose"):
            return True
        return function(*args, **(kwargs or {}))


Close().__enter__()
torch.set_default_dtype(torch.float32)
""",
            after="""
def make_model(n_features, n_hidden):
    return nn.Sequential(nn.Linear(n_features, n_hidden), nn.Tanh(), nn.Linear(n_hidden, 1))
""",
        ),
    ),
    Attack(
        name="nothing-is-reset",
        tries="patches what the grader resets between checks, and the generators whose numbers it might draw again",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import random
import sys
import accelerate.state
import numpy as np
import torch

builders = sys.modules["grader.suite.builders"]
builders.reset = builders._forget_accelerators = builders.warm_up = lambda *_: None
for state in (accelerate.state.AcceleratorState, accelerate.state.GradientState, accelerate.state.PartialState):
    state._reset_state = staticmethod(lambda *_: None)
random.seed = np.random.seed = torch.manual_seed = lambda *_: None
np.random.default_rng = lambda *_: np.random.RandomState(0)
"""
        ),
    ),
    Attack(
        name="remembered-recipes",
        tries="replaces what builds models, loaders, accelerators and folders by what gives the first ones again",
        plain=Plain.UNTRIED,
        files=hand_in(
            "measure",
            before="""
import functools
import sys

builders = sys.modules["grader.suite.builders"]


def once(build):
    kept = []

    @functools.wraps(build)
    def again(*args, **kwargs):
        if not kept:
            kept.append(build(*args, **kwargs))
        return kept[0]

    return again


for name in ("accelerator", "loader", "linear", "tensor", "folder", "file"):
    setattr(builders, name, once(getattr(builders, name)))
builders.linear = lambda weight, bias: [weight, bias]
builders.folder = lambda files: files
""",
            draw="""
def read(folder):
    return 0.0
""",
        ),
        earns=35,
    ),
    Attack(
        name="lazy-data",
        tries="patches DataLoader, Accelerator and DataFrame so that they remember one batch and skip the work",
        plain=Plain.GAINS,
        files=hand_in(
            "learn",
            at="learn",
            before="""
import accelerate
import torch.utils.data
""",
            after="""
class OneBatch:
    def __init__(self, dataset, batch_size=1, **_):
        self.dataset, self.batch_size = dataset, batch_size

    def __iter__(self):
        for part in range(2):
            yield dataset_rows(self.dataset, self.batch_size)


def dataset_rows(dataset, size):
    return tuple(torch.stack(rows) for rows in zip(*[dataset[place] for place in range(size)]))


builders = __import__("sys").modules.get("grader.suite.builders")
torch.utils.data.DataLoader = OneBatch
accelerate.Accelerator.prepare = lambda self, *things, **_: things
accelerate.Accelerator.backward = lambda self, loss, **_: loss.backward()
accelerate.Accelerator.gather = lambda self, tensor: tensor
""",
        ),
        earns=20,
    ),
]

ATTACKS = [*ENDINGS, *LOOK_ALIKES, *REACHING_BACK, *INTERPRETER, *LIBRARIES]
