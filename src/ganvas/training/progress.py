"""What training shows on the terminal: the progress bar, or a line now and then."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

from rich.console import RenderableType
from rich.progress import BarColumn, Progress, TaskID
from rich.styled import Styled

from ganvas.data.loader import Loader
from ganvas.data.report import WARNING
from ganvas.io.console import PlainConsole, count_noun, describe_rate, write_at_once
from ganvas.recipes.auto import AUTO
from ganvas.recipes.explain import explain_choices, explain_reasons
from ganvas.recipes.listing import describe_counts
from ganvas.training.clock import RunClock
from ganvas.training.state import RunContext, TrainingState

__all__ = ["Bar", "Meter", "announce_run"]

STOPPING = "stopping, saving ..."


class Bar(Progress):
    """A progress bar as wide as the terminal, with lines under it.

    Attributes:
        below: returns the lines, each with its style; empty ones are left out.
    """

    below: Callable[[], Iterable[tuple[str, str]]] = list

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        for line, style in self.below():
            if line:
                yield Styled(line, style)


class Meter:
    """The progress bar on a terminal; a line now and then where the output goes to a file.

    Args:
        clock: read at every update.
        epoch: images in an epoch.
        players: whose losses are shown.
        shown: whether to say anything at all.
        lines: whether each report is printed as a line, instead of the bar.
    """

    def __init__(
        self,
        clock: RunClock,
        epoch: int,
        players: Sequence[str],
        shown: bool,
        lines: bool = False,
    ):
        self.clock, self.epoch, self.players, self.shown = clock, epoch, players, shown
        self.console = PlainConsole(stderr=True)
        moves = self.console.is_terminal and not self.console.is_dumb_terminal
        self.lines = lines
        self.live = shown and moves and not lines
        self.pause = 0.1 if self.live else 30  # seconds from one line to the next
        self.drawn: int | None = None  # images shown when the last line was printed
        self.losses = self.note = self.notice = ""
        self.stopping = self.console.localise(STOPPING)  # now: a signal handler must be quick
        self.restart()
        self.bar = Bar(
            BarColumn(bar_width=None),  # what the rest of the line leaves
            "{task.percentage:.0f}%",
            "{task.description}",
            console=self.console,
            disable=not self.live,
            transient=True,
            expand=True,
        )
        self.bar.below = self.lines_below
        self.task: TaskID = self.bar.add_task("", total=clock.total, completed=clock.images)

    def __enter__(self) -> "Meter":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.show_end()
        with self._silent_when_gone():
            self.bar.stop()
        if self.live and self.notice:
            self.say(self.notice)  # it vanished with the bar

    def restart(self) -> None:
        """Measure the speed from here on."""
        self.started = self.last_line = time.monotonic()
        self.start_images = self.clock.images

    @property
    def rate(self) -> float:
        """Images a second since this process began to train."""
        return (self.clock.images - self.start_images) / max(time.monotonic() - self.started, 1e-9)

    def show_end(self) -> None:
        """Show where the run ended: the last steps may have been too fast to be shown."""
        if self.live or self.drawn not in (None, self.clock.images):
            self._draw()

    def update(self) -> None:
        """Show where the run stands, now and then; call after every step."""
        if self.shown and time.monotonic() - self.last_line >= self.pause:
            self._draw()

    def _draw(self) -> None:
        """Show where the run stands: in the bar, or as a line."""
        if self.live:
            self.last_line = time.monotonic()
            with self._silent_when_gone():
                completed = self.clock.images
                place = self.console.localise(self.describe_place())
                self.bar.update(self.task, completed=completed, description=place)
        elif not self.lines:
            self.drawn = self.clock.images
            self.say(self.line())

    def report(self, values: Mapping[str, float]) -> None:
        """Take the newest losses, and print them if each report is a line."""
        self.losses = "  ".join(
            f"{player} {values[player]:.2f}" for player in self.players if player in values
        )
        if self.lines:
            # Statistics follow the losses; a key with "/" is a term of a loss.
            stats = [
                f"{key} {value:.3g}"
                for key, value in values.items()
                if key not in self.players and "/" not in key
            ]
            words = [f"step {self.clock.steps:,}", self.losses, *stats, describe_rate(self.rate)]
            self.say("  ".join(word for word in words if word))

    def say(self, message: str) -> None:
        """Print a line above the bar."""
        if self.shown:
            self.last_line = time.monotonic()
            with self._silent_when_gone():
                self.console.print_line(message)

    def announce_stop(self) -> None:
        """Show at once that the run will stop; a signal handler may call it at any moment."""
        # The bar's own thread draws it, so nothing is written here in the middle of other output.
        self.notice = self.stopping
        if self.shown and not self.live:
            write_at_once(self.stopping)

    @contextmanager
    def _silent_when_gone(self) -> Iterator[None]:
        """Train on in silence when the terminal or the reader of a pipe is gone."""
        try:
            yield
        except OSError:
            self.shown = self.live = False
            self.console.quiet = True

    def describe_place(self) -> str:
        """What stands beside the bar: images shown, of how many, and the time left."""
        return f"{self.clock.images:,} of {count_noun(self.clock.total, 'image')}  {self._left()}"

    def lines_below(self) -> list[tuple[str, str]]:
        """The lines under the bar with their styles: speed and losses, the doctor, the end."""
        speed = f"epoch {self._epochs(' of ')}  {describe_rate(self.rate)}  {self.losses}"
        doctor = f"doctor: {self.note}" if self.note else ""
        lines = [(speed, "default"), (doctor, "yellow"), (self.notice, "bold")]
        return [(self.console.localise(line), style) for line, style in lines]

    def line(self) -> str:
        """Images, epochs, images a second, time left, losses: all on one line, for a file."""
        rate = describe_rate(self.rate).removesuffix(" images/s")
        place = f"{self.clock.images:,}/{count_noun(self.clock.total, 'image')}"
        return f"{place}  epoch {self._epochs('/')}  {rate}/s  {self._left()}  {self.losses}"

    def _epochs(self, between: str) -> str:
        """Epochs so far and in all."""
        return f"{self.clock.images / self.epoch:.1f}{between}{self.clock.total / self.epoch:.1f}"

    def _left(self) -> str:
        """The time left, as h:mm:ss."""
        # By the mean rate since this process began, which is steadier than the last one.
        images = max(0, self.clock.total - self.clock.images)
        return f"{timedelta(seconds=round(images / self.rate)) if self.rate else '?'} left"


def announce_run(
    context: RunContext,
    state: TrainingState,
    loader: Loader,
    meter: Meter,
    resumed: bool,
    verbose: bool = False,
) -> None:
    """Print what is about to be trained: data, choices, networks, length.

    Args:
        context: of the run.
        state: of the run.
        loader: of the run.
        meter: prints.
        resumed: whether the run had begun before.
        verbose: whether each setting with a reason is printed with it.
    """
    recipe, clock = context.recipe, state.clock
    dataset, report = context.dataset, context.dataset.report

    held_out = f", {len(loader.held_out):,} of them kept for evaluation"
    classes = f", {count_noun(len(dataset.classes), 'class', 'classes')}"
    found = count_noun(len(dataset), "image") + (held_out if len(loader.held_out) else "")
    kind = dataset.describe() + (classes if dataset.classes else "")
    meter.say(f"data: {report.spec}, {found}, {kind}")
    if report.skipped:
        left_out = count_noun(len(report.skipped), "file")
        where = context.folder / "data.json"
        meter.say(f"left out: {left_out}; each is named with its reason in {where}")
    for note in report.notes:
        meter.say(note if note.startswith(WARNING) else f"note: {note}")

    for line in explain_reasons(recipe) if verbose else explain_choices(recipe):
        meter.say(line)
    if recipe.name == AUTO and not verbose:
        meter.say("The reasons of all other settings: --verbose, or the page of the run.")
    counts = describe_counts(state.gan.count_parameters())
    meter.say(f"recipe: {recipe.name} on {context.engine.device}, {counts}")

    begun = f"resumed from {count_noun(clock.images, 'image')}" if resumed else "new run"
    meter.say(f"run: {context.folder}, {begun}, {count_noun(clock.total, 'image')} in all")
