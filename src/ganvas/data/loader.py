"""The order in which training sees the data: a pure function of the seed and the images shown."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ganvas.data import open_dataset
from ganvas.data.dataset import PICTURES, Dataset, View
from ganvas.data.shards.interleave import Lanes
from ganvas.data.split import held_out_count, split
from ganvas.data.transforms import framed, mirrored
from ganvas.errors import UserError
from ganvas.io.images import to_float
from ganvas.recipes.recipe import Recipe
from ganvas.rng import mix, sent
from ganvas.training.engine import Engine

RESIDENT = 0.25  # of a GPU's free memory: a set that takes no more lies there as a whole


class Order:
    """Rows of one set by position. Every epoch shows every row once, in an order of its own; of a sharded set see `Lanes`.

    Attributes:
        dataset: the set.
        shown: the rows that training sees, ascending.
        held_out: the rows that it does not.

    Args:
        dataset: the set.
        recipe: of the run.
        name: of the set among those drawn independently of one another.

    Raises:
        UserError: rows of a sharded set cannot be drawn with replacement.
    """

    def __init__(self, dataset: Dataset, recipe: Recipe, name: str = ""):
        self.dataset, self.recipe, self.name = dataset, recipe, name
        starts = None if dataset.shards is None else dataset.shards.starts
        held_out = held_out_count(len(dataset), recipe.held_out, dataset.report.test)
        self.shown, self.held_out = split(len(dataset), held_out, starts)
        self.epoch, self.order = -1, np.empty(0, np.int64)
        self.resident: dict[str, Tensor] | None = None
        self.lanes: Lanes | None = None
        if dataset.shards is not None:
            if recipe.replacement:
                raise UserError(
                    f"replacement=true draws from the whole set at once, and {dataset.report.spec} is read shard after shard; "
                    "use --set replacement=false"
                )
            self.lanes = Lanes(self.shown, dataset.shards.starts, recipe.batch, dataset.shards.room, self.random)

    def indices(self, images: int) -> np.ndarray:
        """Which rows make the whole batch after `images` images, (batch,)."""
        if self.lanes is not None:
            return self.lanes.rows(images)
        count, batch = len(self.shown), self.recipe.batch
        if self.recipe.replacement:
            return self.shown[torch.randint(count, (batch,), generator=self.random("choice", images)).numpy()]
        epochs, places = np.divmod(np.arange(images, images + batch), count)
        return np.concatenate([self._in_epoch(int(epoch))[places[epochs == epoch]] for epoch in np.unique(epochs)])

    def random(self, use: str, *position: int) -> torch.Generator:
        """Random numbers of this set for a use, at a position."""
        return torch.Generator().manual_seed(mix(self.recipe.seed, self.name + use, *position))

    def choose(self, count: int) -> np.ndarray:
        """At most `count` of the rows that training sees, evenly spread; of a sharded set over a few shards."""
        return choose(self.dataset.near(self.shown, count), count)

    def keep_on(self, device: torch.device) -> None:
        """Keep the columns on a device from now on, and make batches there."""
        self.resident = {name: torch.from_numpy(np.array(column)).to(device) for name, column in self.dataset.columns.items()}

    def _in_epoch(self, epoch: int) -> np.ndarray:
        if epoch != self.epoch:
            places = torch.randperm(len(self.shown), generator=self.random("epoch", epoch)).numpy()
            self.epoch, self.order = epoch, self.shown[places]
        return self.order

    def rows(self, images: int, mine: slice) -> dict[str, Tensor]:
        """Some rows of the batch after `images` images, cut and mirrored as the recipe asks, where the columns are."""
        dataset, batch = self.dataset, self.recipe.batch
        if self.lanes is not None and dataset.shards is not None:
            dataset.shards.ahead(self.lanes.shards(images, mine))
        indices = self.indices(images)[mine]
        rows = dataset.rows(indices) if self.resident is None else taken(self.resident, indices)
        if any(rows[name].shape[-1] != dataset.size for name in rows.keys() & set(PICTURES)):
            corners = torch.rand(batch, 2, generator=self.random("corner", images))
            rows = framed(rows, dataset.size, corners[mine])
        if self.recipe.flip:
            flipped = torch.rand(batch, generator=self.random("flip", images)) < 0.5
            rows = mirrored(rows, sent(flipped[mine], next(iter(rows.values())).device), dataset.names.get("keypoints", ()))
        return rows


class Batches:
    """Batches by position; one may end an epoch and begin the next.

    Attributes:
        main: the order of the set that epochs are counted by.
        shown: the rows of it that training sees, ascending.
        held_out: the rows that it does not.

    Raises:
        UserError: the batch cannot be divided among the processes.
    """

    def __init__(self, dataset: Dataset, recipe: Recipe, engine: Engine):
        if recipe.batch % engine.world:
            raise UserError(f"batch={recipe.batch} cannot be divided among {engine.world} processes; use --set batch=...")
        self.dataset, self.recipe, self.engine = dataset, recipe, engine
        self.orders = orders(dataset, recipe)
        for order in self.orders if fits(dataset, engine.free_memory()) else []:
            order.keep_on(engine.device)
        self.main = self.orders[0]
        self.shown, self.held_out = self.main.shown, self.main.held_out

    def at(self, images: int) -> dict[str, Tensor]:
        """This process's part of the batch after `images` images, on the device: columns as `Schema` tells."""
        part = self.recipe.batch // self.engine.world
        mine = slice(self.engine.rank * part, (self.engine.rank + 1) * part)
        batch: dict[str, Tensor] = {}
        for order in self.orders:
            batch |= order.rows(images, mine)
        return on_device(batch, self.engine.device)

    def indices(self, images: int) -> np.ndarray:
        """Which rows of the main set make the whole batch after `images` images, (batch,)."""
        return self.main.indices(images)

    def seen(self, count: int) -> dict[str, Tensor]:
        """At most `count` rows that training sees, always the same, as the data keeps them: pictures as uint8, their middle."""
        return merged([order.dataset.batch(order.choose(count)) for order in self.orders])

    def unseen(self, count: int) -> dict[str, Tensor] | None:
        """The same of rows that it does not see: held out, or of the published test set; None: there are too few."""
        return unseen(self.orders, self.recipe.test_view, count)


def fits(dataset: Dataset, memory: int) -> bool:
    """Whether a set, and the one beside it, may lie on a device with so many free bytes; one that is read piece by piece may
    not.
    """
    columns = [column for part in (dataset, dataset.beside) if part for column in part.columns.values()]
    plain = [column for column in columns if isinstance(column, np.ndarray)]
    return len(plain) == len(columns) and sum(column.nbytes for column in plain) <= RESIDENT * memory


def taken(columns: dict[str, Tensor], indices: np.ndarray) -> dict[str, Tensor]:
    """The rows at `indices` (N,) of columns on a device."""
    places = sent(torch.from_numpy(indices), next(iter(columns.values())).device)
    return {name: column.index_select(0, places) for name, column in columns.items()}


def orders(dataset: Dataset, recipe: Recipe) -> list[Order]:
    """The order of a set and, if another domain is beside it, of that."""
    return [Order(dataset, recipe), *([Order(dataset.beside, recipe, "beside ")] if dataset.beside else [])]


def unseen(orders: Sequence[Order], view: View, count: int) -> dict[str, Tensor] | None:
    """At most `count` rows that training does not see, evenly spread; see `Batches.unseen`.

    Args:
        view: how the test set is to be seen.
    """
    found = []
    for order in orders:
        dataset, rows = order.dataset, order.held_out
        if len(rows) < 2:
            try:
                test = open_dataset(dataset.report.test, view) if dataset.report.test else None
            except UserError:  # its files are not at hand
                test = None
            if test is None:
                return None
            dataset = test.table(next(iter(dataset.columns)))
            rows = dataset.near(np.arange(len(dataset)), count)
        found.append(dataset.batch(choose(rows, count)))
    return merged(found)


def merged(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Rows of sets that are drawn independently, side by side; as many as the smallest has."""
    count = min(len(values) for part in parts for values in part.values())
    return {name: values[:count] for part in parts for name, values in part.items()}


def on_device(rows: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """Rows of a data set as a GAN wants them, on the device: columns as `Schema` tells."""
    batch = {name: values if values.device == device else sent(values, device) for name, values in rows.items()}
    batch |= {name: to_float(batch[name]) for name in batch.keys() & set(PICTURES)}
    return batch | {name: batch[name].float() for name in batch.keys() & {"attributes", "known"}}


def choose(rows: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)]
