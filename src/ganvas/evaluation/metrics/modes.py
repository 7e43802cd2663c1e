"""How many modes of a known distribution a generator finds, and how evenly.

- VEEGAN: Srivastava et al. 2017, "Reducing Mode Collapse in GANs using Implicit Variational
  Learning", arXiv 1705.07761.
- PacGAN: Lin et al. 2018, "The power of two samples in generative adversarial networks", arXiv
  1712.04086.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.evaluation.metrics.distances import check_features, check_sizes

__all__ = ["Modes", "PointModes", "count_modes", "count_point_modes"]

HIGH_QUALITY = 3.0  # standard deviations from a centre within which a sample is of high quality


class Modes(NamedTuple):
    """The modes found in samples with classes.

    Attributes:
        found: classes with one sample or more.
        kl: KL(histogram of the samples || uniform) in nats, from 0 to log(count).
    """

    found: int
    kl: float


class PointModes(NamedTuple):
    """The modes found in points.

    Attributes:
        found: modes with one high-quality sample or more.
        high_quality: share of high-quality samples, from 0 to 1.
        kl: KL(histogram of these || uniform) in nats; NaN if there are none.
    """

    found: int
    high_quality: float
    kl: float


def count_modes(labels: Tensor, count: int) -> Modes:
    """Count the modes of data with known classes.

    For instance Stacked-MNIST: three digits in three channels, 1000 classes. A class is found when
    one sample or more falls into it. VEEGAN and PacGAN classify 26,000 samples; the numbers depend
    on that: even a perfect generator has a divergence of about (count - 1) / (2 N), here 0.019.

    Args:
        labels: int64 (N,), the class that a classifier sees in each sample.
        count: of classes.

    Raises:
        UserError: no samples, no classes, or labels other than int64 from 0 to count - 1.
    """
    _check_labels(labels, count)
    samples = labels.bincount(minlength=count)  # (count,)
    return Modes(int((samples > 0).sum()), _divergence_from_uniform(samples))


def _check_labels(labels: Tensor, count: int) -> None:
    """Refuse labels other than int64 (N,) in [0, count)."""
    if count < 1:
        raise UserError(f"{count} classes: at least 1 is needed")
    if labels.dtype != torch.int64 or labels.ndim != 1:
        shape = tuple(labels.shape)
        raise UserError(f"labels are {labels.dtype} of the shape {shape}; give int64 (samples,)")
    if not len(labels):
        raise UserError("there are no samples whose modes could be counted: give at least 1")

    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest >= count:
        raise UserError(
            f"labels go from {lowest} to {highest}; "
            f"{count} classes are numbered from 0 to {count - 1}"
        )


def count_point_modes(points: Tensor, centres: Tensor, std: float) -> PointModes:
    """Count the modes of a mixture of equal round Gaussians in the plane; VEEGAN, section 4.1.

    For instance a ring of 8 or a grid of 25. A sample is of high quality if it is within three
    standard deviations of the nearest centre. A mode is found if it is the nearest to one
    high-quality sample or more. The papers take 2,500 samples. Nearer than 3 std strictly, and the
    histogram over high-quality samples alone, as in PacGAN's published code (`MetricLogger`).

    Args:
        points: samples, (N, 2).
        centres: of the modes, (K, 2).
        std: of each Gaussian along each axis; 98.9 % of its own points lie within three.

    Raises:
        UserError: no points or centres, NaN or infinite ones, or std not above 0.
    """
    check_features(points, "generated", 1, "a count of modes")
    check_features(centres, "centre", 1, "a count of modes")
    check_sizes(points=points, centres=centres)
    if not 0 < std < math.inf:
        raise UserError(f"a standard deviation of {std} is given; it must be above 0")

    differences = points.double().unsqueeze(1) - centres.double()  # (N, K, 2)
    distances, nearest = differences.square().sum(2).sqrt().min(1)  # float64 (N,), int64 (N,)
    good = distances < HIGH_QUALITY * std  # (N,)

    samples = nearest[good].bincount(minlength=len(centres))  # (K,)
    kl = _divergence_from_uniform(samples) if good.any() else math.nan
    return PointModes(int((samples > 0).sum()), good.double().mean().item(), kl)


def _divergence_from_uniform(samples: Tensor) -> float:
    """KL(histogram || uniform) of the counts (K,), in nats; empty classes add nothing."""
    shares = samples[samples > 0].double() / samples.sum()  # 0 log 0 is 0
    # Rounding could make it negative.
    # `len` counts the empty classes too.
    return max(0.0, (shares * (shares * len(samples)).log()).sum().item())
