"""One quick number for a GAN while it trains, to compare the states of one run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganvas.data import open_dataset
from ganvas.data.sampler import merged, orders
from ganvas.errors import UserError
from ganvas.evaluation.conditional import ConditionalSampler
from ganvas.evaluation.extractors import make_extractor, usual_features
from ganvas.evaluation.metrics.distances import Moments, frechet_distance, moments
from ganvas.evaluation.metrics.features import Extractor, extract_features
from ganvas.evaluation.metrics.manifold import density_coverage
from ganvas.evaluation.references import draw_rows, features_of_rows, open_training_reference
from ganvas.gans.base import GAN
from ganvas.inference.run import CHUNK, sample_rows
from ganvas.io.chunks import chunk_ranges
from ganvas.io.images import to_uint8
from ganvas.recipes.recipe import Recipe

__all__ = ["QuickReference", "prepare_quick_score", "quick_score"]

ROWS = 256  # of training data, for GANs that are not unconditional


@dataclass(frozen=True)
class QuickReference:
    """Training images and an extractor, prepared once for many quick scores.

    Attributes:
        extractor: gives features of the samples.
        real: features of training images, (N, F).
        moments: of these.
        rows: of training data, for GANs that are not unconditional.
    """

    extractor: Extractor
    real: Tensor
    moments: Moments
    rows: dict[str, Tensor] | None = None


def prepare_quick_score(
    recipe: Recipe,
    device: torch.device,
    features: str | None = None,
    weights: Path | None = None,
    progress: bool = False,
    target: str = "image",
) -> QuickReference:
    """Prepare what a run's quick scores compare with: 10,000 of its training images.

    Training images, so that test and held-out images are left for the end.

    Args:
        recipe: of the run.
        device: where features are computed.
        features: as in `evaluate`; None: what suits the data. The classifier is trained here if it
            is not in the cache.
        weights: a file for Inception or the classifier.
        progress: show progress on stderr.
        target: the column that the GAN generates.

    Raises:
        UserError: the features do not suit the data, or weights are missing.
    """
    assert recipe.data is not None
    dataset = open_dataset(recipe.data, recipe.test_view, progress=progress)
    reference = open_training_reference(
        recipe.data, recipe.test_view, recipe.held_out, 0, target, progress
    )
    name = features or usual_features(reference, weights)[0]
    extractor = make_extractor(name, reference, weights, device, progress)

    chosen = draw_rows(reference.train, reference.train_rows, 0)
    real = features_of_rows(extractor, reference.train, chosen, progress)

    # Data in two domains has an order of its own for each.
    parts = [order.dataset.batch(order.choose(ROWS)) for order in orders(dataset, recipe.sampling)]
    return QuickReference(extractor, real, moments(real, "real"), merged(parts))


def quick_score(
    gan: GAN, reference: QuickReference, device: torch.device, count: int = 2_048, seed: int = 0
) -> float:
    """How far a few samples are from training images; lower is better.

    Of images the Frechet distance: with so few samples it is larger than what `evaluate` gives. Of
    points the share of real ones without a sample near them (1 - coverage), since the Frechet
    distance does not see modes. The samples are from the same noise each time, classes in turn.
    Draws nothing from the global random state, and leaves the GAN in its mode.

    Raises:
        UserError: the GAN generates NaN.
    """
    chunks = _generate_chunks(gan, reference, device, count, seed)
    fake = extract_features(reference.extractor, chunks).values
    if gan.kind == "point":
        return 1 - density_coverage(reference.real[:count], fake).coverage
    return frechet_distance(reference.moments, moments(fake, "generated"))


def _generate_chunks(
    gan: GAN, reference: QuickReference, device: torch.device, count: int, seed: int
) -> Iterator[Tensor]:
    """Yield the samples of a quick score, uint8 (n, C, H, W), or points float32 (n, 2, 1, 1)."""
    if not gan.unconditional:
        assert reference.rows is not None
        yield ConditionalSampler(gan, reference.rows, device, seed).images
        return

    classes = max(1, len(gan.classes))
    # Whole chunks, so that a sample does not depend on the count.
    for part in chunk_ranges(count, CHUNK, whole=True):
        labels = [row % classes for row in part]
        samples = sample_rows(gan, part, seed, device, labels)[: count - part.start]
        if not samples.isfinite().all():
            raise UserError("the generator is broken: its samples hold NaN or infinity")
        yield samples if gan.kind == "point" else to_uint8(samples)
