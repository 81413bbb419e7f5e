"""Where the results of a run go: all processes compute, only the main one prints, draws a bar and writes."""

import platform
import sys
import time
import weakref
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import accelerate
import matplotlib.pyplot as plt
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from torch.optim.optimizer import register_optimizer_step_post_hook
from tqdm import tqdm
from tqdm.contrib import DummyTqdmFile

from grader.page.document import Cell, Page, Picture, Section, Table, Words

PAGE = "report.html"


class Unusable(Exception):
    """A file that cannot be used; the text says which and why. Ends the run with exit code 2."""


@dataclass
class Results:
    """A folder for results, and a page that grows part by part.

    Args:
        accelerator: knows which process is the main one.
        folder: for all that is written; it exists.
        title: of the page.
    """

    accelerator: Accelerator
    folder: Path
    title: str
    page: Page = field(init=False)
    seconds: dict[str, float] = field(default_factory=dict, init=False)
    """How long each part took, on this process' clock."""

    def __post_init__(self) -> None:
        self.page = Page(self.title)
        self._section: Section | None = None

    @classmethod
    def into(cls, folder: Path, accelerator: Accelerator, title: str) -> "Results":
        """Results in a folder, which is made if it is not there yet.

        Raises:
            Unusable: it cannot be made.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            found = f"found {folder}: {error.strerror}"
            raise Unusable(f"expected --out to name a folder that can be made, {found}.") from None
        return cls(accelerator, folder, title)

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        """A part of the work: what it shows stands below this heading, and its time is taken, also if it fails.

        The same heading once more goes on with the same part.
        """
        section = next((section for section in self.page.sections if section.title == title), None)
        if section is None:
            section = Section(title)
            self.page.sections.append(section)
        self._section = section
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[title] = self.seconds.get(title, 0.0) + time.monotonic() - began

    def say(self, text: str) -> None:
        """Print a line, once."""
        self.accelerator.print(text, flush=True)

    def note(self, text: str) -> None:
        """Print a line, once, and keep it on the page."""
        self.say(text)
        self._show(Words(text))

    def lead(self, text: str) -> None:
        """Print a line, once, and keep it below the page's title."""
        self.say(text)
        self.page.lead = text

    def headline(self, name: str, value: float, form: str = "{}") -> None:
        """A number for the top of the page, in a form of `str.format`."""
        self.page.headlines.append((name, Cell.of(value, form)))

    def table(
        self, caption: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]], *, aloud: bool = False
    ) -> None:
        """A table on the page, printed too if it is `aloud`.

        Args:
            caption: one line above it.
            columns: name -> form of `str.format` for the column's numbers, such as `{:.3f}`.
            rows: as many values as there are columns in each; None where there is none.
        """
        forms = list(columns.values())
        cells = [[Cell.of(value, form) for value, form in zip(row, forms, strict=True)] for row in rows]
        table = Table(caption, list(columns), cells)
        self._show(table)
        if aloud:
            self.say("\n" + "\n".join(table.lines()))

    def facts(self, caption: str, facts: Mapping[str, object], form: str = "{}") -> None:
        """A table of names and values on the page."""
        rows = [[Cell(name), Cell.of(value, form)] for name, value in facts.items()]
        self._show(Table(caption, [], rows))

    def figure(self, name: str, figure: Figure, caption: str) -> None:
        """Write `<name>.png`, and put the same picture on the page."""
        if self.accelerator.is_main_process:
            drawn = BytesIO()
            figure.savefig(drawn, format="png", dpi=120)
            (self.folder / f"{name}.png").write_bytes(drawn.getvalue())
            shown = [block for section in self.page.sections for block in section.blocks if isinstance(block, Picture)]
            titles = [title for title in (axis.get_title() for axis in figure.axes) if title]
            self._show(Picture(len(shown) + 1, ", ".join(titles) or caption, caption, drawn.getvalue()))
        plt.close(figure)

    def text(self, name: str, text: str) -> None:
        """Write a text file."""
        if self.accelerator.is_main_process:
            (self.folder / name).write_text(text, "utf-8")

    @contextmanager
    def progress(self, title: str, total: int, unit: str, done: int = 0) -> Iterator[tqdm]:
        """A bar in the terminal's last line while something takes its time; lines that are printed stand above it.

        On the main process alone, and silent where there is no terminal.
        """
        hidden = None if self.accelerator.is_main_process else True  # None leaves it to whether there is a terminal
        bar = tqdm(desc=title, total=total, initial=done, unit=f" {unit}", disable=hidden, leave=False)
        with bar, nullcontext() if bar.disable else redirect_stdout(DummyTqdmFile(sys.stdout)):
            yield bar

    @contextmanager
    def progress_of_steps(self, title: str, total: int, done: int = 0) -> Iterator[None]:
        """The same, moved on by every step of an optimizer, whoever wrote the loop around it."""
        with self.progress(title, total, "steps", done) as bar:
            handle = register_optimizer_step_post_hook(lambda *_: bar.update())
            try:
                yield
            finally:
                handle.remove()

    @contextmanager
    def progress_of_trainings(self, title: str, total: int) -> Iterator[None]:
        """The same, moved on by every optimizer that takes its first step."""
        seen: weakref.WeakSet[torch.optim.Optimizer] = weakref.WeakSet()

        def step(optimizer: torch.optim.Optimizer, *_: object) -> None:
            if optimizer not in seen:
                seen.add(optimizer)
                bar.update()

        with self.progress(title, total, "trainings") as bar:
            handle = register_optimizer_step_post_hook(step)
            try:
                yield
            finally:
                handle.remove()

    def finish(self, settings: Mapping[str, object]) -> None:
        """Write the page of a whole run; `settings` are those of the command line, the seed among them."""
        self._write_page(settings)
        self.say(f"\nWritten to {self.folder}: {', '.join(sorted(path.name for path in self.folder.iterdir()))}")

    def stop(self, why: str, settings: Mapping[str, object]) -> None:
        """Write the page of a run that ends early, with what there is to show, and say why it ended."""
        self.page.sections.insert(0, Section("Not finished", [Words(why)]))
        self._write_page(settings)
        self.say(
            f"What there is so far is in {self.folder}: {', '.join(sorted(path.name for path in self.folder.iterdir()))}"
        )
        self.say(why)

    def _write_page(self, settings: Mapping[str, object]) -> None:
        accelerator = self.accelerator
        made_with = {
            "Python": platform.python_version(),
            "PyTorch": torch.__version__,
            "Accelerate": accelerate.__version__,
            "device": accelerator.device.type,
            "number of processes": accelerator.num_processes,
            "precision": "fp32" if accelerator.mixed_precision == "no" else accelerator.mixed_precision,
        }
        with self.part("This run"):
            self.facts(
                "Settings, as on the command line", {k.replace("_", " "): value for k, value in settings.items()}
            )
            self.facts("Made with", made_with)
            self.facts("How long the parts took, in seconds", self.seconds, "{:,.1f}")
        self.text(PAGE, self.page.html())

    def _show(self, block: Words | Table | Picture) -> None:
        if self._section is None:
            raise ValueError(
                f"expected `with results.part(…):` around whatever is shown, found none around {block.kind}."
            )
        self._section.blocks.append(block)


def conduct(run: Callable[[Namespace, Results], None], args: Namespace, accelerator: Accelerator, title: str) -> int:
    """Run a project into `args.out`, whatever comes of it.

    Returns:
        The exit code: 0, 1 when a task is not written yet, 2 when a file cannot be used.
    """
    code = 0
    try:
        results = Results.into(args.out, accelerator, title)
        try:
            run(args, results)
        except NotImplementedError as error:
            results.stop(f"Next is {error} Run main.py again when it is done.", vars(args))
            code = 1
    except Unusable as error:
        if accelerator.is_main_process:
            sys.stderr.write(f"main.py: {error}\n")
        code = 2
    accelerator.end_training()
    return code
