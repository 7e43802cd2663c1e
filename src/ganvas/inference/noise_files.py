"""Noise in files, as `ganvas restore` writes it: read, checked, and given to a GAN."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.gans.base import GAN
from ganvas.inference.sampling import class_inputs, sample_gan
from ganvas.io.console import count_noun
from ganvas.io.tensors import read_tensor_file
from ganvas.rng import Make, Rng, RowRng

__all__ = [
    "UNIFORM_STD",
    "RecordingRng",
    "StoredNoise",
    "StoredRng",
    "check_fit",
    "measure_noise",
    "read_noise",
]

MOST_ROWS = 100_000
UNIFORM_STD = 3**-0.5  # of numbers in [-1, 1)


@dataclass(frozen=True, eq=False)
class StoredNoise:
    """Rows of noise from a file.

    Attributes:
        file: where it comes from.
        draws: the tensors of noise, float32 (K, size) each, in the order in which a GAN draws them.
        labels: class numbers, one a row; empty where the file has none.
    """

    file: Path
    draws: tuple[Tensor, ...]
    labels: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.draws[0])


class StoredRng(Rng):
    """Gives a GAN one row of stored noise, draw by draw.

    Whatever else it draws are numbers of a seed of 0.

    Args:
        noise: of this GAN, see `check_fit`.
        row: of it.
    """

    def __init__(self, noise: StoredNoise, row: int):
        super().__init__()
        self.left = iter([draw[row : row + 1] for draw in noise.draws])
        self.others = RowRng(0, [row])

    def rows(self, count: int, make: Make) -> Tensor:
        return self.others.rows(count, make)

    def normal(self, count: int, size: int) -> Tensor:
        return next(self.left)

    def uniform(self, count: int, size: int) -> Tensor:
        return next(self.left)


class RecordingRng(RowRng):
    """As `RowRng`, and keeps the noise that was drawn.

    Attributes:
        draws: float32 (N, size) each, on the device, in the order in which the GAN drew them.
        stds: the standard deviation of each draw's numbers.
    """

    def __init__(self, seed: int, rows: Sequence[int], device: torch.device | str = "cpu"):
        super().__init__(seed, rows, device)
        self.draws: list[Tensor] = []
        self.stds: list[float] = []

    def normal(self, count: int, size: int) -> Tensor:
        return self._keep(super().normal(count, size), 1.0)

    def uniform(self, count: int, size: int) -> Tensor:
        return self._keep(super().uniform(count, size), UNIFORM_STD)

    def _keep(self, draw: Tensor, std: float) -> Tensor:
        self.draws.append(draw)
        self.stds.append(std)
        return draw


def read_noise(file: Path) -> StoredNoise:
    """Read a file of noise: tensors "noise", "noise1", ... (K, size) each, in the order in which a
    GAN draws them, and perhaps "label", whole numbers (K,).

    Raises:
        UserError: there is no such file, or it holds something else.
    """
    if not file.exists():
        raise UserError(
            f"there is no noise file {file}; give one that ganvas restore wrote or the number of a"
            " seed, and spaces around the signs of a sum"
        )
    tensors = read_tensor_file(file)

    draws = []
    while (name := f"noise{len(draws) or ''}") in tensors:
        draws.append(tensors[name])
    if not draws:
        raise UserError(f'{file} holds no tensor "noise"; give a file that ganvas restore wrote')

    rows = len(draws[0]) if draws[0].ndim else 0
    for draw in draws:
        if draw.ndim != 2 or not draw.is_floating_point() or len(draw) != rows:
            raise UserError(
                f"{file} holds noise of shape {tuple(draw.shape)}; wanted (images, size)"
            )
        if not draw.isfinite().all():
            raise UserError(f"{file} holds noise that is not finite")
    if not 1 <= rows <= MOST_ROWS:
        raise UserError(
            f"{file} holds the noise of {rows:,} images; 1 to {MOST_ROWS:,} are allowed"
        )

    label = tensors.get("label", torch.empty(0, dtype=torch.int64))
    if label.dtype != torch.int64 or label.shape not in ((0,), (rows,)):
        found = f"{str(label.dtype).removeprefix('torch.')} of shape {tuple(label.shape)}"
        raise UserError(f"{file} holds labels as {found}; wanted int64 ({rows},)")
    return StoredNoise(file, tuple(draw.float() for draw in draws), tuple(label.tolist()))


def measure_noise(gan: GAN, device: torch.device) -> list[int]:
    """How many numbers of noise a GAN draws for an image, draw by draw.

    Args:
        gan: unconditional, or with classes.
        device: where the GAN is.
    """
    rng = RecordingRng(0, [0], device)
    sample_gan(gan, rng, 1, class_inputs(gan, [0], device))
    return [draw.shape[1] for draw in rng.draws]


def check_fit(noise: StoredNoise, gan: GAN, device: torch.device) -> None:
    """Refuse noise of another GAN.

    Args:
        noise: from a file.
        gan: unconditional, or with classes.
        device: where the GAN is.

    Raises:
        UserError: it draws another number of numbers, or has fewer classes.
    """
    given, wanted = [draw.shape[1] for draw in noise.draws], measure_noise(gan, device)
    if given != wanted:
        held, drawn = (" and ".join(map(str, sizes)) or "no" for sizes in (given, wanted))
        raise UserError(
            f"{noise.file} holds {held} numbers of noise an image, and this GAN draws {drawn}; "
            "the file is of another run"
        )
    wrong = [label for label in noise.labels if not 0 <= label < max(1, len(gan.classes))]
    if gan.classes and wrong:
        counted = count_noun(len(gan.classes), "class", "classes")
        raise UserError(
            f"{noise.file} names class {wrong[0]}, and this GAN has {counted}; the file is of"
            " another run"
        )
