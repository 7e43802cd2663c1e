"""What `time_to_quality.py` scores GANs by: their distance to real images."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ganvas.data import open_dataset
from ganvas.data.dataset import Dataset
from ganvas.data.sampler import orders, unseen
from ganvas.errors import UserError
from ganvas.evaluation.extractors import make_extractor, usual_features
from ganvas.evaluation.metrics.distances import kernel_distance, moments
from ganvas.evaluation.metrics.features import Extractor, extract_features
from ganvas.evaluation.quick import QuickReference, quick_score
from ganvas.evaluation.references import (
    Reference,
    draw_rows,
    features_of_rows,
    open_training_reference,
)
from ganvas.evaluation.samples import ConditionalSampler
from ganvas.gans.base import GAN
from ganvas.recipes.recipe import Recipe

CPU = torch.device("cpu")
SPLITS = ("training", "held-out", "test")
MOST_ROWS = 2_000  # since their images are kept in memory
SEED = 0  # of noise and random inputs, the same for each score


class Yardstick(Protocol):
    """Scores GANs, always from the same noise or rows; lower is better."""

    @property
    def about(self) -> str:
        """What the score is, in words."""
        ...

    def score(self, gan: GAN) -> float:
        """How far what a GAN generates is from real images."""
        ...


@dataclass(frozen=True)
class NoiseYardstick:
    """For GANs that generate from noise: the Frechet distance of their samples.

    Attributes:
        reference: real images.
        against: which ones, one of SPLITS.
        count: of samples.
    """

    reference: QuickReference
    against: str
    count: int

    @property
    def about(self) -> str:
        extractor = self.reference.extractor.protocol["extractor"]
        images = f"{self.count:,} samples to {self.against} images"
        return f"Frechet distance of {images}, {extractor} features"

    def score(self, gan: GAN) -> float:
        return quick_score(gan, self.reference, CPU, self.count)


@dataclass(frozen=True)
class RowsYardstick:
    """For GANs that generate from rows of data: the kernel distance of what they generate from rows
    that training does not see to the real images of these rows.

    It is unbiased, so that a few rows are enough, and a little below 0 at times.

    Attributes:
        extractor: gives features of images.
        rows: columns of the data, images as uint8 (N, C, H, W).
        target: the column that is to be imitated.
    """

    extractor: Extractor
    rows: dict[str, Tensor]
    target: str

    @cached_property
    def real(self) -> Tensor:
        """Features of the real images, (N, F)."""
        return self.extract(self.rows[self.target])

    @property
    def about(self) -> str:
        extractor = self.extractor.protocol["extractor"]
        return f"kernel distance on {len(self.real):,} unseen rows, {extractor} features"

    def score(self, gan: GAN) -> float:
        fake = ConditionalSampler(gan, self.rows, CPU, SEED).images
        return kernel_distance(self.real, self.extract(fake)).value

    def extract(self, images: Tensor) -> Tensor:
        """Features (N, F) of images, uint8 (N, C, H, W)."""
        return extract_features(self.extractor, [images]).values


def make_yardstick(
    candidates: Sequence[tuple[Recipe, GAN]], features: str | None, against: str | None, count: int
) -> Yardstick:
    """The yardstick that fits all candidates.

    Args:
        candidates: recipes, all on the same data, and their GANs.
        features: as of `ganvas evaluate`; None: what it would choose.
        against: real images to compare with, one of SPLITS; None: training images, or for GANs that
            need rows the unseen ones.
        count: samples for each score; of rows at most, and no more than MOST_ROWS.

    Raises:
        UserError: none fits all, there are no such real images, or the features do not suit them.
    """
    _check_alike(candidates)
    recipe, gan = candidates[0]
    assert recipe.data is not None
    reference = open_training_reference(
        recipe.data, recipe.test_view, recipe.held_out, 0, gan.target, progress=True
    )
    name = features or usual_features(reference, None)[0]
    if gan.unconditional:
        dataset, rows = _choose_images(reference, against or "training", recipe.data)
        extractor = make_extractor(name, reference, None, CPU, True)
        real = features_of_rows(extractor, dataset, rows, True)
        quick = QuickReference(extractor, real, moments(real, "real"))
        return NoiseYardstick(quick, against or "training", count)

    if against is not None:
        raise UserError(
            f"--against {against}: {recipe.name} is always compared with the real images of rows "
            "that training does not see; leave --against out"
        )
    # as `ganvas evaluate` finds them: whole images, whatever training cuts out of larger ones
    dataset = open_dataset(recipe.data, recipe.test_view, progress=True)
    unseen_rows = unseen(orders(dataset, recipe.sampling), recipe.test_view, min(count, MOST_ROWS))
    if unseen_rows is None:
        raise UserError(
            f"{recipe.data} has no rows that training does not see; add --set held_out=200, say"
        )
    extractor = make_extractor(name, reference, None, CPU, True)
    return RowsYardstick(extractor, unseen_rows, gan.target)


def _check_alike(candidates: Sequence[tuple[Recipe, GAN]]) -> None:
    """Refuse candidates that no one set of real images fits.

    Raises:
        UserError: names the first difference.
    """
    first, *others = candidates
    wanted = _describe(*first)
    for other in others:
        for key, value in _describe(*other).items():
            if value != wanted[key]:
                raise UserError(
                    f"{first[0].name} and {other[0].name} cannot be compared on the same images: "
                    f"{key} is {wanted[key]} and {value}; use --data, --size or --set KEY=VALUE "
                    "for all, or other recipes"
                )


def _describe(recipe: Recipe, gan: GAN) -> dict[str, str]:
    """What decides which real images a GAN can be compared with."""
    return {
        "data": str(recipe.data),
        "held_out": str(recipe.held_out),
        "what they generate from": "noise" if gan.unconditional else "rows of data",
        "what they generate": f"{gan.size}x{gan.size}x{gan.channels}, column {gan.target}",
        "attributes": ", ".join(recipe.attributes) or "all",
    }


def _choose_images(reference: Reference, against: str, spec: str) -> tuple[Dataset, np.ndarray]:
    """The data set and the rows of it to compare samples with.

    Raises:
        UserError: there are no such images.
    """
    held = np.setdiff1d(np.arange(len(reference.train)), reference.train_rows)
    if against == "test" and reference.split != "test":
        raise UserError(
            f"--against test: no test set was published with {spec}; use --against held-out"
        )
    if against == "held-out" and not len(held):
        raise UserError("--against held-out: nothing is held out; add --set held_out=2000, say")
    return {
        "training": (reference.train, draw_rows(reference.train, reference.train_rows, 0)),
        "held-out": (reference.train, held),
        "test": (reference.dataset, reference.rows),
    }[against]
