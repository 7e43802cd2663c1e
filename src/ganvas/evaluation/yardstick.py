"""One number for a GAN while it trains: quick, always from the same noise, for comparing the states of one run."""

from dataclasses import dataclass

import torch

from ganvas.errors import UserError
from ganvas.evaluation.references import Reference, features_of
from ganvas.gans.base import GAN
from ganvas.images import to_uint8
from ganvas.metrics.distances import Moments, frechet_distance, moments
from ganvas.metrics.features import Extractor, extract
from ganvas.sample import CHUNK, generate


@dataclass(frozen=True)
class Yardstick:
    """Real pictures and an extractor, prepared once, to hold a GAN against again and again.

    Attributes:
        extractor: looks at the samples.
        real: moments of its features of real pictures.
    """

    extractor: Extractor
    real: Moments


def make_yardstick(extractor: Extractor, reference: Reference, progress: bool = False) -> Yardstick:
    """A yardstick of the pictures that a reference compares with."""
    return Yardstick(extractor, moments(features_of(extractor, reference.dataset, reference.rows, progress), "real"))


def quick_score(gan: GAN, yardstick: Yardstick, device: torch.device, count: int = 2_048, seed: int = 0) -> float:
    """The Frechet distance of a few samples, classes in turn, always from the same noise; lower is better.

    For comparing states of one run: with so few samples it comes out larger than `evaluate` tells. Draws nothing from the global
    random state, and leaves the GAN in the mode in which it was.

    Raises:
        UserError: the GAN makes NaN.
    """
    classes = max(1, len(gan.classes))
    rows = [range(start, start + CHUNK) for start in range(0, count, CHUNK)]
    made = torch.cat([generate(gan, part, seed, device, [row % classes for row in part]) for part in rows])[:count]
    if not made.isfinite().all():
        raise UserError("the generator is broken: its samples hold NaN or infinity")
    pictures = made if gan.channels == 2 else to_uint8(made)
    return frechet_distance(yardstick.real, moments(extract(yardstick.extractor, [pictures]).values, "judged"))
