"""What training shows on the terminal: the progress bar, or a line now and then."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from rich.console import RenderableType
from rich.progress import BarColumn, Progress, TaskID
from rich.styled import Styled

from ganvas.data.loader import Loader
from ganvas.io.console import PlainConsole, count_noun, describe_rate
from ganvas.recipes.auto import describe_setting
from ganvas.recipes.listing import describe_counts
from ganvas.training.clock import RunClock
from ganvas.training.setup import WARNING
from ganvas.training.state import RunContext, TrainingState

__all__ = ["Bar", "Meter", "announce_run"]


class Bar(Progress):
    """A progress bar with a line under it."""

    below: Callable[[], str] = staticmethod(str)

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.below():
            yield Styled(f"doctor: {self.below()}", "yellow")


class Meter:
    """The progress bar on a terminal; a line now and then where the output goes to a file.

    Args:
        clock: read at every update.
        epoch: images in an epoch.
        players: whose losses are shown.
        shown: whether to say anything at all.
    """

    def __init__(self, clock: RunClock, epoch: int, players: Sequence[str], shown: bool):
        self.clock, self.epoch, self.players, self.shown = clock, epoch, players, shown
        self.console = PlainConsole(stderr=True)
        self.live = shown and self.console.is_terminal
        self.pause = 0.1 if self.live else 30  # seconds from one line to the next
        self.losses = self.note = ""
        self.restart()
        self.bar = Bar(
            BarColumn(bar_width=8),
            "{task.description}",
            console=self.console,
            disable=not self.live,
            transient=True,
        )
        self.bar.below = lambda: self.note
        self.task: TaskID = self.bar.add_task("", total=clock.total, completed=clock.images)

    def __enter__(self) -> "Meter":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def restart(self) -> None:
        """Measure the speed from here on."""
        self.started = self.last_line = time.monotonic()
        self.start_images = self.clock.images

    @property
    def rate(self) -> float:
        """Images a second since this process began to train."""
        return (self.clock.images - self.start_images) / max(time.monotonic() - self.started, 1e-9)

    def update(self) -> None:
        """Show where the run stands, now and then; call after every step."""
        if not self.shown or time.monotonic() - self.last_line < self.pause:
            return
        if self.live:
            self.last_line = time.monotonic()
            self.bar.update(self.task, completed=self.clock.images, description=self.line())
        else:
            self.say(self.line())

    def report(self, values: Mapping[str, float]) -> None:
        """Take the players' newest losses."""
        self.losses = "  ".join(
            f"{player} {values[player]:.2f}" for player in self.players if player in values
        )

    def say(self, message: str) -> None:
        """Print a line above the bar."""
        if self.shown:
            self.last_line = time.monotonic()
            self.console.print(message, soft_wrap=True)

    def line(self) -> str:
        """Images, epochs, images a second, time left, both losses: under 100 characters for all but
        the longest runs.
        """
        images, total = self.clock.images, self.clock.total
        epochs = f"epoch {images / self.epoch:.1f}/{total / self.epoch:.1f}"
        rate = describe_rate(self.rate).removesuffix(" images/s")
        # By the mean rate since this process began, which is steadier than the last one.
        left = timedelta(seconds=round(max(0, total - images) / self.rate)) if self.rate else "?"
        place = f"{images:,}/{count_noun(total, 'image')}"
        return f"{place}  {epochs}  {rate}/s  {left} left  {self.losses}"


def announce_run(
    context: RunContext, state: TrainingState, loader: Loader, meter: Meter, resumed: bool
) -> None:
    """Print what is about to be trained: data, settings with reasons, networks, length."""
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

    for key, reason in recipe.reasons.items():
        meter.say(f"{key}: {describe_setting(recipe, key)}")
        meter.say(f"  {reason}")
    counts = describe_counts(state.gan.count_parameters())
    meter.say(f"recipe: {recipe.name} on {context.engine.device}, {counts}")

    begun = f"resumed from {count_noun(clock.images, 'image')}" if resumed else "new run"
    meter.say(f"run: {context.folder}, {begun}, {count_noun(clock.total, 'image')} in all")
