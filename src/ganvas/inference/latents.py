"""Points in the space of a GAN's noise: rows of noise, mixed, moved and shortened.

A `Latent` says which, in numbers that can be kept in an address or a file; `draw_points` draws the
images that belong to them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.gans.base import GAN
from ganvas.inference.direction_files import Direction
from ganvas.inference.noise_files import UNIFORM_STD, StoredNoise, StoredRng
from ganvas.inference.sampling import CHUNK, class_inputs, sample_gan
from ganvas.rng import Make, Rng, RowRng, sent

if TYPE_CHECKING:
    from ganvas.inference.run import Run

__all__ = ["Latent", "LatentRng", "Point", "Term", "draw_points", "latent_row", "sample_latents"]

Table = int | StoredNoise  # the endless table of a seed, or the rows of a file
Term = tuple[Table, int, float]  # a table of noise, row of it, weight


@dataclass(frozen=True)
class Latent:
    """A point in the space of noise.

    Attributes:
        terms: rows of noise and their weights: one row of weight 1 is a sample as `Run.sample`
            draws it, two of weights 1 - t and t lie between two samples, and three of 1, -1 and 1
            are the arithmetic "a - b + c".
        truncation: factor towards the mean of all noise; 1 changes nothing, 0 is the mean itself.
        moves: directions and how far along each, in standard deviations of the noise.

    Raises:
        UserError: there are no terms, or all have the weight 0.
    """

    terms: tuple[Term, ...]
    truncation: float = 1.0
    moves: tuple[tuple[Direction, float], ...] = ()

    def __post_init__(self) -> None:
        if not any(weight for _, _, weight in self.terms):
            raise UserError("noise is made of one row or more, with weights other than 0")


class Point(NamedTuple):
    """An image to be drawn: a point in the space of noise, and a class."""

    latent: Latent
    label: int  # number of the class; of no effect without classes


def latent_row(seed: int, row: int) -> Latent:
    """The noise of a sample: row of the table of a seed."""
    return Latent(((seed, row, 1.0),))


class LatentRng(Rng):
    """Gives a GAN the noise of given points.

    Normal noise is mixed along the sphere on which it lies: a mix gets the mean length of its
    parts, since noise between two rows would be too short. Uniform noise is mixed on a straight
    line and kept in [-1, 1]. All other random numbers are those of each point's first row.

    Args:
        latents: one for each image.
        device: where the numbers are needed.
    """

    def __init__(self, latents: Sequence[Latent], device: torch.device | str = "cpu"):
        super().__init__(device)
        self.latents = latents
        self.drawn = 0  # numbers of noise so far, of each image
        self.tables = [
            [_open_row(table, row) for table, row, _ in latent.terms] for latent in latents
        ]

    def rows(self, count: int, make: Make) -> Tensor:
        # All tables draw, so that what each draws next is what it would draw alone.
        drawn = [[table.rows(1, make) for table in tables] for tables in self.tables]
        return torch.cat([first for first, *_ in drawn])

    def normal(self, count: int, size: int) -> Tensor:
        points = []
        for latent, tables in zip(self.latents, self.tables):
            rows = torch.cat([table.normal(1, size) for table in tables])  # (T, size)
            weights = torch.tensor([[weight] for _, _, weight in latent.terms])  # (T, 1)
            point = (weights * rows).sum(0)
            if len(rows) > 1:
                share = weights.abs() / weights.abs().sum()
                length = (share * rows.norm(dim=1, keepdim=True)).sum()
                point = point * (length / point.norm().clamp(min=1e-6))
            points.append(self._finish(latent, point, 1.0))
        self.drawn += size
        return sent(torch.stack(points), self.device)

    def uniform(self, count: int, size: int) -> Tensor:
        points = []
        for latent, tables in zip(self.latents, self.tables):
            rows = torch.cat([table.uniform(1, size) for table in tables])
            weights = torch.tensor([[weight] for _, _, weight in latent.terms])
            total = sum(weight for _, _, weight in latent.terms)
            # "1 - t and t" and "a - b + c" sum up to 1 already; neighbours do not
            point = (weights * rows).sum(0) / (total if len(rows) > 1 and total > 1 else 1)
            points.append(self._finish(latent, point, UNIFORM_STD).clamp(-1, 1))
        self.drawn += size
        return sent(torch.stack(points), self.device)

    def _finish(self, latent: Latent, point: Tensor, std: float) -> Tensor:
        """Shorten a point (size,), and move it along directions."""
        point = point * latent.truncation
        for direction, amount in latent.moves:
            # a GAN may draw its noise in several parts, and a direction covers all of them
            part = direction.vector[self.drawn : self.drawn + len(point)]
            point = point + amount * std * part
        return point


def _open_row(table: Table, row: int) -> Rng:
    """A source of one row of noise."""
    if isinstance(table, StoredNoise):
        return StoredRng(table, row)
    return RowRng(table, [row])


def draw_points(
    gan: GAN, points: Iterable[Point], device: torch.device
) -> Iterator[tuple[list[Point], Tensor]]:
    """Generate the images of points in the space of noise, CHUNK at a time.

    Args:
        gan: unconditional, or with classes.
        points: one for each image.
        device: where the GAN is.

    Yields:
        n points, and their images: float32 (n, C, H, W) in [-1, 1], on the CPU.
    """
    left = iter(points)
    while chunk := list(islice(left, CHUNK)):
        # whole chunks always, so that an image does not depend on how many there are
        filled = chunk + [chunk[-1]] * (CHUNK - len(chunk))
        rng = LatentRng([point.latent for point in filled], device)
        inputs = class_inputs(gan, [point.label for point in filled], device)
        yield chunk, sample_gan(gan, rng, CHUNK, inputs)[: len(chunk)]


def sample_latents(run: "Run", latents: Sequence[Latent], labels: Sequence[int]) -> Tensor:
    """Generate the images of points in the space of noise, (N, C, H, W) in [-1, 1], on the CPU.

    No more images than these are computed, so that a slider is fast. In their last bits they may
    differ from those of whole chunks (`draw_points`).

    Args:
        run: of an unconditional GAN, or one with classes.
        latents: N points.
        labels: N class numbers; of no effect without classes.

    Raises:
        UserError: the GAN needs more than noise and a class.
    """
    run.check_free()
    parts = [torch.empty(0, *run.shape)]
    for start in range(0, len(latents), CHUNK):
        chunk, chunk_labels = latents[start : start + CHUNK], labels[start : start + CHUNK]
        rng = LatentRng(chunk, run.device)
        inputs = class_inputs(run.gan, chunk_labels, run.device)
        parts.append(sample_gan(run.gan, rng, len(chunk), inputs))
    return torch.cat(parts)
