"""The random numbers of `sample` as inputs of a graph.

What a GAN draws as noise becomes an input. All else that it draws, such as the masks of a dropout,
becomes a constant: the numbers of image 0 of seed 0.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ganvas.rng import Make, Rng, RowRng

__all__ = ["Noise", "RecordingRng", "ReplayRng"]

Distribution = Literal["normal", "uniform"]


class Noise(NamedTuple):
    """Noise that `sample` draws.

    Attributes:
        distribution: standard normal, or uniform in [-1, 1].
        size: numbers for each image.
    """

    distribution: Distribution
    size: int


class RecordingRng(Rng):
    """Remembers what `sample` draws, in order.

    Attributes:
        noise: the draws that become inputs.
        fixed: the numbers (1, ...) of all other draws.
    """

    def __init__(self) -> None:
        super().__init__()
        self.noise: list[Noise] = []
        self.fixed: list[Tensor] = []
        self.row = RowRng(0, [0])

    def rows(self, count: int, make: Make) -> Tensor:
        self.fixed.append(self.row.rows(1, make))
        return self.fixed[-1].expand(count, *self.fixed[-1].shape[1:])

    def normal(self, count: int, size: int) -> Tensor:
        self.noise.append(Noise("normal", size))
        return torch.zeros(count, size)

    def uniform(self, count: int, size: int) -> Tensor:
        self.noise.append(Noise("uniform", size))
        return torch.zeros(count, size)


class ReplayRng(Rng):
    """Gives the noise that it is given, and the fixed numbers of a `RecordingRng`, in order.

    Args:
        noise: (N, size) each.
        fixed: (1, ...) each.
    """

    def __init__(self, noise: Sequence[Tensor], fixed: Sequence[Tensor]):
        super().__init__()
        self.noise: Iterator[Tensor] = iter(noise)
        self.fixed: Iterator[Tensor] = iter(fixed)

    def rows(self, count: int, make: Make) -> Tensor:
        row = next(self.fixed)
        return row.expand(count, *row.shape[1:])

    def normal(self, count: int, size: int) -> Tensor:
        return next(self.noise)

    def uniform(self, count: int, size: int) -> Tensor:
        return next(self.noise)
