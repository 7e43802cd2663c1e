"""How far training has come: the clock, the log (JSON lines) and the progress bar."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
from rich.console import RenderableType
from rich.progress import BarColumn, Progress, TaskID
from rich.styled import Styled
from torch import Tensor

from ganvas.io.console import PlainConsole, count_noun, describe_rate
from ganvas.recipes.schedule import cosine
from ganvas.training.engine import Engine


@dataclass
class RunClock:
    """The position of a run, in images shown.

    Attributes:
        batch: images in a round, over all processes.
        total: images after which the run is over.
        images: images shown so far.
    """

    batch: int
    total: int
    images: int = 0

    @property
    def rounds(self) -> int:
        """Rounds played."""
        return self.images // self.batch

    @property
    def finished(self) -> bool:
        """Whether the run has its length."""
        return self.images >= self.total

    def every(self, period: int) -> bool:
        """Whether the coming round is the first, or a multiple of `period` rounds after it."""
        return self.rounds % period == 0

    def ramp(self, start: float, end: float, over: int) -> float:
        """A number that goes from `start` at 0 images to `end` at `over` images and after, along half a cosine."""
        return cosine(start, end, self.images, over)

    def advance(self) -> None:
        """Count one round."""
        self.images += self.batch

    def coming(self, every: int) -> bool:
        """Whether something of that period will be due after the next round."""
        after = self.images + self.batch
        return after >= self.total or after // every != self.images // every

    def due(self, every: int) -> bool:
        """Whether the last round passed a multiple of `every` images, or was the last of the run."""
        return self.finished or self.images // every != (self.images - self.batch) // every


class Means:
    """Running means of what rounds report, kept on the device until they are read."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add one round's scalars; a key may be missing from some rounds."""
        for key, value in values.items():
            self.sums[key] = self.sums[key] + value.float() if key in self.sums else value.float()
            self.counts[key] = self.counts.get(key, 0) + 1

    def read(self, engine: Engine) -> dict[str, float]:
        """The means since the last `reset`, over all processes; every process must call it."""
        return {key: total / count for key, (total, count) in self.state(engine).items()}

    def reset(self) -> None:
        """Begin anew."""
        self.sums, self.counts = {}, {}

    def state(self, engine: Engine) -> dict[str, tuple[float, int]]:
        """Sums and counts, for a checkpoint, over all processes; every process must call it."""
        if not self.sums:
            return {}
        sums = engine.mean(torch.stack(list(self.sums.values()))).tolist()
        return {key: (total, self.counts[key]) for key, total in zip(self.sums, sums)}

    def restore(self, state: Mapping[str, tuple[float, int]], device: torch.device) -> None:
        """Take up the sums and counts of a checkpoint."""
        self.sums = {key: torch.tensor(total, device=device) for key, (total, _) in state.items()}
        self.counts = {key: count for key, (_, count) in state.items()}


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
        """Show where the run stands; call after every round."""
        if self.live:
            self.bar.update(self.task, completed=self.clock.images, description=self.line())
        elif self.shown and time.monotonic() - self.last_line >= 30:
            self.say(self.line())

    def report(self, values: Mapping[str, float]) -> None:
        """Take the players' newest losses."""
        self.losses = "  ".join(f"{player} {values[player]:.2f}" for player in self.players if player in values)

    def say(self, message: str) -> None:
        """Print a line above the bar."""
        if self.shown:
            self.last_line = time.monotonic()
            self.console.print(message, soft_wrap=True)

    def line(self) -> str:
        """Images, epochs, images a second, time left, both losses: under 100 characters for all but the longest runs."""
        images, total = self.clock.images, self.clock.total
        epochs = f"epoch {images / self.epoch:.1f}/{total / self.epoch:.1f}"
        left = timedelta(seconds=round(max(0, total - images) / self.rate)) if self.rate else "?"
        return f"{images:,}/{count_noun(total, 'image')}  {epochs}  {describe_rate(self.rate)}  {left} left  {self.losses}"
