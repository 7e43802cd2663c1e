"""Samples of a GAN that needs noise alone, or a class; walks through the noise."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ganvas.errors import UserError
from ganvas.inference.run import Run
from ganvas.inference.sampling import class_number, take_turns
from ganvas.inference.task import Result, Task, name_sample, refuse_points
from ganvas.inference.write import check_ending
from ganvas.io.animation import ENDINGS
from ganvas.io.films import require_ffmpeg
from ganvas.io.images import to_uint8

__all__ = ["SampleTask", "check_walk", "write_walk"]


@dataclass(frozen=True)
class SampleTask(Task):
    """Generate images, or points, from noise.

    Attributes:
        count: of samples.
        label: name or number of the class; None: all classes in turn.
        seed: of the noise; a sample depends on it and its own number alone.
        invert: whether to swap dark and light.
    """

    folder = "generated"
    sheet = "grid"

    count: int = 64
    label: str | None = None
    seed: int = 0
    invert: bool = False

    def check(self, run: Run) -> None:
        if self.count < 1:
            raise UserError(f"--count {self.count}: ask for at least one image")
        if self.label is not None:
            class_number(run.gan, self.label)
        if self.invert:
            refuse_points(run)
        run.check_free()

    def results(self, run: Run) -> Iterator[Result]:
        fixed = None if self.label is None else class_number(run.gan, self.label)
        labelled = bool(run.gan.classes) and "label" in run.gan.inputs

        number = 0
        for chunk in run.chunks(self.count, seed=self.seed, label=self.label):
            for image in _to_pixels(chunk, self.invert):  # uint8 (C, H, W), or a point
                name = name_sample(number, self.count)
                label = None
                if labelled:
                    label = run.gan.classes[take_turns(run.gan, [number], fixed)[0]]
                yield Result(name, {name: image}, label=label)
                number += 1

    @property
    def expected(self) -> int:
        return self.count


def write_walk(task: SampleTask, run: Run, file: Path) -> Iterator[str]:
    """Write a smooth walk through the noise as an animation; yields a line.

    Raises:
        UserError: see `check_walk`.
    """
    check_walk(task, run, file)
    run.walk(seed=task.seed, label=task.label, invert=task.invert).save(file)
    yield f"walk in {file}"


def check_walk(task: SampleTask, run: Run, file: Path) -> None:
    """Refuse a walk that cannot be written, before anything else is.

    Raises:
        UserError: the file is not an animation, or the GAN generates points or needs more than
            noise.
    """
    check_ending(file, ENDINGS)
    if file.suffix.lower() == ".mp4":
        require_ffmpeg()
    refuse_points(run)
    task.check(run)


def _to_pixels(images: Tensor, invert: bool) -> Tensor:
    """Float (N, C, H, W) in [-1, 1] to uint8, with dark and light swapped if wanted."""
    return to_uint8(-images if invert else images)
