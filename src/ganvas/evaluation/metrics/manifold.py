"""Precision, recall, density, coverage, memorisation: nearest neighbours in feature space.

- Precision and recall: Kynkaanniemi et al. 2019, "Improved Precision and Recall Metric for
  Assessing Generative Models", arXiv 1904.06991.
- Density and coverage: Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative
  Models", arXiv 2002.09797.

Distances are Euclidean, in float64, and exact up to its rounding: equal rows are at distance 0, and
near ones are measured by their difference. All pairs are computed in blocks, so memory grows with
the samples and not with their square.

A set's **manifold** is a union of balls, one around each sample, that reaches to its k-th nearest
neighbour among the others. Balls are closed, as in Kynkaanniemi et al., eq. 1: a copy of a real
image lies in the manifold even if that image is k times in the data. (The code that came with
Naeem et al. has open balls; the two differ only where distances are equal.)
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.evaluation.metrics.distances import check_features, check_sizes

__all__ = [
    "BLOCK",
    "DensityCoverage",
    "Memorisation",
    "PrecisionRecall",
    "copies_by_chance",
    "density_coverage",
    "distance_blocks",
    "find_nearest",
    "memorisation",
    "precision_recall",
    "squared_distances",
]

NEAREST = 0.01  # of the held-out images: as near as them, a sample counts as a copy
CERTAIN = 0.975  # 39 of 40 cases
BLOCK = 2**22  # pairs computed at a time: 32 MiB of float64
# Below this share of the squared norms, a difference of products has lost too many digits.
CANCELLED = 1e-5
TIE = 1 + 1e-8  # squared distances that differ by rounding alone count as equal


class PrecisionRecall(NamedTuple):
    """Two shares from 0 to 1.

    Attributes:
        precision: of the fakes, those in the real manifold (quality).
        recall: of the real samples, those in the fake manifold (variety).
    """

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Steadier relatives of precision and recall.

    Attributes:
        density: 0 or more, about 1 for samples of the data's distribution.
        coverage: a share from 0 to 1.
    """

    density: float
    coverage: float


class Memorisation(NamedTuple):
    """Distances to the nearest training image.

    Attributes:
        fake: median over the samples.
        held_out: median over held-out real images.
        ratio: fake / held_out. About 1: samples are as far from the training images as new real
            images are; far below 1: copies. Above 1: samples are unlike real images, which says
            nothing about copying.
        close: share of the samples that are no farther than the nearest 1 % of the held-out images.
            More than `chance` if some of the samples are copies, which a median does not see.
        chance: that share of the held-out images themselves, about 0.01: what copies nothing.
    """

    fake: float
    held_out: float
    ratio: float
    close: float
    chance: float


def precision_recall(real: Tensor, fake: Tensor, neighbours: int = 3) -> PrecisionRecall:
    """Improved precision and recall; Kynkaanniemi et al. 2019, eq. 1 and 2.

    The paper takes 50,000 samples of each set, k = 3; both numbers depend on the counts, so take as
    many of one set as of the other. One far outlier has a wide ball and can raise them; density and
    coverage are more robust.

    Args:
        real: (N, F).
        fake: (M, F).
        neighbours: k.

    Raises:
        UserError: fewer than k + 1 samples in a set, NaN or infinite features, features of
            different sizes.
    """
    _check_neighbours(neighbours)
    _check_sets(neighbours + 1, f"a manifold with {neighbours} neighbours", real=real, fake=fake)

    # A fake is precise if it lies in any real ball; a real sample is recalled by any fake ball.
    real_radii, fake_radii = _squared_radii(real, neighbours), _squared_radii(fake, neighbours)
    precise = torch.zeros_like(fake_radii, dtype=torch.bool)  # (M,)
    recalled = torch.zeros_like(real_radii, dtype=torch.bool)  # (N,)
    for rows, squared in distance_blocks(fake, real):  # (m, N), a block of fakes
        precise[rows] = (squared <= real_radii).any(1)
        recalled |= (squared <= fake_radii[rows, None]).any(0)
    return PrecisionRecall(precise.double().mean().item(), recalled.double().mean().item())


def density_coverage(real: Tensor, fake: Tensor, neighbours: int = 5) -> DensityCoverage:
    """Density and coverage; Naeem et al. 2020, section 3.2.

    Density: in how many balls of the real manifold a fake lies, by k. Coverage: the share of real
    balls that hold a fake. Both use the real manifold only. The paper takes 10,000 samples of each
    set, k = 5. For N real and M fake samples of one distribution the expected density is 1, and the
    expected coverage 1 - (N - 1) ... (N - k) / ((N + M - 1) ... (N + M - k)): with as many of both
    not 1 but about 1 - 2^-k, here 0.969.

    Args:
        real: (N, F).
        fake: (M, F).
        neighbours: k.

    Raises:
        UserError: fewer than k + 1 real samples, no fake, NaN or infinite features, features of
            different sizes.
    """
    _check_neighbours(neighbours)
    _check_sets(neighbours + 1, f"a manifold with {neighbours} neighbours", real=real)
    _check_sets(1, "density", fake=fake)
    check_sizes(real=real, fake=fake)

    real_radii = _squared_radii(real, neighbours)  # (N,)
    inside = 0  # pairs of a fake and a ball that it lies in
    covered = torch.zeros_like(real_radii, dtype=torch.bool)
    for _, squared in distance_blocks(fake, real):
        within = squared <= real_radii  # (m, N)
        inside += int(within.sum())
        covered |= within.any(0)
    return DensityCoverage(inside / (neighbours * len(fake)), covered.double().mean().item())


def find_nearest(queries: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
    """Find the nearest reference of each query.

    Args:
        queries: (N, F).
        references: (M, F).

    Returns:
        Distances, float64 (N,), and rows of `references`, int64 (N,). Which of several equally near
        ones is found is not defined.

    Raises:
        UserError: no references, NaN or infinite features, features of different sizes.
    """
    _check_sets(1, "a search", query=queries, reference=references)

    # Allocated beforehand: small tensors kept from block to block fragment the memory, to 8 GB for
    # 10,000 queries of 60,000.
    distances = torch.empty(len(queries), dtype=torch.float64, device=queries.device)
    places = torch.empty(len(queries), dtype=torch.int64, device=queries.device)
    for rows, squared in distance_blocks(queries, references):
        distances[rows], places[rows] = squared.min(1)
    return distances.sqrt(), places


def memorisation(of_fake: Tensor, of_held_out: Tensor) -> Memorisation:
    """Are samples nearer to training images than unseen real images are? After Meehan et al. 2020.

    They compare the two sets of distances by a rank test ("A Non-Parametric Test to Detect
    Data-Copying in Generative Models", arXiv 2004.05675); we report medians and the near end, which
    can be read on their own.

    Args:
        of_fake: float64 (N,), distances of the samples to the nearest training images; see
            `find_nearest`.
        of_held_out: float64 (K,), those of real images of the same source, never trained on; 100 or
            more, so that a 1st percentile exists.

    Raises:
        UserError: half of the held-out images are training images.
    """
    typical = of_held_out.quantile(0.5).item()  # of an even count between the two in the middle
    if typical == 0:
        raise UserError(
            "half of the held-out images or more are equal to training images: hold out others"
        )

    median = of_fake.quantile(0.5).item()
    near = of_held_out.quantile(NEAREST)  # of 100 images between the two nearest
    close, chance = ((each <= near).double().mean().item() for each in (of_fake, of_held_out))
    return Memorisation(median, typical, median / typical, close, chance)


def copies_by_chance(samples: int, held_out: int) -> float:
    """The largest share of samples that counts as copies in 39 of 40 cases where none is one.

    The limit is the nearest 1 % of the held-out images, so the share that lies below it among new
    images of the same source has a beta distribution, and the number of samples below it a
    beta-binomial one: with few images of either kind much more than 1 % is no sign of copying.

    Args:
        samples: how many there are.
        held_out: how many real images the limit comes from.
    """
    # The place of the limit among the held-out distances, as `quantile` interpolates it.
    below = 1 + NEAREST * (held_out - 1)
    above = held_out + 1 - below

    counts = torch.arange(samples + 1, dtype=torch.float64)
    rest = samples - counts
    choices = math.lgamma(samples + 1) - torch.lgamma(counts + 1) - torch.lgamma(rest + 1)
    betas = torch.lgamma(counts + below) + torch.lgamma(rest + above)
    logs = choices + betas  # of the probabilities, but for a constant: (samples + 1,)
    cumulated = logs.softmax(0).cumsum(0)
    return int((cumulated < CERTAIN).sum()) / samples


def _check_neighbours(count: int) -> None:
    """Refuse to search for less than one neighbour."""
    if count < 1:
        raise UserError(f"{count} neighbours: at least 1 is needed")


def _check_sets(at_least: int, why: str, **sets: Tensor) -> None:
    """Refuse sets of features that are too small, broken, or of different sizes."""
    for name, features in sets.items():
        check_features(features, name, at_least, why)
    check_sizes(**sets)


def _squared_radii(features: Tensor, neighbours: int) -> Tensor:
    """Squared radii of the manifold's balls, float64 (N,), from features (N, F).

    Widened by the size of rounding errors, so that the balls are closed.
    """
    found = torch.empty(len(features), dtype=torch.float64, device=features.device)
    for rows, squared in distance_blocks(features, features):
        # Each row is the nearest to itself, at distance 0, so the k-th neighbour is the (k + 1)-th
        # smallest of its row.
        found[rows] = squared.kthvalue(neighbours + 1, 1).values
    return found * TIE


def distance_blocks(queries: Tensor, references: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all squared distances of queries (N, F) to references (M, F), block by block.

    Yields:
        rows of `queries`, int64 (n,), and their squared distances, float64 (n, M).
    """
    # Equal rows are computed once: a collapsed generator makes thousands of them, and those near
    # each other need the slow way below.
    centre = references.double().mean(0)  # small numbers keep more digits
    # the different rows (D, F), and which of them each reference is (M,)
    distinct, position = (references.double() - centre).unique(dim=0, return_inverse=True)

    size = max(1, BLOCK // len(references))  # queries in a block
    for rows in torch.arange(len(queries), device=queries.device).split(size):
        block, place = (queries[rows].double() - centre).unique(dim=0, return_inverse=True)
        yield rows, squared_distances(block, distinct)[place][:, position]  # (n, M)


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """|a - b|^2 of (n, F) and (m, F), float64 (n, m)."""
    # |a|^2 + |b|^2 - 2 ab: one matrix product, where differences would need (n, m, F) numbers.
    norms = a.square().sum(1, keepdim=True) + b.square().sum(1)  # (n, m)
    squared = norms - 2 * a @ b.T

    # Where the products cancel, from the differences themselves: slower, but exact.
    for pairs in (squared <= CANCELLED * norms).nonzero().split(max(1, BLOCK // a.shape[1])):
        row, column = pairs.T
        squared[row, column] = (a[row] - b[column]).square().sum(1)
    return squared
