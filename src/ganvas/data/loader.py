"""Load batches onto the device: a pure function of the seed and the images shown."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganvas.data.dataset import PICTURES, Dataset
from ganvas.data.sampler import Sampling, orders, seen, unseen
from ganvas.data.view import View
from ganvas.devices import free_memory
from ganvas.errors import UserError
from ganvas.io.images import to_float
from ganvas.rng import sent

__all__ = ["RESIDENT", "Loader", "Placement", "fits", "on_device"]

RESIDENT = 0.25  # of a GPU's free memory: a set that takes no more lies there as a whole


@dataclass(frozen=True)
class Placement:
    """Where a process computes, and which part of each batch is its own.

    Attributes:
        device: of the batches.
        rank: number of the process, in [0, world).
        world: number of processes.
    """

    device: torch.device
    rank: int = 0
    world: int = 1


class Loader:
    """Batches by position; a batch may end one epoch and begin the next.

    Attributes:
        main: the order of the set that epochs are counted by.
        shown: the rows of it that training sees, ascending.
        held_out: the rows that it does not.

    Raises:
        UserError: the batch cannot be divided among the processes.
    """

    def __init__(self, dataset: Dataset, sampling: Sampling, placement: Placement):
        if sampling.batch % placement.world:
            raise UserError(
                f"batch={sampling.batch} cannot be divided among {placement.world} processes; "
                "use --set batch=..."
            )

        self.dataset = dataset
        self.sampling = sampling
        self.placement = placement
        self.orders = orders(dataset, sampling)

        # a small set lies on the GPU as a whole: no copies while training
        if fits(dataset, free_memory(placement.device)):
            for order in self.orders:
                order.keep_on(placement.device)

        # the larger domain of an unpaired set; the smaller one just begins again sooner
        self.main = self.orders[0]
        self.shown = self.main.shown
        self.held_out = self.main.held_out

    def at(self, images: int) -> dict[str, Tensor]:
        """This process's part of the batch after `images` images, on the device: columns as
        in `Schema`.
        """
        # processes take neighbouring parts, in the order of their ranks, of one and the same batch
        part = self.sampling.batch // self.placement.world  # no remainder: see __init__
        mine = slice(self.placement.rank * part, (self.placement.rank + 1) * part)
        batch: dict[str, Tensor] = {}
        for order in self.orders:
            batch |= order.rows(images, mine)  # no domain has a column of the other's name

        return on_device(batch, self.placement.device)

    def indices(self, images: int) -> np.ndarray:
        """Which rows of the main set make the whole batch after `images` images, (batch,)."""
        return self.main.indices(images)

    def seen(self, count: int) -> dict[str, Tensor]:
        """At most `count` rows that training sees, the same ones at every call, as the data keeps
        them: pictures as uint8, their middle.
        """
        return seen(self.orders, count)

    def unseen(self, view: View, count: int) -> dict[str, Tensor] | None:
        """At most `count` rows that training does not see: held out, or of the published test set;
        None: there are too few.

        Args:
            view: how the test set is to be seen.
        """
        return unseen(self.orders, view, count)


def fits(dataset: Dataset, memory: int) -> bool:
    """Whether a set, and the one beside it, may lie on a device with so many free bytes.

    One that is read piece by piece may not.
    """
    columns = list(dataset.columns.values())
    if dataset.beside:
        columns += dataset.beside.columns.values()

    # memory maps are arrays too; columns of shards are not
    plain = [column for column in columns if isinstance(column, np.ndarray)]
    if len(plain) < len(columns):
        return False
    return sum(column.nbytes for column in plain) <= RESIDENT * memory


def on_device(rows: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """Rows of a data set as a GAN wants them, on the device: columns as in `Schema`."""
    batch = {}
    for name, values in rows.items():
        batch[name] = values if values.device == device else sent(values, device)

    # after the copy: uint8 takes a quarter of the bytes of float32 on the way
    batch |= {name: to_float(batch[name]) for name in batch.keys() & set(PICTURES)}
    # stored as uint8, 0 or 1
    return batch | {name: batch[name].float() for name in batch.keys() & {"attributes", "known"}}
