"""The order in which training sees the data: a pure function of the seed and the images shown."""

import numpy as np
import torch
from torch import Tensor

from ganvas.data.dataset import Dataset
from ganvas.data.split import held_out_count, split
from ganvas.draws import mix
from ganvas.engine import Engine
from ganvas.errors import UserError
from ganvas.images import to_float
from ganvas.recipes import Recipe


class Batches:
    """Batches by position. Every epoch shows every picture once, in an order of its own; a batch may end one and begin the next.

    Attributes:
        shown: the rows of the data that training sees, ascending.
        held_out: the rows that it does not.

    Raises:
        UserError: the batch cannot be divided among the processes.
    """

    def __init__(self, dataset: Dataset, recipe: Recipe, engine: Engine):
        if recipe.batch % engine.world:
            raise UserError(f"batch={recipe.batch} cannot be divided among {engine.world} processes; use --set batch=...")
        self.dataset, self.recipe, self.engine = dataset, recipe, engine
        held_out = held_out_count(dataset.report.spec, len(dataset), recipe.held_out)
        self.shown, self.held_out = split(len(dataset), held_out)
        self.epoch, self.order = -1, np.empty(0, np.int64)

    def at(self, images: int) -> dict[str, Tensor]:
        """This process's part of the batch after `images` images, on the device.

        Returns:
            "image": float32 (N, C, H, W) in [-1, 1]; "label": int64 (N,) where the data has labels.
        """
        part = self.recipe.batch // self.engine.world
        mine = slice(self.engine.rank * part, (self.engine.rank + 1) * part)
        batch = self.dataset.batch(self.indices(images)[mine])
        batch = {name: values.to(self.engine.device, non_blocking=True) for name, values in batch.items()}
        batch["image"] = to_float(batch["image"])
        if self.recipe.flip:
            random = torch.Generator().manual_seed(mix(self.recipe.seed, "flip", images))
            flipped = torch.rand(self.recipe.batch, generator=random)[mine].to(self.engine.device) < 0.5
            batch["image"] = torch.where(flipped[:, None, None, None], batch["image"].flip(3), batch["image"])
        return batch

    def indices(self, images: int) -> np.ndarray:
        """Which rows of the data make the whole batch after `images` images, (batch,)."""
        count, batch = len(self.shown), self.recipe.batch
        if self.recipe.replacement:
            random = torch.Generator().manual_seed(mix(self.recipe.seed, "choice", images))
            return self.shown[torch.randint(count, (batch,), generator=random).numpy()]
        epochs, places = np.divmod(np.arange(images, images + batch), count)
        return np.concatenate([self._in_epoch(int(epoch))[places[epochs == epoch]] for epoch in np.unique(epochs)])

    def _in_epoch(self, epoch: int) -> np.ndarray:
        if epoch != self.epoch:
            random = torch.Generator().manual_seed(mix(self.recipe.seed, "epoch", epoch))
            self.epoch, self.order = epoch, self.shown[torch.randperm(len(self.shown), generator=random).numpy()]
        return self.order
