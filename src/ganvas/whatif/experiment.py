"""An experiment: one weakness of GANs as two sides, which differ in one thing alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from ganvas.data.dataset import Dataset
from ganvas.gans.base import GAN
from ganvas.gans.options import build_gan
from ganvas.recipes.recipe import Recipe, change
from ganvas.rng import fold_in

__all__ = ["Experiment", "Side", "SideName"]

SideName = Literal["broken", "mended"]
# Builds a GAN from the schema of the data and the recipe's options.
BuildGAN = Callable[..., GAN]


@dataclass(frozen=True)
class Side:
    """One of the two trainings of an experiment.

    Attributes:
        name: which it is.
        recipe: its settings.
        build: makes its GAN; None: the GAN that the recipe names.
    """

    name: SideName
    recipe: Recipe
    build: BuildGAN | None = None

    def build_gan(self, dataset: Dataset) -> GAN:
        """The GAN with its first weights, which follow from the recipe's seed alone."""
        torch.manual_seed(fold_in(self.recipe.seed, "weights"))
        if self.build is None:
            return build_gan(self.recipe.gan, dataset.schema, self.recipe.options)
        return self.build(dataset.schema, **self.recipe.options)


@dataclass(frozen=True)
class Experiment:
    """A weakness, made on purpose and mended.

    Attributes:
        recipe: of the mended side.
        told_by: the measure that shows the weakness best; a key of `judge.MEASURES`.
        broken: settings of the broken side, by dotted key; empty: its GAN is another one.
        few: training images that are left to the broken side; 0: as many as the mended one has.
        build: the GAN of the broken side, where no setting makes it.
        build_mended: the GAN of the mended side, where it is not the recipe's.
        measures: what else is shown, in this order.
        curves: what the doctor measured during the training, as curves.
    """

    recipe: Recipe
    told_by: str
    broken: dict[str, Any] = field(default_factory=dict)
    few: int = 0
    build: BuildGAN | None = None
    build_mended: BuildGAN | None = None
    measures: tuple[str, ...] = ("distance", "classes", "diversity")
    curves: tuple[str, ...] = ("distance", "diversity")

    def sides(self, changes: Mapping[str, Any], count: int | None) -> tuple[Side, Side]:
        """The broken and the mended side.

        Args:
            changes: settings of both, such as the seed.
            count: images of the data; None: not known yet.

        Raises:
            UserError: a setting is not allowed.
        """
        # Other data may have fewer images than are held out of the digits.
        own = {"held_out": None} if self.few and "data" in changes else {}
        mended = change(self.recipe, {**changes, **own})
        # What is held out is not trained on, and both sides can be asked about it.
        few = {"held_out": count - self.few} if self.few and count else {}
        broken = change(mended, self.broken | few)
        return Side("broken", broken, self.build), Side("mended", mended, self.build_mended)
