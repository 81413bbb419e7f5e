"""`student`: what a hidden test calls. The code itself runs elsewhere; plain data and opaque handles come back."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from grader.errors import LimitExceeded, NotAskedAgain, ProtocolError, StudentFault, TaskMissing, WorkerDied
from grader.sandbox.frames import ConnectionLost
from grader.sandbox.remote import Handle, Raised, Recipe, Remote, Summary
from grader.suite.assertions import CheckFailed
from grader.suite.builders import __name__ as BUILDERS
from grader.suite.faults import StudentError
from grader.suite.figures import Figure
from grader.suite.proxies import Kept, Module, Opaque, Ranks, Tools
from grader.suite.recipes import SHIPPED

STOPS = 2  # a function that was stopped this often is not called again: other tasks need the submission's time


class Seat(Protocol):
    """One live worker, and the watch over what it uses."""

    remote: Remote

    def begin_check(self) -> None:
        """From here on, time counts for a new check."""

    def leave(self) -> str:
        """End the worker; says how it ended if it had ended by itself."""


class Student:
    """The submission under test. `student.train.train(...)` calls `train` of the student's `train.py`.

    `open_seat(wrap)` starts a worker that already holds the submission's files; a new one is taken after one has died.
    `missing` names the task modules that were not handed in; `shipped` is the source of the assignment's own recipes.
    """

    def __init__(
        self,
        open_seat: Callable[[Callable[[Handle | Summary], object]], Seat],
        modules: Sequence[str],
        *,
        missing: Collection[str] = (),
        shipped: str = "",
        rank_patience: float = 20.0,
    ) -> None:
        self._open_seat = open_seat
        self._modules = set(modules)
        self._missing = set(missing)
        self._shipped = shipped
        self.rank_patience = rank_patience
        self._seat: Seat | None = None
        self._seed = 0
        self._loaded: set[str] = set()
        self._broken: dict[str, StudentFault] = {}
        self._answers: dict[str, Any] = {}
        self.answered = False
        """Whether the current check has had an answer that the student's code may have had a hand in."""
        self.on_answer: Callable[[], None] = lambda: None
        """Called at the first of these in each check."""
        self._stopped: defaultdict[str, list[LimitExceeded]] = defaultdict(list)

    def __getattr__(self, module: str) -> "Module":
        if module.startswith("_") or module not in self._modules:
            raise AttributeError(f"the assignment has no task module {module!r}")
        return Module(self, module)

    def fresh(self, seed: int) -> None:
        """Begin a check: nothing of Accelerate, figures or random numbers is left from the check before."""
        if self._seat is not None:
            self._seat.begin_check()
        self._seed = seed
        self._reset()
        self.answered = False

    def restart(self) -> None:
        """The calls that follow go to a new process: what the student's code kept in memory or in files is gone, and so
        are all handles."""
        self._abandon()
        self._reset()

    def _reset(self) -> None:
        self.ask("the worker", lambda remote: remote.call(BUILDERS, ["reset"], [self._seed], {}))

    def make(self, recipe: Recipe) -> Any:
        """Build a recipe in the worker and keep it there; its handle comes back."""
        return self.ask(recipe.name.partition(":")[2], lambda remote: remote.make(recipe))

    @property
    def tools(self) -> "Tools":
        """The assignment's own recipes as functions: `student.tools.read_files(path)` answers what it returns."""
        return Tools(self)

    def on(self, *, processes: int) -> "Ranks":
        """Run calls on that many gloo ranks: `student.on(processes=2).train.train(...)` gives a `RankResults`."""
        return Ranks(self, processes)

    def once(self, name: str, ask: Callable[[], Any]) -> Any:
        """What `ask()` gave the first time, or what it raised: checks that look at one answer ask for it once."""
        if name not in self._answers:
            try:
                self._answers[name] = (ask(), None)
            except (StudentFault, AssertionError) as error:
                self._answers[name] = (None, error)
        answer, raised = self._answers[name]
        if raised is not None:
            raise raised
        self._note_answer()
        return answer

    @contextmanager
    def raises(self, *types: str | type[BaseException], case: str = "") -> Iterator[list[StudentError]]:
        """The call inside must raise one of these, by class or by its name; what was raised comes in the list.

        `case` says to whoever reads of a failure what was called.
        """
        names = {kind if isinstance(kind, str) else kind.__name__ for kind in types}
        caught: list[StudentError] = []
        wanted = " or ".join(sorted(names))
        try:
            yield caught
        except StudentError as error:
            if error.not_implemented or error.importing:
                raise
            if not names & set(error.types):
                raise CheckFailed(f"{wanted} is raised", expected=wanted, got=str(error), case=case) from None
            caught.append(error)
        else:
            raise CheckFailed(f"{wanted} is raised", expected=wanted, got="no exception", case=case)

    def close(self) -> None:
        """End the worker."""
        if self._seat is not None:
            self._seat.leave()
            self._seat = None

    def in_module(self, module: str, name: str, action: Callable[[Remote], Any]) -> Any:
        """Do something with a module of the submission, imported on first use; a broken import is not tried twice."""
        if module in self._missing:
            raise TaskMissing(f"{module}.py was not handed in")
        if module in self._broken:
            raise self._broken[module]
        if module not in self._loaded:
            try:
                self.ask(f"importing {module}.py", lambda remote: remote.load(module))
            except StudentFault as fault:
                if isinstance(fault, StudentError):
                    fault.importing = f"{module}.py"
                self._broken[module] = fault
                raise
            self._loaded.add(module)
        function = f"{module}.{name}"
        if len(self._stopped[function]) == STOPS:
            raise NotAskedAgain(
                f"stopped in {STOPS} earlier checks, and not called again: {self._stopped[function][-1]}"
            )
        try:
            answer = self.ask(function, action)
            self._note_answer()
            return answer
        except LimitExceeded as stop:
            self._stopped[function].append(stop)
            raise

    def ask(self, what: str, action: Callable[[Remote], Any]) -> Any:
        """One request; a worker that dies, lies or takes too long is ended, and the next check gets a new one."""
        try:
            if self._seat is None:
                self._seat = self._open_seat(self._wrap)
                if self._shipped:
                    self._seat.remote.define(SHIPPED, self._shipped)
            answer = action(self._seat.remote)
            if self._loaded:  # then even the suite's own recipes run among the student's code
                self._note_answer()
            return answer
        except Raised as raised:
            raise StudentError(what, raised) from None
        except (LimitExceeded, ProtocolError) as fault:
            self._abandon()
            raise type(fault)(f"{what}: {fault}") from None
        except ConnectionLost:
            raise WorkerDied(f"{what} ended the process ({self._abandon()})") from None

    def _note_answer(self) -> None:
        if not self.answered:
            self.answered = True
            self.on_answer()

    def _abandon(self) -> str:
        seat, self._seat = self._seat, None
        self._loaded.clear()
        self._answers.clear()  # they may hold handles to what went with the worker
        return seat.leave() if seat is not None else ""

    def _wrap(self, thing: Handle | Summary) -> object:
        if isinstance(thing, Summary):
            return Figure.from_plain(thing.content) if thing.kind == "figure" else Opaque(str(thing.content))
        return Kept(self, thing)
