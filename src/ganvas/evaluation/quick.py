"""One quick number for a GAN while it trains, to compare the states of one run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ganvas.data import open_dataset
from ganvas.data.sampler import EpochSampler, orders, seen
from ganvas.evaluation.extractors import make_extractor, usual_features
from ganvas.evaluation.metrics.distances import Moments, frechet_distance, moments
from ganvas.evaluation.metrics.features import Extractor, extract_features
from ganvas.evaluation.metrics.manifold import density_coverage
from ganvas.evaluation.references import draw_rows, features_of_rows, make_reference
from ganvas.evaluation.samples import ConditionalSampler, check_finite
from ganvas.gans.base import GAN
from ganvas.inference.sampling import CHUNK, sample_chunks
from ganvas.io.images import to_uint8
from ganvas.recipes.recipe import Recipe

__all__ = ["QuickReference", "prepare_quick_score", "quick_score"]

ROWS = 256  # of training data, for GANs that are not unconditional
SEED = 0  # of the samples


@dataclass(frozen=True)
class QuickReference:
    """Training images and an extractor, prepared once for many quick scores.

    Attributes:
        extractor: gives features of the samples.
        real: features of training images, (N, F).
        moments: of these.
        orders: samplers of the training data, for GANs that are not unconditional.
    """

    extractor: Extractor
    real: Tensor
    moments: Moments
    orders: Sequence[EpochSampler] = ()

    @cached_property
    def rows(self) -> dict[str, Tensor]:
        """A few rows of training data."""
        return seen(self.orders, ROWS)


def prepare_quick_score(
    recipe: Recipe, device: torch.device, features: str | None = None, target: str = "image"
) -> QuickReference:
    """Prepare what a run's quick scores compare with: 10,000 of its training images.

    Training images, so that test and held-out images are left for the end.

    Args:
        recipe: of the run.
        device: where features are computed.
        features: as in `evaluate`; None: what suits the data. The classifier is trained here if it
            is not in the cache.
        target: the column that the GAN generates.

    Raises:
        UserError: the features do not suit the data, or weights are missing.
    """
    assert recipe.data is not None
    data = open_dataset(recipe.data, recipe.test_view)
    reference = make_reference(data, recipe.test_view, recipe.held_out, 0, target)
    name = features or usual_features(reference, None)[0]
    extractor = make_extractor(name, reference, None, device)

    chosen = draw_rows(reference.train, reference.train_rows, 0)  # MOST of them, always the same
    real = features_of_rows(extractor, reference.train, chosen)
    return QuickReference(extractor, real, moments(real, "real"), orders(data, recipe.sampling))


def quick_score(
    gan: GAN, reference: QuickReference, device: torch.device, count: int = 2_048
) -> float:
    """How far a few samples are from training images; lower is better.

    Of images the Frechet distance: with so few samples it is larger than what `evaluate` gives. Of
    points the share of real ones without a sample near them (1 - coverage), since the Frechet
    distance does not see modes. The samples are from the same noise each time, classes in turn.
    Draws nothing from the global random state, and leaves the GAN in its mode.

    Raises:
        UserError: the GAN generates NaN.
    """
    fake = extract_features(reference.extractor, _generate(gan, reference, device, count)).values
    if gan.kind == "point":
        # Equally many of both, since the coverage to expect depends on both counts.
        return 1 - density_coverage(reference.real[:count], fake).coverage
    # Biased upwards, but by about as much at each state of a run, as the count is the same.
    return frechet_distance(reference.moments, moments(fake, "generated"))


def _generate(
    gan: GAN, reference: QuickReference, device: torch.device, count: int
) -> Iterator[Tensor]:
    """Yield the samples of a quick score, uint8 (n, C, H, W), or points float32 (n, 2, 1, 1)."""
    if not gan.unconditional:
        yield ConditionalSampler(gan, reference.rows, device, SEED).images
        return

    for number, samples in enumerate(sample_chunks(gan, range(count), SEED, device)):
        check_finite(samples, number * CHUNK)
        yield to_uint8(samples)
