"""What a GAN makes of rows of data: for those that make no pictures from noise alone."""

from functools import cached_property

import torch
from torch import Tensor

from ganvas.data.dataset import Dataset
from ganvas.data.loader import on_device
from ganvas.data.sampler import orders, unseen
from ganvas.errors import UserError
from ganvas.gans.base import GAN
from ganvas.inference.run import Run, sample_gan
from ganvas.io.images import to_uint8
from ganvas.recipes.recipe import Recipe
from ganvas.rng import RowRng

MOST = 2_000  # rows, since their pictures are kept in memory
TOGETHER = 16  # rows that are looked at together


class Trial:
    """A GAN at work on rows of data, asked for what can be held against real pictures.

    Args:
        gan: that is not free.
        rows: columns of the data on the CPU, pictures as uint8 (N, C, H, W).
        device: where the GAN is.
        seed: of the noise and of what is asked for at random.
    """

    def __init__(self, gan: GAN, rows: dict[str, Tensor], device: torch.device, seed: int):
        self.gan, self.rows, self.device, self.seed = gan, rows, device, seed

    @property
    def count(self) -> int:
        """Rows."""
        return len(next(iter(self.rows.values())))

    @cached_property
    def asked(self) -> dict[str, Tensor]:
        """What the GAN was asked for, on the CPU: a row of each input."""
        rng = RowRng(self.seed, range(self.count), self.device)
        whole = on_device(self.rows, self.device)
        with torch.no_grad():
            return {name: values.cpu() for name, values in self.gan.make_inputs(whole, rng).items()}

    @cached_property
    def made(self) -> Tensor:
        """What it made, uint8 (N, C, H, W)."""
        return self.answers(self.asked)

    def answers(self, asked: dict[str, Tensor]) -> Tensor:
        """What it makes of other inputs, uint8 (N, C, H, W).

        Raises:
            UserError: it makes NaN.
        """
        found = []
        for start in range(0, self.count, TOGETHER):
            numbers = range(start, min(start + TOGETHER, self.count))
            inputs = {
                name: values[start : numbers.stop].to(self.device) for name, values in asked.items()
            }
            pictures = sample_gan(
                self.gan, RowRng(self.seed, numbers, self.device), len(numbers), inputs
            )
            if not pictures.isfinite().all():
                raise UserError("the generator is broken: it makes NaN or infinity")
            found.append(to_uint8(pictures))
        return torch.cat(found)


def unseen_rows(run: Run, recipe: Recipe, dataset: Dataset, count: int) -> dict[str, Tensor]:
    """At most `count` rows that a run did not train on, whole pictures.

    Raises:
        UserError: there are none.
    """
    rows = unseen(orders(dataset, recipe.sampling), recipe.test_view, min(count, MOST))
    if rows is None:
        raise UserError(
            f"{dataset.report.spec} has no pictures that {run.path} did not train on; train with --set held_out=50"
        )
    return rows
