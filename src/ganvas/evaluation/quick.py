"""One number for a GAN while it trains: quick, always from the same noise, for comparing the states
of one run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganvas.data import open_dataset
from ganvas.data.sampler import merged, orders
from ganvas.errors import UserError
from ganvas.evaluation.extractors import make_extractor, usual_features
from ganvas.evaluation.metrics.distances import Moments, frechet_distance, moments
from ganvas.evaluation.metrics.features import Extractor, extract
from ganvas.evaluation.metrics.manifold import density_coverage
from ganvas.evaluation.references import features_of, of_training, some
from ganvas.evaluation.trial import Trial
from ganvas.gans.base import GAN
from ganvas.inference.run import CHUNK, generate
from ganvas.io.images import to_uint8
from ganvas.recipes.recipe import Recipe

TRIED = 256  # rows of data with which a GAN is tried that makes no pictures from noise alone


@dataclass(frozen=True)
class Yardstick:
    """Training pictures and an extractor, prepared once, to hold a GAN against again and again.

    Attributes:
        extractor: looks at the samples.
        real: its features of training pictures, (N, F).
        moments: of these.
        rows: of training data to try a GAN with that makes no pictures from noise alone.
    """

    extractor: Extractor
    real: Tensor
    moments: Moments
    rows: dict[str, Tensor] | None = None


def open_yardstick(
    recipe: Recipe,
    device: torch.device,
    features: str | None = None,
    weights: Path | None = None,
    progress: bool = False,
    target: str = "image",
) -> Yardstick:
    """The yardstick for a run: 10,000 pictures that it learns from, so that test and held-out
    pictures are left for the end.

    Args:
        features: as in `evaluate`; None: what suits the data. The classifier is trained here if it
            is not in the cache.
        made: the column that the GAN's pictures are like.

    Raises:
        UserError: the features do not suit the data, or weights are missing.
    """
    assert recipe.data is not None
    dataset = open_dataset(recipe.data, recipe.test_view, progress=progress)
    reference = of_training(recipe.data, recipe.test_view, recipe.held_out, 0, target, progress)
    extractor = make_extractor(
        features or usual_features(reference, weights)[0], reference, weights, device, progress
    )
    real = features_of(
        extractor, reference.train, some(reference.train, reference.shown, 0), progress
    )
    rows = merged(
        [order.dataset.batch(order.choose(TRIED)) for order in orders(dataset, recipe.sampling)]
    )
    return Yardstick(extractor, real, moments(real, "real"), rows)


def quick_score(
    gan: GAN, yardstick: Yardstick, device: torch.device, count: int = 2_048, seed: int = 0
) -> float:
    """How far a few samples are from training pictures, classes in turn, always from the same
    noise; lower is better.

    Of pictures the Frechet distance: with so few samples it comes out larger than `evaluate` tells.
    Of points the share of real ones that no sample is near (1 - coverage), since the Frechet
    distance sees no modes. Draws nothing from the global random state, and leaves the GAN in the
    mode in which it was.

    Raises:
        UserError: the GAN makes NaN.
    """
    classes = max(1, len(gan.classes))
    rows = [range(start, start + CHUNK) for start in range(0, count, CHUNK)]

    def pieces() -> Iterator[Tensor]:
        if not gan.unconditional:
            assert yardstick.rows is not None
            yield Trial(gan, yardstick.rows, device, seed).made
            return
        for part in rows:
            target = generate(gan, part, seed, device, [row % classes for row in part])[
                : count - part.start
            ]
            if not target.isfinite().all():
                raise UserError("the generator is broken: its samples hold NaN or infinity")
            yield target if gan.kind == "point" else to_uint8(target)

    found = extract(yardstick.extractor, pieces()).values
    if gan.kind == "point":
        return 1 - density_coverage(yardstick.real[:count], found).coverage
    return frechet_distance(yardstick.moments, moments(found, "judged"))
