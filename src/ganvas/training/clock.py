"""How far a run has come, and the running means of what its steps report."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.recipes.schedule import cosine
from ganvas.training.engine import Engine

__all__ = ["Means", "RunClock"]


@dataclass
class RunClock:
    """The position of a run, in images shown.

    Attributes:
        batch: images in a step, over all processes.
        total: images after which the run is over.
        images: images shown so far.
    """

    batch: int
    total: int
    images: int = 0

    @property
    def steps(self) -> int:
        """Training steps taken."""
        return self.images // self.batch  # exact: the batch is the same for the whole run

    @property
    def finished(self) -> bool:
        """Whether the run has its length."""
        return self.images >= self.total

    def every(self, period: int) -> bool:
        """Whether the coming step is the first, or a multiple of `period` steps after it."""
        return self.steps % period == 0

    def ramp(self, start: float, end: float, over: int) -> float:
        """A number that goes from `start` at 0 images to `end` at `over` images and after, along
        half a cosine.
        """
        return cosine(start, end, self.images, over)

    def advance(self) -> None:
        """Count one step."""
        self.images += self.batch

    def coming(self, every: int) -> bool:
        """Whether something of that period will be due after the next step."""
        # As `due` after the step: a step must be watched exactly if a checkup follows it.
        after = self.images + self.batch
        return after >= self.total or after // every != self.images // every

    def due(self, every: int) -> bool:
        """Whether the last step passed a multiple of `every` images, or was the last one."""
        return self.finished or self.images // every != (self.images - self.batch) // every


class Means:
    """Running means of what steps report, kept on the device until they are read."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add one step's scalars; a key may be missing from some steps."""
        # float32, since a sum of bf16 numbers stops growing after a few hundred. Not in place: the
        # first sum is the very tensor that the step returned.
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
        # One sum for all keys, which every process has in the same order. `tolist` waits for the
        # device.
        sums = engine.mean(torch.stack(list(self.sums.values()))).tolist()
        return {key: (total, self.counts[key]) for key, total in zip(self.sums, sums)}

    def restore(self, state: Mapping[str, tuple[float, int]], device: torch.device) -> None:
        """Take up the sums and counts of a checkpoint."""
        # A float32 survives JSON exactly, so the mean after a resume is that without one.
        self.sums = {key: torch.tensor(total, device=device) for key, (total, _) in state.items()}
        self.counts = {key: count for key, (_, count) in state.items()}
