"""Samples of a GAN that needs noise alone, or a class; walks through the noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from ganvas.errors import UserError
from ganvas.inference.choice import AS_DRAWN, NoiseChoice, choose_points
from ganvas.inference.latents import Point, draw_points
from ganvas.inference.naming import AS_NUMBERED, Naming
from ganvas.inference.run import MOST_COLUMNS, Run
from ganvas.inference.sampling import Labels, class_numbers
from ganvas.inference.task import MAX_SIDE, Result, Task, refuse_points
from ganvas.inference.terms import find_own_label
from ganvas.inference.walk import Walk, draw_walk, list_paths
from ganvas.inference.write import Output, check_ending
from ganvas.io.animation import ENDINGS
from ganvas.io.films import require_ffmpeg
from ganvas.io.images import to_uint8

__all__ = ["SampleTask", "check_flags", "check_walk", "write_walk"]

COUNT = 64  # usual number of images
PER_CLASS = 10  # usual number of images of each class, where a row is a class


@dataclass(frozen=True)
class SampleTask(Task):
    """Generate images, or points, from noise.

    Attributes:
        count: of samples, or of those in each row; None: COUNT, or PER_CLASS in a row.
        label: names or numbers of classes, which take turns; None: all classes in turn.
        seed: of the noise; a sample depends on it and its own number alone.
        invert: whether to swap dark and light.
        choice: other noise than the rows of the seed.
        rows: "classes": a class in each row of the grid, the same noise in each column.
        scale: whole number by which pixels are repeated.
        naming: of the files.
    """

    folder = "generated"
    sheet = "grid"

    count: int | None = None
    label: Labels = None
    seed: int = 0
    invert: bool = False
    choice: NoiseChoice = AS_DRAWN
    rows: Literal["classes"] | None = None
    scale: int | None = None
    naming: Naming = AS_NUMBERED

    def check(self, run: Run) -> None:
        if self.count is not None and self.count < 1:
            raise UserError(f"--count {self.count}: ask for at least one image")
        if self.count is not None and self.choice.fixed:
            raise UserError(
                f"--count {self.count} has no effect: --seeds and --noise say how many images"
            )
        class_numbers(run.gan, self.label)
        if self.invert or self.scale or self.naming != AS_NUMBERED:
            refuse_points(run)
        if self.scale is not None and not 1 <= self.scale * run.gan.size <= MAX_SIDE:
            most = MAX_SIDE // run.gan.size
            raise UserError(f"--scale {self.scale}: give a whole number from 1 to {most}")
        run.check_free()
        if self.rows and not self._list_classes(run):
            raise UserError(f"--rows {self.rows}: {run.name} was trained without classes")
        self.choice.of(run.outputs, run.name).check(run.gan, run.device, self.seed)
        self.naming.check(self._plan(run)[1])

    def results(self, run: Run) -> Iterator[Result]:
        points, count = self._plan(run)
        classes = self._list_classes(run)
        labelled = bool(classes)
        titles = self.choice.list_names(count // len(classes) if self.rows else count)

        number = 0
        notes: tuple[str, ...] = ()
        for chunk, images in draw_points(run.gan, points, run.device):
            pixels = self._to_pixels(images)  # uint8 (n, C, H, W), or points
            notes = self._explain_class(run, chunk) or notes
            for (_, label), image in zip(chunk, pixels, strict=True):
                name = self.naming.name(number, count)
                class_name = run.gan.classes[label] if labelled else None
                title = titles[number % len(titles)] if titles else ""
                yield Result(name, {name: image}, label=class_name, title=title, notes=notes)
                number += 1

    @property
    def expected(self) -> int | None:
        return None if self.rows or self.choice.fixed else self._count

    def grid_columns(self, run: Run) -> int | None:
        if self.rows:
            _, count = self._plan(run)
            return count // len(self._list_classes(run))
        # Whole rows of all classes, so that a column shows one class.
        classes = len(class_numbers(run.gan, self.label) or self._list_classes(run))
        return classes if self.choice.in_order and 1 < classes <= MOST_COLUMNS else None

    @property
    def _count(self) -> int:
        return self.count or (PER_CLASS if self.rows else COUNT)

    def _list_classes(self, run: Run) -> list[int]:
        """Numbers of the classes that are drawn; none where the GAN does not use classes."""
        if "label" not in run.gan.inputs:
            return []
        return class_numbers(run.gan, self.label) or list(range(len(run.gan.classes)))

    def _explain_class(self, run: Run, points: Sequence[Point]) -> tuple[str, ...]:
        """A note where images are of the first class because nobody named one."""
        several = len(self._list_classes(run)) > 1
        if not several or self.label is not None or self.rows or self.choice.in_order:
            return ()
        if all(find_own_label(point.latent.terms[0]) is not None for point in points):
            return ()
        first = run.gan.classes[0]
        return (
            f"no class was named, so images are of the first one, {first}: --label NAME draws "
            "another, --rows classes all",
        )

    def _plan(self, run: Run) -> tuple[Iterator[Point], int]:
        """The points to draw, and how many they are."""
        gan, device = run.gan, run.device
        labels = class_numbers(gan, self.label)
        choice = self.choice.of(run.outputs, run.name)
        points = choose_points(gan, device, choice, self.seed, self._count, labels)
        if self.choice.in_order and not self.rows:
            return points, self._count  # there may be hundreds of thousands

        across = list(points)
        if self.rows:
            across = [
                Point(latent, label) for label in self._list_classes(run) for latent, _ in across
            ]
        return iter(across), len(across)

    def _to_pixels(self, images: Tensor) -> Tensor:
        """Float (N, C, H, W) in [-1, 1] to uint8, inverted and enlarged if wanted."""
        pixels = to_uint8(-images if self.invert else images)
        if not self.scale:
            return pixels
        return pixels.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)


def check_flags(task: SampleTask, output: Output, walk: Walk, file: Path | None) -> None:
    """Refuse flags that have no effect together.

    Args:
        task: the samples.
        output: where they go.
        walk: flags of walks.
        file: for a walk.

    Raises:
        UserError: names them.
    """
    if file is None and (given := walk.given()):
        raise UserError(f"{', '.join(given)}: a walk needs --interpolate FILE")
    if task.rows and output.columns:
        raise UserError("--columns has no effect beside --rows; --count N draws N of each class")
    if task.rows and not (output.separate or output.grid):
        raise UserError("--rows has no effect on a walk; leave it out, or give --grid FILE, too")
    if task.choice.moving and (output.separate or output.grid):
        raise UserError(
            "--direction with a way FROM..TO is a walk: give --interpolate FILE alone (in Python"
            " run.walk), or one amount"
        )


def write_walk(task: SampleTask, run: Run, walk: Walk, file: Path) -> Iterator[str]:
    """Write a smooth walk through the noise as an animation; yields a line.

    Raises:
        UserError: see `check_walk`.
    """
    paths = check_walk(task, run, walk, file)
    draw_walk(run.gan, run.device, walk, paths).save(file)
    yield f"walk in {file}"


def check_walk(task: SampleTask, run: Run, walk: Walk, file: Path) -> list[list[Point]]:
    """Refuse a walk that cannot be written, before anything else is; returns the points that it
    passes through.

    Raises:
        UserError: the file is not an animation, or the GAN generates points or needs more than
            noise, or the walk would go nowhere.
    """
    check_ending(file, ENDINGS, "--interpolate")
    if file.suffix.lower() == ".mp4":
        require_ffmpeg()
    refuse_points(run)
    task.check(run)
    labels = class_numbers(run.gan, task.label)
    choice = task.choice.of(run.outputs, run.name)
    return list_paths(run.gan, run.device, walk, choice, task.seed, labels)
