"""The order in which training sees the data: a pure function of the seed and the images shown."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganvas.data.dataset import PICTURES, Dataset
from ganvas.data.pick import choose_rows
from ganvas.data.shards.interleave import ShardInterleave
from ganvas.data.split import held_out_count, split
from ganvas.data.test_set import find_known_rows, open_test_set
from ganvas.data.transforms import crop_rows, mirror_rows
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.rng import fold_in, sent

__all__ = ["EpochSampler", "Sampling", "orders", "seen", "unseen"]


@dataclass(frozen=True)
class Sampling:
    """How rows of a data set are drawn.

    Attributes:
        seed: random seed of the order, the mirroring and the crops.
        batch: rows in a batch, over all processes.
        flip: whether pictures are mirrored at random, each with probability 1/2.
        replacement: whether rows are drawn with replacement instead of by epochs.
        held_out: rows kept from training; None: the default of `held_out_count`.
    """

    seed: int
    batch: int
    flip: bool = False
    replacement: bool = False
    held_out: int | None = None


class EpochSampler:
    """Rows of one set by position. Every epoch shows every row once, in an order of its own; of a
    sharded set see `ShardInterleave`.

    Attributes:
        dataset: the set.
        shown: the rows that training sees, ascending.
        held_out: the rows that it does not.

    Args:
        dataset: the set.
        sampling: how rows are drawn.
        name: of the set among those drawn independently of one another.

    Raises:
        UserError: rows of a sharded set cannot be drawn with replacement.
    """

    def __init__(self, dataset: Dataset, sampling: Sampling, name: str = ""):
        self.dataset = dataset
        self.sampling = sampling
        self.name = name

        # of a sharded set the held-out rows lie together in the last shards
        starts = None if dataset.shards is None else dataset.shards.starts
        held_out = held_out_count(len(dataset), sampling.held_out, dataset.report.test)
        self.shown, self.held_out = split(len(dataset), held_out, starts, dataset.report.parts)

        # the order of the latest epoch, kept: drawing it takes long for a set of millions
        self.epoch = -1
        self.order = np.empty(0, np.int64)

        # columns on the GPU, where the whole set fits there
        self.resident: dict[str, Tensor] | None = None

        self.interleave: ShardInterleave | None = None
        if dataset.shards is not None:
            if sampling.replacement:
                raise UserError(
                    "replacement=true draws from the whole set at once, and "
                    f"{dataset.report.spec} is read shard after shard; "
                    "use --set replacement=false"
                )
            self.interleave = ShardInterleave(
                self.shown, dataset.shards.starts, sampling.batch, dataset.shards.room, self.random
            )

    def indices(self, images: int) -> np.ndarray:
        """Which rows make the whole batch after `images` images, (batch,)."""
        if self.interleave is not None:
            return self.interleave.rows(images)

        count = len(self.shown)
        batch = self.sampling.batch
        if self.sampling.replacement:
            random = self.random("choice", images)
            return self.shown[torch.randint(count, (batch,), generator=random).numpy()]

        # The epoch and the place in it follow from the count of images alone, so a resumed run
        # needs no saved state. A batch may span two epochs, of a tiny set even more.
        epochs, places = np.divmod(np.arange(images, images + batch), count)
        parts = []
        for epoch in np.unique(epochs):  # ascending: the parts keep the order of the positions
            parts.append(self._in_epoch(int(epoch))[places[epochs == epoch]])
        return np.concatenate(parts)

    def random(self, use: str, *position: int) -> torch.Generator:
        """Random numbers of this set for a use, at a position."""
        # the words for the uses are part of the seed: renaming one changes the order of every run
        # each use has a stream of its own: with or without mirroring, the crops are the same
        return torch.Generator().manual_seed(
            fold_in(self.sampling.seed, self.name + use, *position)
        )

    def choose(self, count: int) -> np.ndarray:
        """At most `count` of the rows that training sees, evenly spread; of a sharded set over a
        few shards.
        """
        return choose_rows(self.dataset.near(self.shown, count), count)

    def keep_on(self, device: torch.device) -> None:
        """Keep the columns on a device from now on, and make batches there."""
        # np.array: torch warns of memory maps, which cannot be written
        self.resident = {
            name: torch.from_numpy(np.array(column)).to(device)
            for name, column in self.dataset.columns.items()
        }

    def _in_epoch(self, epoch: int) -> np.ndarray:
        """The rows in the order in which an epoch shows them, (rows that training sees,)."""
        if epoch != self.epoch:
            places = torch.randperm(len(self.shown), generator=self.random("epoch", epoch)).numpy()
            self.epoch = epoch
            self.order = self.shown[places]
        return self.order

    def rows(self, images: int, mine: slice) -> dict[str, Tensor]:
        """Some rows of the batch after `images` images, cropped and mirrored as `sampling` says,
        on the device of the columns.

        Args:
            images: how many were shown before.
            mine: the part of the batch that this process computes.
        """
        dataset = self.dataset
        batch = self.sampling.batch

        # shards are read in the background while the GPU works on earlier batches
        if self.interleave is not None and dataset.shards is not None:
            dataset.shards.ahead(self.interleave.shards(images, mine))

        indices = self.indices(images)[mine]
        rows = dataset.rows(indices) if self.resident is None else _taken(self.resident, indices)

        # Corners and flips are drawn for the whole batch, and each process takes its part: with any
        # number of processes a row is cropped and mirrored in the same way.
        if any(rows[name].shape[-1] != dataset.size for name in rows.keys() & set(PICTURES)):
            corners = torch.rand(batch, 2, generator=self.random("corner", images))  # top, left
            rows = crop_rows(rows, dataset.size, corners[mine])

        if self.sampling.flip:
            flipped = torch.rand(batch, generator=self.random("flip", images)) < 0.5
            rows = mirror_rows(
                rows,
                sent(flipped[mine], next(iter(rows.values())).device),
                dataset.names.get("keypoints", ()),  # a left part becomes the right one
            )

        return rows


def _taken(columns: dict[str, Tensor], indices: np.ndarray) -> dict[str, Tensor]:
    """The rows at `indices` (N,) of columns on a device."""
    places = sent(torch.from_numpy(indices), next(iter(columns.values())).device)
    return {name: column.index_select(0, places) for name, column in columns.items()}


def orders(dataset: Dataset, sampling: Sampling) -> list[EpochSampler]:
    """The sampler of a set and, if another domain is beside it, of that domain."""
    samplers = [EpochSampler(dataset, sampling)]
    if dataset.beside:
        # the name gives the other domain random numbers of its own: no pairs arise by chance
        samplers.append(EpochSampler(dataset.beside, sampling, "beside "))
    return samplers


def seen(orders: Sequence[EpochSampler], count: int) -> dict[str, Tensor]:
    """At most `count` rows that training sees, evenly spread; see `Loader.seen`."""
    return _merge([order.dataset.batch(order.choose(count)) for order in orders])


def unseen(orders: Sequence[EpochSampler], view: View, count: int) -> dict[str, Tensor] | None:
    """At most `count` rows that training does not see, evenly spread; see `Loader.unseen`.

    Args:
        orders: the samplers of a set and of the one beside it.
        view: how the test set is to be seen.
        count: how many rows.
    """
    found = []

    for order in orders:
        dataset = order.dataset
        rows = order.held_out

        # by default nothing is held out where a test set was published with the data
        if len(rows) < 2:
            test = _open_test(dataset, view)
            if test is None:
                return None
            # of an unpaired test set the domain that corresponds to this one
            table = test.table(next(iter(dataset.columns)))
            rows = table.near(find_known_rows(table, dataset), count)
            dataset = table

        found.append(dataset.batch(choose_rows(rows, count)))

    return _merge(found)


def _open_test(dataset: Dataset, view: View) -> Dataset | None:
    """The test set that was published with a set; None: there is none, or its files are missing."""
    # unseen pictures are optional, so training does not end where the test files are missing
    with suppress(UserError):
        return open_test_set(dataset, view)
    return None


def _merge(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Rows of sets that are drawn independently, side by side; as many as the smallest has."""
    count = min(len(values) for part in parts for values in part.values())
    return {name: values[:count] for part in parts for name, values in part.items()}
